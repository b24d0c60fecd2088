import { coarseClock, GRAIN } from './coarse-clock.js';
import { headOf } from './entry.js';
import type { Entry } from './entry.js';
import type { Generation } from './generations.js';
import { NearStore } from './near-store.js';
import type { NearBounds, Reservation } from './near-store.js';
import type { SharedValue } from './shared-value.js';

/** What an entry takes beside its key and value: the object, its generations, its places in the maps. */
const OVERHEAD = 700;
const BYTES_PER_CHARACTER = 2;

/** An entry in this process. */
export interface NearEntry {
  readonly value: SharedValue<unknown>;
  /** Head of the stored entry. */
  readonly seen: string;
  /** When it stops being fresh, by `performance.now()`. */
  readonly until: number;
  /** Those it was found valid by: it is as long as none of them has changed. */
  readonly generations: readonly Generation[];
  /** Resolved with the value, where all takers get the same one: a hit then makes no promise of its own. */
  readonly promise: Promise<unknown> | undefined;
}

/** Entries of one cache in this process, by key. */
export class NearEntries {
  readonly #store: NearStore<NearEntry>;

  constructor(bounds: NearBounds) {
    this.#store = new NearStore(bounds);
  }

  get size(): number {
    return this.#store.size;
  }

  get bytes(): number {
    return this.#store.bytes;
  }

  cover(covered: boolean): void {
    if (covered) this.#store.open();
    else this.#store.close();
  }

  /** An entry that is fresh and of the present generations. */
  get(key: string): NearEntry | undefined {
    const entry = this.#store.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > coarseClock.now() && isCurrent(entry)) return entry;
    this.#store.drop(key);
    return undefined;
  }

  reserve(key: string): Reservation | undefined {
    return this.#store.reserve(key);
  }

  release(reservation: Reservation | undefined): void {
    this.#store.release(reservation);
  }

  /** Keeps a fresh entry for as long as it is fresh, which is never longer than the server keeps it. */
  admit(
    reservation: Reservation | undefined,
    { id, tags }: Entry,
    value: SharedValue<unknown>,
    leftMs: number,
    generations: readonly Generation[],
  ): void {
    // An entry whose generations change unnoticed would be kept for as long as it is fresh.
    if (!reservation || !generations.every(({ isWatched }) => isWatched)) return;
    const near: NearEntry = {
      value,
      seen: headOf(id),
      // The clock hits are judged by may be behind.
      until: performance.now() + leftMs - GRAIN,
      generations,
      promise: value.isOne ? Promise.resolve(value.take()) : undefined,
    };
    const bytes = OVERHEAD + reservation.name.length * BYTES_PER_CHARACTER + value.bytes + tags.length * 100;
    if (isCurrent(near)) this.#store.admit(reservation, near, bytes);
  }

  /** @returns whether it was kept */
  drop(key: string): boolean {
    return this.#store.drop(key);
  }

  clear(): void {
    this.#store.clear();
  }
}

function isCurrent({ generations }: NearEntry): boolean {
  for (const { token } of generations) if (token === undefined) return false;
  return true;
}
