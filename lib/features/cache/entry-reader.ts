import type { Codec } from '../../core/codec/codec.js';
import { CacheTick } from './cache-tick.js';
import type { Reading, TickPlan, Told } from './cache-tick.js';
import type { CacheStore } from './cache-store.js';
import { headOf, headSeen, readEntry } from './entry.js';
import type { Entry, EntryGenerations } from './entry.js';
import { FoundEntry } from './found.js';
import type { Found } from './found.js';
import type { Generation } from './generations.js';
import { entryName, generationName, tagName } from './names.js';
import type { NearEntries } from './near-entries.js';
import type { Reservation } from './near-store.js';
import { plainPayload, unpack } from './packing.js';
import { SharedValue } from './shared-value.js';
import type { Sharing } from './shared-value.js';
import type { Stored, TickReads } from './tick-reads.js';

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

/** Reads entries of one cache and judges them: format, generations, age. */
export class EntryReader {
  readonly #store: CacheStore;
  readonly #plan: ReaderPlan;
  readonly #reads: TickReads;
  readonly #generation: string;
  readonly #sharing: Sharing;
  readonly #decode: (payload: string | Buffer) => unknown;
  readonly #tickPlan: TickPlan;
  #tick: CacheTick | undefined;

  constructor(store: CacheStore, plan: ReaderPlan) {
    const { space, codec, near, sharing } = plan;
    this.#store = store;
    this.#plan = plan;
    this.#reads = store.readsOf(plan.binary);
    this.#generation = generationName(space);
    // Without a near cache every hit is its taker's own.
    this.#sharing = near ? sharing : 'copy';
    this.#decode = (payload) => codec.decode(payload);
    this.#tickPlan = {
      space,
      generation: this.#generation,
      store,
      onStored: (reading, raw, told, at) => this.#onStored(reading, raw, told, at),
    };
  }

  /** One round trip; tags that are known before travel along. `onFound` must not throw. */
  ask<T>(key: string, tags: readonly string[], onFound: (found: Found<T>) => void): void {
    const { questions } = this.#reads;
    let tick = this.#tick;
    if (tick?.questions !== questions) tick = this.#tick = new CacheTick(this.#tickPlan, questions);
    tick.read(key, tags, this.#plan.near?.reserve(key), onFound);
  }

  /** {@link EntryReader.ask} as a promise, which never rejects. */
  read<T>(key: string, tags: readonly string[]): Promise<Found<T>> {
    return new Promise((resolve) => this.ask<T>(key, tags, resolve));
  }

  /** What a stored text is worth now. */
  async judge<T>(key: string, raw: string | Buffer): Promise<Found<T>> {
    const node = this.#store.nodeOf(entryName(this.#plan.space, key));
    return this.#judge<T>(node, raw, performance.now(), undefined, undefined);
  }

  /** The hot path stays in this turn; what has to ask once more takes its time. */
  #onStored(reading: Reading<unknown>, raw: Stored, told: Told, at: number): void {
    const failure = raw instanceof Error ? raw : told && this.#failure(reading, told);
    if (raw instanceof Error || failure) {
      this.#end(reading, { kind: 'away', error: failure });
      return;
    }
    const { clock, node, reservation } = reading;
    const judged = clock
      ? clock.then(() => this.#judge(node, raw, performance.now(), told, reservation))
      : this.#judge(node, raw, at, told, reservation);
    if (judged instanceof Promise) {
      judged.then(
        (found) => this.#end(reading, found),
        (error: unknown) => this.#end(reading, { kind: 'away', error }),
      );
    } else {
      this.#end(reading, judged);
    }
  }

  #end(reading: Reading<unknown>, found: Found<unknown>): void {
    if (reading.reservation) this.#plan.near?.release(reading.reservation);
    reading.onFound(found);
  }

  /** Why a generation it asked for is not known. */
  #failure({ tags }: Reading<unknown>, told: NonNullable<Told>): Error | undefined {
    for (const tag of tags) {
      const generation = told.get(tagName(tag));
      if (generation instanceof Error) return generation;
    }
    const own = told.get(this.#generation);
    return own instanceof Error ? own : undefined;
  }

  #judge<T>(
    node: string,
    raw: string | Buffer | null,
    at: number,
    told: Told,
    reservation: Reservation | undefined,
  ): Found<T> | Promise<Found<T>> {
    if (raw === null) return NOTHING;
    const entry = readEntry(raw);
    if (!entry) return this.#unreadable(headSeen(raw));
    const now = this.#store.clock.at(node, at);
    if (now === undefined || entry.expiresAt <= now) return none(entry);
    const generations = this.#valid(entry, told);
    const payload = plainPayload(entry, this.#plan.codec) ?? unpack(entry, this.#plan.codec);
    if (generations instanceof Promise || payload instanceof Promise) {
      return this.#openLater<T>(entry, now, generations, payload, reservation);
    }
    return generations ? this.#open<T>(entry, now, generations, payload, reservation) : none(entry);
  }

  async #openLater<T>(
    entry: Entry,
    now: number,
    generations: Valid | Promise<Valid>,
    payload: string | Buffer | Promise<string | Buffer>,
    reservation: Reservation | undefined,
  ): Promise<Found<T>> {
    const [valid, unpacked] = await Promise.all([
      generations,
      payload instanceof Promise ? payload.catch(() => undefined) : payload,
    ]);
    if (!valid) return none(entry);
    return unpacked === undefined
      ? this.#unreadable(headOf(entry.id))
      : this.#open<T>(entry, now, valid, unpacked, reservation);
  }

  #open<T>(
    entry: Entry,
    now: number,
    generations: readonly Generation[],
    payload: string | Buffer,
    reservation: Reservation | undefined,
  ): Found<T> {
    let value: SharedValue<T>;
    try {
      value = new SharedValue<T>(payload, this.#decode, this.#sharing);
    } catch {
      return this.#unreadable(headOf(entry.id));
    }
    const leftMs = entry.freshUntil - now;
    if (leftMs > 0 && reservation) this.#plan.near?.admit(reservation, entry, value, leftMs, generations);
    return new FoundEntry<T>(entry, value, leftMs);
  }

  /** The generations of the entry, if all are current. Asks for those nobody has told. */
  #valid(entry: Entry, told: Told): Valid | Promise<Valid> {
    const { tags } = entry;
    const own = this.#current(this.#generation, told);
    if (tags.length === 0 && !(own instanceof Promise)) return own && entry.isOf(own.token) ? [own] : undefined;
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

  #current(name: string, told: Told): Generation | null | Promise<Generation | null> {
    const { generations } = this.#store;
    const found = told?.get(name);
    // What has changed since is asked for again.
    if (found === null || (found && 'token' in found && found.token !== undefined)) return found;
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

/** Nothing that may be used, but an entry all the same. */
function none({ id }: Entry): { readonly kind: 'none'; readonly seen: string } {
  return { kind: 'none', seen: headOf(id) };
}
