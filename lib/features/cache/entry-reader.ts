import type { Codec } from '../../core/codec/codec.js';
import { headSeen, readEntry } from './entry.js';
import type { Entry } from './entry.js';
import { serverTime } from './scripts.js';
import type { CacheStore } from './cache-store.js';
import type { Generation } from './generations.js';
import { entryName, generationName, tagName } from './names.js';
import type { Reservation } from './near-store.js';
import { SharedValue } from './shared-value.js';
import type { Sharing } from './shared-value.js';
import type { NearEntries } from './near-entries.js';
import { unpack } from './packing.js';

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

/** Generations that were asked for together with an entry. */
interface ReadAlong {
  readonly generation: Generation | null;
  readonly tags: readonly string[];
  /** Those of `tags`, in their order. */
  readonly tagged: readonly (Generation | null)[];
}

/** Reads entries of one cache and judges them: format, generations, age. */
export class EntryReader {
  readonly #store: CacheStore;
  readonly #plan: ReaderPlan;
  readonly #generation: string;

  constructor(store: CacheStore, plan: ReaderPlan) {
    this.#store = store;
    this.#plan = plan;
    this.#generation = generationName(plan.space);
  }

  /** One round trip; tags that are known before travel along. */
  async read<T>(key: string, tags: readonly string[]): Promise<Found<T>> {
    const { near } = this.#plan;
    const { generations } = this.#store;
    const name = entryName(this.#plan.space, key);
    const reservation = near?.reserve(key);
    try {
      const [raw, , generation, ...tagged] = await Promise.all([
        this.#get(name),
        this.#learnTime(name),
        generations.read(this.#generation),
        ...tags.map((tag) => generations.read(tagName(tag))),
      ]);
      return await this.judge<T>(key, raw, reservation, { generation, tags, tagged });
    } catch (error) {
      return { kind: 'away', error };
    } finally {
      near?.release(reservation);
    }
  }

  /** What a stored text is worth now. It may be kept near if it came by a read that was reserved. */
  async judge<T>(
    key: string,
    raw: string | Buffer | null,
    reservation?: Reservation,
    read?: ReadAlong,
  ): Promise<Found<T>> {
    const seen = headSeen(raw);
    const none: Found<T> = { kind: 'none', seen };
    if (raw === null) return none;
    const entry = readEntry(raw);
    if (!entry) {
      this.#unreadable();
      return none;
    }
    const generations = await this.#valid(entry, read);
    const now = this.#store.timeAt(entryName(this.#plan.space, key));
    if (!generations || now === undefined || entry.expiresAt <= now) return none;
    const value = await this.#open<T>(entry);
    if (!value) return none;
    const leftMs = entry.freshUntil - now;
    if (leftMs <= 0) return { kind: 'stale', value, seen };
    this.#plan.near?.admit(reservation, entry, value, leftMs, generations);
    return { kind: 'fresh', value, seen, leftMs };
  }

  #get(name: string): Promise<string | Buffer | null> {
    const { client } = this.#store;
    return this.#plan.binary ? client.getBuffer(name) : client.get(name);
  }

  async #learnTime(name: string): Promise<void> {
    // In this process it costs nothing to ask, and a test may have moved its clock.
    if (this.#store.client.topology !== 'embedded' && this.#store.timeAt(name) !== undefined) return;
    const sentAt = performance.now();
    this.#store.learnTime(name, await this.#store.client.run<number>(serverTime, [name]), sentAt);
  }

  /** The generations of the entry, if all are current. */
  async #valid({ generation, tags }: Entry, read: ReadAlong | undefined): Promise<readonly Generation[] | undefined> {
    const { generations } = this.#store;
    const current = await Promise.all([
      usable(read?.generation) ?? generations.read(this.#generation),
      ...tags.map(({ tag }) => usable(read?.tagged[read.tags.indexOf(tag)]) ?? generations.read(tagName(tag))),
    ]);
    const valid = current.every(
      (each, index) => each !== null && each.token === (index === 0 ? generation : tags[index - 1]?.token),
    );
    return valid ? (current as Generation[]) : undefined;
  }

  async #open<T>(entry: Entry): Promise<SharedValue<T> | undefined> {
    const { codec, sharing } = this.#plan;
    try {
      const payload = await unpack(entry, codec);
      return new SharedValue<T>(payload, (data) => codec.decode(data), sharing);
    } catch {
      this.#unreadable();
      return undefined;
    }
  }

  #unreadable(): void {
    this.#store.publish({ cache: this.#plan.cache, kind: 'unreadable' });
  }
}

/** A generation that was read, unless it may have changed since. */
function usable(generation: Generation | null | undefined): Generation | undefined {
  return generation?.token === undefined ? undefined : generation;
}
