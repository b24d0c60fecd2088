import type { Codec } from '../../core/codec/codec.js';
import { headSeen, readEntry } from './entry.js';
import type { Entry, EntryGenerations } from './entry.js';
import { serverTime } from './scripts.js';
import type { CacheStore } from './cache-store.js';
import type { Generation } from './generations.js';
import { entryName, generationName, tagName } from './names.js';
import type { Reservation } from './near-store.js';
import { SharedValue } from './shared-value.js';
import type { Sharing } from './shared-value.js';
import type { NearEntries } from './near-entries.js';
import { plainPayload, unpack } from './packing.js';
import type { Stored, TickReads } from './tick-reads.js';

/** What a read has found. */
export type Found<T> =
  | { readonly kind: 'fresh'; readonly value: SharedValue<T>; readonly seen: string; readonly leftMs: number }
  | { readonly kind: 'stale'; readonly value: SharedValue<T>; readonly seen: string }
  /** Nothing that may be used. `seen` is the head of what is there all the same. */
  | { readonly kind: 'none'; readonly seen: string }
  | { readonly kind: 'away'; readonly error: unknown };

/** What a reader needs to know of its cache. */
export interface ReaderPlan {
  readonly cache: string;
  readonly space: string;
  readonly codec: Codec;
  /** Whether entries are read as bytes: the codec wants them, or they may be compressed. */
  readonly binary: boolean;
  readonly sharing: Sharing;
  readonly near: NearEntries | undefined;
}

/** Generations that travelled along with a read; `undefined` for a name that was not asked for. */
type Told = (name: string) => Generation | null | undefined;

/** Reads entries of one cache and judges them: format, generations, age. */
export class EntryReader {
  readonly #store: CacheStore;
  readonly #plan: ReaderPlan;
  readonly #reads: TickReads;
  readonly #generation: string;
  readonly #sharing: Sharing;
  readonly #decode: (payload: string | Buffer) => unknown;

  constructor(store: CacheStore, plan: ReaderPlan) {
    this.#store = store;
    this.#plan = plan;
    this.#reads = store.readsOf(plan.binary);
    this.#generation = generationName(plan.space);
    // Without a near cache every hit is its taker's own.
    this.#sharing = plan.near ? plan.sharing : 'copy';
    this.#decode = (payload) => plan.codec.decode(payload);
  }

  /** One round trip; tags that are known before travel along. Never rejects. */
  read<T>(key: string, tags: readonly string[]): Promise<Found<T>> {
    return new Promise((resolve) => {
      const name = entryName(this.#plan.space, key);
      const reservation = this.#plan.near?.reserve(key);
      const end = (found: Found<T>): void => {
        this.#plan.near?.release(reservation);
        resolve(found);
      };
      const fail = (error: unknown): void => end({ kind: 'away', error });
      const place = this.#reads.add(name);
      const along = this.#askAlong(tags);
      const clock = this.#askTime(name);
      this.#reads.ask((values, at) => {
        const raw = values[place] as Stored;
        const told = along?.(values);
        // The hot path stays in this turn; what has to ask once more takes its time.
        const judged =
          raw instanceof Error || told instanceof Error
            ? ({ kind: 'away', error: raw instanceof Error ? raw : told } as const)
            : clock
              ? clock.then(() => this.#judge<T>(key, name, raw, performance.now(), told, reservation))
              : this.#judge<T>(key, name, raw, at, told, reservation);
        if (judged instanceof Promise) judged.then(end, fail);
        else end(judged);
      });
    });
  }

  /** What a stored text is worth now. */
  async judge<T>(key: string, raw: string | Buffer): Promise<Found<T>> {
    return this.#judge<T>(key, entryName(this.#plan.space, key), raw, performance.now(), undefined, undefined);
  }

