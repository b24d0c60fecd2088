import { codeOf } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { CacheSettings } from '../../options/cache-settings.js';
import { Batch } from './batch.js';
import type { LoadMany } from './batch.js';
import { Circumstances } from './circumstances.js';
import type { CacheStore } from './cache-store.js';
import { EntryReader } from './entry-reader.js';
import { ALREADY, Flight } from './flight.js';
import type { FlightListener, FlightPlan } from './flight.js';
import type { Found } from './found.js';
import { Lease } from './lease.js';
import type { Load, LoadContext, LoadOptions, StoreOptions } from './load-options.js';
import { presentMoment } from './moments.js';
import { checked, entryName, generationName, leaseName, spaceName, storedKey } from './names.js';
import { NearEntries } from './near-entries.js';
import type { Removal } from './owed-removals.js';
import { pack } from './packing.js';
import { lifetimeOf, planOf, withParts } from './plan.js';
import type { CallParts, LoadPlan } from './plan.js';
import { Wakeups } from './wakeups.js';

/** A value that is in the cache: a stored `undefined` can be told from nothing. */
export interface Hit<T> {
  readonly value: T;
}

/** One named cache of a client. Get it with `CacheService.cache(name)`. */
export class Cache {
  /** Its name. */
  readonly name: string;
  readonly #store: CacheStore;
  readonly #settings: CacheSettings;
  readonly #space: string;
  readonly #near: NearEntries | undefined;
  readonly #reader: EntryReader;
  readonly #flights = new Map<string, Flight<unknown>>();
  readonly #ahead = new Set<string>();
  /** Keys whose loaders are being called in this moment. */
  readonly #beginning = new Set<string>();
  /** What methods are writing, and how many of them. */
  readonly #puts = new Map<string, number>();
  readonly #wakeups = new Wakeups();
  readonly #background = new Set<Promise<unknown>>();
  readonly #flightPlan: FlightPlan;
  /** What calls without options of their own do. */
  readonly #plain: LoadPlan<unknown>;
  /** Options are mostly the same object each time: a decorator's. */
  readonly #plans = new WeakMap<object, LoadPlan<unknown>>();

