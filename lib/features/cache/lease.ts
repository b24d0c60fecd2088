import { headOf, tailOf, token } from './entry.js';
import type { EntryGenerations } from './entry.js';
import { leaseName } from './names.js';
import type { Packed } from './packing.js';
import type { CacheStore } from './cache-store.js';
import { changeLease, fillEntry, REST, takeLease } from './scripts.js';

/** How long an entry is fresh, and how long it is there, in milliseconds. */
export interface Lifetime {
  readonly fresh: number;
  readonly total: number;
}

/** How a lease is asked for. */
export type Manner = 'polite' | 'urgent' | 'force';

/** What asking for a lease can lead to. */
export type LeaseAnswer =
  | { readonly kind: 'lease'; readonly lease: Lease }
  /** Somebody has written an entry meanwhile. */
  | { readonly kind: 'entry'; readonly raw: string | Buffer }
  /** Somebody else is loading. */
  | { readonly kind: 'busy'; readonly leftMs: number };

/**
 * The right to fill one entry. Whoever evicts the entry takes it away, and so an eviction during a load wins. It is
 * renewed while it is kept; when its holder dies it ends by itself.
 */
export class Lease {
  readonly token: string;
  readonly #store: CacheStore;
  readonly #entry: string;
  readonly #milliseconds: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(store: CacheStore, entry: string, milliseconds: number) {
    this.#store = store;
    this.#entry = entry;
    this.#milliseconds = milliseconds;
    this.token = token();
  }

  /** Asks for it. `seen` is the head of the entry the caller could not use; for `how` see the script. */
  static async take(
    store: CacheStore,
    entry: string,
    milliseconds: number,
    { seen, how, binary }: { readonly seen: string; readonly how: Manner; readonly binary: boolean },
  ): Promise<LeaseAnswer> {
    const lease = new Lease(store, entry, milliseconds);
    const keys = [entry, leaseName(entry)];
    const args = [lease.token, milliseconds, seen, how];
    const sentAt = performance.now();
    const reply = await store.client.run(takeLease, keys, args, { binary });
    const [kind, value, now] = reply as [number, number | string | Buffer, number];
    store.learnTime(entry, now, sentAt);
    if (kind === 0) return { kind: 'entry', raw: value as string | Buffer };
    return kind === 1 ? { kind: 'busy', leftMs: Number(value) } : { kind: 'lease', lease };
  }

  /** Writes over whatever is there, and ends the load of whoever has the lease. */
  static async overwrite(
    store: CacheStore,
    entry: string,
    packed: Packed,
    lifetime: Lifetime,
    generations: EntryGenerations,
  ): Promise<void> {
    await write(store, entry, '', packed, lifetime, generations);
  }

  /** Renews it from now on, three times in its time. */
  keep(): void {
    this.#timer = setInterval(() => {
      // When the store is away it may end; then the value is not stored, and that is all.
      this.#change(this.token, this.#milliseconds).catch(ignore);
    }, this.#milliseconds / 3).unref();
  }

  /** Writes the entry and ends the lease. @returns whether it was still ours */
  async fill(packed: Packed, lifetime: Lifetime, generations: EntryGenerations): Promise<boolean> {
    try {
      return await write(this.#store, this.#entry, this.token, packed, lifetime, generations);
    } finally {
      this.#stop();
    }
  }

  /** Whether it is still ours. */
  async isHeld(): Promise<boolean> {
    return (await this.#store.client.get(leaseName(this.#entry))) === this.token;
  }

  /** Gives it up, so that the next one can try at once. */
  async release(): Promise<void> {
    this.#stop();
    await this.#change(this.token, 0);
  }

  /** Gives it up, but lets nobody try for a while who has a stale value. */
  async rest(milliseconds: number): Promise<void> {
    this.#stop();
    await this.#change(REST, milliseconds);
  }

  #stop(): void {
    clearInterval(this.#timer);
  }

  async #change(to: string, milliseconds: number): Promise<void> {
    await this.#store.client.run(changeLease, [leaseName(this.#entry)], [this.token, to, Math.ceil(milliseconds)]);
  }
}

async function write(
  store: CacheStore,
  entry: string,
  lease: string,
  { format, payload }: Packed,
  { fresh, total }: Lifetime,
  generations: EntryGenerations,
): Promise<boolean> {
  const tail = tailOf(format, generations);
  const args = [lease, headOf(token()), Math.ceil(fresh), Math.ceil(total), tail, payload];
  const sentAt = performance.now();
  const now = Number(await store.client.run(fillEntry, [entry, leaseName(entry)], args));
  if (now === 0) return false;
  store.learnTime(entry, now, sentAt);
  return true;
}

function ignore(): void {
  // See keep().
}