  /** Asks for the generations that are not known here. */
  #askAlong(tags: readonly string[]): ((values: readonly Stored[]) => Told | Error) | undefined {
    const { generations } = this.#store;
    const isKnown = generations.known(this.#generation) !== undefined;
    if (isKnown && tags.length === 0) return undefined;
    const names = [this.#generation, ...tags.map(tagName)].filter((name) => !generations.known(name));
    const asked = names.map((name) => ({
      name,
      place: this.#reads.add(name),
      reservation: generations.reserve(name),
    }));
    return (values) => {
      let failure: Error | undefined;
      const found = new Map<string, Generation | null>();
      for (const { name, place, reservation } of asked) {
        const value = values[place] as Stored;
        if (value instanceof Error) failure = value;
        found.set(name, generations.learn(name, value instanceof Error ? null : value, reservation));
      }
      return failure ?? ((name) => found.get(name));
    };
  }

  /** Asks what time it is at the server, where that is not known. */
  #askTime(name: string): Promise<void> | undefined {
    // In this process it costs nothing to ask, and a test may have moved its clock.
    const isKnown = this.#store.client.topology !== 'embedded' && this.#store.knowsTime(name);
    if (isKnown) return undefined;
    const sentAt = performance.now();
    const asked = this.#store.client
      .run<number>(serverTime, [name])
      .then((now) => this.#store.learnTime(name, now, sentAt));
    // Whoever waits for it hears of a failure; nobody does if the read itself has failed.
    asked.catch(ignore);
    return asked;
  }

  #judge<T>(
    key: string,
    name: string,
    raw: string | Buffer | null,
    at: number,
    told: Told | undefined,
    reservation: Reservation | undefined,
  ): Found<T> | Promise<Found<T>> {
    if (raw === null) return NOTHING;
    const entry = readEntry(raw);
    const seen = headSeen(raw);
    if (!entry) return this.#unreadable(seen);
    const now = this.#store.timeAt(name, at);
    if (now === undefined || entry.expiresAt <= now) return { kind: 'none', seen };
    const generations = this.#valid(entry, told);
    const payload = plainPayload(entry, this.#plan.codec) ?? unpack(entry, this.#plan.codec);
    if (generations instanceof Promise || payload instanceof Promise) {
      return this.#openLater<T>(entry, seen, now, generations, payload, reservation);
    }
    return generations ? this.#open<T>(entry, seen, now, generations, payload, reservation) : { kind: 'none', seen };
  }

  async #openLater<T>(
    entry: Entry,
    seen: string,
    now: number,
    generations: Valid | Promise<Valid>,
    payload: string | Buffer | Promise<string | Buffer>,
    reservation: Reservation | undefined,
  ): Promise<Found<T>> {
    const [valid, unpacked] = await Promise.all([
      generations,
      payload instanceof Promise ? payload.catch(() => undefined) : payload,
    ]);
    if (!valid) return { kind: 'none', seen };
    return unpacked === undefined
      ? this.#unreadable(seen)
      : this.#open<T>(entry, seen, now, valid, unpacked, reservation);
  }

  #open<T>(
    entry: Entry,
    seen: string,
    now: number,
    generations: readonly Generation[],
    payload: string | Buffer,
    reservation: Reservation | undefined,
  ): Found<T> {
    let value: SharedValue<T>;
    try {
      value = new SharedValue<T>(payload, this.#decode, this.#sharing);
    } catch {
      return this.#unreadable(seen);
    }
    const leftMs = entry.freshUntil - now;
    if (leftMs <= 0) return { kind: 'stale', value, seen };
    if (reservation) this.#plan.near?.admit(reservation, entry, value, leftMs, generations);
    return { kind: 'fresh', value, seen, leftMs };
  }

  /** The generations of the entry, if all are current. Asks for those nobody has told. */
  #valid(entry: Entry, told: Told | undefined): Valid | Promise<Valid> {
    const { generation, tags } = entry;
    const own = this.#current(this.#generation, told);
    if (tags.length === 0 && !(own instanceof Promise)) return own?.token === generation ? [own] : undefined;
    const current = [own, ...tags.map(({ tag }) => this.#current(tagName(tag), told))];
    return current.some((each) => each instanceof Promise)
      ? this.#validLater(entry, current)
      : validOnes(entry, current as (Generation | null)[]);
  }

  async #validLater(
    entry: Entry,
    current: readonly (Generation | null | Promise<Generation | null>)[],
  ): Promise<Valid> {
    return validOnes(entry, await Promise.all(current.map(async (each) => each)));
  }

  #current(name: string, told: Told | undefined): Generation | null | Promise<Generation | null> {
    const { generations } = this.#store;
    const found = told?.(name);
    // What has changed since is asked for again.
    if (found === null || (found && found.token !== undefined)) return found;
    return generations.known(name) ?? generations.read(name);
  }

  #unreadable(seen: string): { readonly kind: 'none'; readonly seen: string } {
    this.#store.publish({ cache: this.#plan.cache, kind: 'unreadable' });
    return { kind: 'none', seen };
  }
}

type Valid = readonly Generation[] | undefined;

/** The generations, if they are those the entry carries. */
function validOnes({ generation, tags }: EntryGenerations, current: readonly (Generation | null)[]): Valid {
  const isValid = current.every(
    (each, index) => each !== null && each.token === (index === 0 ? generation : tags[index - 1]?.token),
  );
  return isValid ? (current as Generation[]) : undefined;
}

const NOTHING = { kind: 'none', seen: '' } as const;

function ignore(): void {
  // See #askTime().
}