  /** @internal Made by `CacheService`. */
  constructor(store: CacheStore, name: string, settings: CacheSettings) {
    this.name = name;
    this.#store = store;
    this.#settings = settings;
    const space = spaceName(name, settings.version);
    this.#space = space;
    this.#near = settings.near && new NearEntries(settings.near);
    const { codec, binary, share } = settings;
    this.#reader = new EntryReader(store, { cache: name, space, codec, binary, sharing: share, near: this.#near });
    this.#flightPlan = {
      cache: name,
      space,
      settings,
      store,
      reader: this.#reader,
      untilChange: (key, milliseconds) => this.#wakeups.wait(key, milliseconds),
      isBeingPut: (key) => this.#puts.has(key),
      inBackground: (work) => this.#inBackground(work),
    };
    this.#plain = planOf(settings, {});
    store.register(space, {
      onChange: (key) => this.#onChange(key),
      onCoverage: (covered) => this.#onCoverage(covered),
    });
    store.publish({ cache: name, kind: 'opened', near: () => this.near });
  }

  /**
   * The value under a key; when there is none, what `load` gives, which is then stored. However many ask, in however
   * many processes, one loads. When the store is away `load` runs and its result is returned.
   *
   * @example
   * ```ts
   * const product = await cache.getOrLoad(`product:${id}`, () => repository.find(id), { ttl: '5m', tags: ['catalogue'] });
   * ```
   */
  getOrLoad<T>(key: string, load: Load<T>, options?: LoadOptions<T>): Promise<T> {
    return this.#obtain(key, load, options, undefined, undefined);
  }

  /** @internal For a method's call: `parts` depend on its arguments, and are asked for only where it is no near hit. */
  obtain<T>(key: string, load: Load<T>, options: LoadOptions<T>, parts: (() => CallParts<T>) | undefined): Promise<T> {
    return this.#obtain(key, load, options, undefined, parts);
  }

  /** @internal What this process keeps under a key, if it is fresh: without a promise, and without refreshing ahead. */
  nearValue(key: string): unknown {
    const near = this.#near?.get(storedKey(key));
    if (near && events.cache.active) this.#publish('near-hit');
    return near?.value.take();
  }

  #obtain<T>(
    key: string,
    load: Load<T>,
    options: LoadOptions<T> | undefined,
    onWait: (() => void) | undefined,
    parts: (() => CallParts<T>) | undefined,
  ): Promise<T> {
    try {
      const shared = this.#planOf(options);
      const mode = options?.mode ?? 'use';
      if (mode === 'bypass') return withoutCache(load);
      const stored = storedKey(key);
      if (mode === 'use') {
        const near = this.#nearHit<T>(stored, load, shared, parts);
        if (near) return near;
      }
      checked(key);
      const plan = parts ? withParts(shared, parts()) : shared;
      if (mode === 'use') return this.#join(stored, load, plan, onWait);
      this.#forget([stored]);
      return this.#begin(stored, load, plan, 'refresh', onWait ? { onWait } : {});
    } catch (error) {
      // What is wrong with a call is told as everything else is.
      return Promise.reject(error);
    }
  }

  /**
   * Values under many keys, in their order. `load` is called once, with those that are missing; it gives a Map by key, or
   * the values in the order of the keys it was given.
   */
  getOrLoadMany<T>(keys: readonly string[], load: LoadMany<T>, options?: LoadOptions<T>): Promise<T[]> {
    return this.obtainMany(keys, load, options, undefined);
  }

  /** @internal As {@link Cache.obtain}, for many keys. */
  async obtainMany<T>(
    keys: readonly string[],
    load: LoadMany<T>,
    options: LoadOptions<T> | undefined,
    partsOf: ((key: string) => CallParts<T>) | undefined,
  ): Promise<T[]> {
    const unique = [...new Set(keys)];
    // Before anything begins: the loader would wait for a key that has failed.
    for (const key of unique) storedKey(checked(key));
    const batch = new Batch<T>(unique, load);
    const values = new Map<string, Promise<T>>();
    for (const key of unique) {
      const decide = (): void => batch.decide(key);
      const isUnderWay = this.#flights.has(storedKey(key));
      const value = this.#obtain(key, batch.loaderOf(key), options, decide, partsOf && (() => partsOf(key)));
      values.set(key, value);
      if (isUnderWay) decide();
      value.then(decide, decide);
    }
    return Promise.all(keys.map((key) => values.get(key) as Promise<T>));
  }

  /** What is stored under a key and fresh; `undefined` when there is nothing, or the store is away. */
  async lookup<T>(key: string): Promise<Hit<T> | undefined> {
    const stored = storedKey(checked(key));
    const near = this.#near?.get(stored);
    if (near) {
      this.#publish('near-hit');
      return { value: near.value.take() as T };
    }
    const found = await this.#reader.read<T>(stored, []);
    if (found.kind === 'away') this.failed(found.error);
    this.#publish(found.kind === 'fresh' ? 'hit' : 'miss');
    return found.kind === 'fresh' ? { value: found.value.take() } : undefined;
  }

  /** The value of {@link Cache.lookup}, where a stored `undefined` need not be told from nothing. */
  async get<T>(key: string): Promise<T | undefined> {
    return (await this.lookup<T>(key))?.value;
  }

  /** Stores a value, whatever is there, and ends a load under way. Rejects when the store is away. */
  async set<T>(key: string, value: T, options?: StoreOptions<T>): Promise<void> {
    const stored = storedKey(checked(key));
    const plan = this.#planOf(options);
    const lifetime = lifetimeOf(plan, value);
    if (!lifetime) return this.evict(key);
    const { codec, compressAbove } = this.#settings;
    const encoded = codec.encode(value);
    const tags = [...plan.tags(), ...(plan.tagsFrom?.(value) ?? [])];
    await this.#changing([stored], async () => {
      const [valid, packed] = await Promise.all([
        Circumstances.now(this.#store.generations, this.#space, tags, false),
        pack(encoded, codec, compressAbove),
      ]);
      await Lease.overwrite(this.#store, entryName(this.#space, stored), packed, lifetime, valid);
    });
  }

  /**
   * Runs `make` and stores its result, as a method that changes something does. If the entry is evicted meanwhile, or
   * somebody else changes it as well, nobody can tell which result is the newer one: then nothing is stored.
   */
  put<T>(key: string, make: Load<T>, options?: StoreOptions<T>): Promise<T> {
    return this.replace(key, make, options, (error) => this.oweEviction([key], error));
  }

  /** @internal As {@link Cache.put}; `onFailure` hears that the old entry may still be there, and throws or does not. */
  async replace<T>(
    key: string,
    make: Load<T>,
    options: LoadOptions<T> | undefined,
    onFailure: (error: unknown) => void,
  ): Promise<T> {
    const stored = storedKey(checked(key));
    const run: Load<T> = async (context) => {
      const value = await make(context);
      // The caller was told that it failed, but something has changed.
      if (context.signal.aborted) {
        this.#inBackground(this.evict(key).catch((error: unknown) => this.oweEviction([key], error)));
      }
      return value;
    };
    const plan = this.#planOf(options);
    this.#puts.set(stored, (this.#puts.get(stored) ?? 0) + 1);
    const flight = new Flight<T>(this.#flightPlan, stored, run, plan, 'put');
    const isKept = await flight.end();
    this.#putIsOver(stored);
    const value = await flight.own;
    this.#forget([stored]);
    if (!isKept) await this.evict(key).catch(onFailure);
    return value;
  }

  /** Removes entries, and ends loads of them under way: their results are not stored. Rejects when the store is away. */
  async evict(...keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const stored = keys.map((key) => storedKey(checked(key)));
    await this.#changing(stored, async () => {
      const names = stored.map((key) => entryName(this.#space, key));
      await this.#store.client.unlink(...names.flatMap((name) => [name, leaseName(name)]));
    });
    this.#publish('evict');
  }

  /** Removes all entries, however many there are, in one command. Rejects when the store is away. */
  async clear(): Promise<void> {
    this.#forgetAll();
    try {
      await this.#store.generations.renew(generationName(this.#space));
    } finally {
      this.#forgetAll();
    }
    this.#publish('clear');
  }

  /** How many entries are kept in this process, and the bytes they are counted with. */
  get near(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#near?.size ?? 0, bytes: this.#near?.bytes ?? 0 };
  }

  /** Resolves when nothing is stored or refreshed in the background any more. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** @internal Something the caller got its result without has failed. */
  failed(error: unknown): void {
    this.#store.publish({ cache: this.name, kind: 'background-error', code: codeOf(error) });
  }

  /** @internal {@link Cache.evict} has failed, and its caller goes on: it is made up for when the store is back. */
  oweEviction(keys: readonly string[], error: unknown): void {
    this.failed(error);
    const name = JSON.stringify(['keys', this.#space, ...keys]);
    this.#store.owe({ name, make: () => this.evict(...keys), whole: this.#clearing }, error);
  }

  /** @internal The same for {@link Cache.clear}. */
  oweClear(error: unknown): void {
    this.failed(error);
    this.#store.owe(this.#clearing, error);
  }

  get #clearing(): Removal {
    return { name: JSON.stringify(['all', this.#space]), make: () => this.clear() };
  }

  /** @internal A tag is being invalidated here: who joins a load under way has to make sure. */
  doubt(): void {
    for (const flight of this.#flights.values()) flight.doubt();
  }

  /** @internal Tags are invalid by now: who asks from now on does not join what may carry one. */
  invalidated(tags: ReadonlySet<string>): void {
    for (const flight of this.#flights.values()) flight.invalidated(tags);
  }

  #planOf<T>(options: LoadOptions<T> | undefined): LoadPlan<T> {
    if (!options) return this.#plain;
    let plan = this.#plans.get(options);
    if (!plan) {
      plan = planOf(this.#settings, options) as LoadPlan<unknown>;
      this.#plans.set(options, plan);
    }
    return plan;
  }

  #nearHit<T>(
    key: string,
    load: Load<T>,
    plan: LoadPlan<T>,
    parts: (() => CallParts<T>) | undefined,
  ): Promise<T> | undefined {
    if (!this.#near) return undefined;
    const near = this.#near.get(key);
    if (!near) return undefined;
    if (events.cache.active) this.#publish('near-hit');
    if (plan.refreshAhead > 0 && near.until - performance.now() <= plan.refreshAhead) {
      this.#refreshAhead(key, near.seen, load, parts ? withParts(plan, parts()) : plan);
    }
    return (near.promise ?? Promise.resolve(near.value.take())) as Promise<T>;
  }

  /** Joins the flight that is under way, if what it gives will be true; or looks what there is. */
  #join<T>(key: string, load: Load<T>, plan: LoadPlan<T>, onWait: (() => void) | undefined): Promise<T> {
    // A loader that begins by asking for its own key would wait for itself: an override calling a cached super.
    if (this.#beginning.has(key)) return withoutCache(load);
    const began = presentMoment();
    const flight = this.#flights.get(key) as Flight<T> | undefined;
    const isCurrent = flight?.isCurrent(began) ?? false;
    if (!flight || isCurrent === false) return this.#look(key, load, plan, onWait, began);
    if (isCurrent === true) return flight.joined();
    return isCurrent.then((still) => (still ? flight.joined() : this.#look(key, load, plan, onWait, began)));
  }

  /** A hit needs no flight, and no promise but the caller's. */
  #look<T>(key: string, load: Load<T>, plan: LoadPlan<T>, onWait: (() => void) | undefined, began: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reader.ask<T>(key, plan.tags(), (found) => {
        if (found.kind !== 'fresh') {
          resolve(this.#joinLater(key, load, plan, onWait, began, found));
          return;
        }
        try {
          if (events.cache.active) this.#publish('hit');
          if (plan.refreshAhead > 0 && found.leftMs <= plan.refreshAhead) {
            this.#refreshAhead(key, found.seen, load, plan);
          }
          resolve(found.value.take());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Joins a flight that has asked since it `began`, or begins one. */
  async #joinLater<T>(
    key: string,
    load: Load<T>,
    plan: LoadPlan<T>,
    onWait: (() => void) | undefined,
    began: number,
    found: Found<T>,
  ): Promise<T> {
    let seen: Flight<unknown> | undefined;
    for (let other = this.#flights.get(key); other && other !== seen; other = this.#flights.get(key)) {
      if (await other.isCurrent(began)) {
        onWait?.();
        return (other as Flight<T>).joined();
      }
      seen = other;
    }
    return this.#begin(key, load, plan, 'read', { found, ...(onWait ? { onWait } : {}) });
  }

  #begin<T>(
    key: string,
    load: Load<T>,
    plan: LoadPlan<T>,
    purpose: 'read' | 'refresh',
    listener: FlightListener<T>,
  ): Promise<T> {
    const flight = new Flight<T>(
      this.#flightPlan,
      key,
      (context) => this.#call(key, load, context),
      plan,
      purpose,
      listener,
    );
    this.#flights.set(key, flight as Flight<unknown>);
    void flight.end().then(() => {
      if (this.#flights.get(key) === (flight as Flight<unknown>)) this.#flights.delete(key);
    });
    return flight.own;
  }

  /** Calls a loader; what it does at once is known to come from it. */
  #call<T>(key: string, load: Load<T>, context: LoadContext): Promise<T> | T {
    this.#beginning.add(key);
    try {
      return load(context);
    } finally {
      this.#beginning.delete(key);
    }
  }

  /** Loads in the background what is still good, but not for long. */
  #refreshAhead<T>(key: string, seen: string, load: Load<T>, plan: LoadPlan<T>): void {
    if (this.#ahead.has(key)) return;
    this.#ahead.add(key);
    const flight = new Flight<T>(this.#flightPlan, key, load, plan, 'ahead', { seen });
    flight.own.catch((error: unknown) => {
      if (error !== ALREADY) this.failed(error);
    });
    this.#inBackground(flight.end().finally(() => this.#ahead.delete(key)));
  }

  #putIsOver(key: string): void {
    const left = (this.#puts.get(key) ?? 1) - 1;
    if (left > 0) this.#puts.set(key, left);
    else this.#puts.delete(key);
  }

  /** Forgets what this process knows before and after a change: in between, a read may have brought it back. */
  async #changing(keys: readonly string[], change: () => Promise<void>): Promise<void> {
    this.#forget(keys);
    try {
      await change();
    } finally {
      this.#forget(keys);
    }
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#near?.drop(key);
      this.#flights.get(key)?.outdate();
      this.#flights.delete(key);
    }
  }

  #forgetAll(): void {
    this.#near?.clear();
    for (const flight of this.#flights.values()) flight.outdate();
    this.#flights.clear();
  }

  #onChange(key: string): void {
    if (this.#near?.drop(key) === true) this.#publish('near-drop');
    this.#flights.get(key)?.doubt();
    this.#wakeups.wake(key);
  }

  #onCoverage(covered: boolean): void {
    this.#near?.cover(covered);
    if (!covered) this.doubt();
  }

  #inBackground(work: Promise<unknown>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  #publish(kind: 'near-hit' | 'near-drop' | 'hit' | 'miss' | 'evict' | 'clear'): void {
    this.#store.publish({ cache: this.name, kind });
  }
}

async function withoutCache<T>(load: Load<T>): Promise<T> {
  return load({ signal: new AbortController().signal });
}
