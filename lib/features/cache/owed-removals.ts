import type { CacheClient } from '../../client/cache-client.js';
import { isValkeyError } from '../../core/errors.js';

/** A removal that is owed. Safe to repeat, and to make late: at worst something is loaded once more. */
export type Removal = () => Promise<void>;

/** Removals that are remembered; with more, everything is removed instead. */
const MOST = 10_000;

/** Milliseconds between attempts, if nothing is heard of the store meanwhile. */
const PAUSE = 1_000;

/** Removals at once, when the store takes them again. */
const AT_ONCE = 128;

/**
 * What the store could not be told to remove while it was away, by calls that went on nevertheless. It is told as soon as
 * it is back, unless this process ends before.
 */
export class OwedRemovals {
  readonly #client: CacheClient;
  readonly #owed = new Map<string, Removal>();
  #isPaying = false;

  constructor(client: CacheClient) {
    this.#client = client;
  }

  /** What bears the same name is made once. `everything` is owed instead where there are too many to remember. */
  add(name: string, removal: Removal, everything: () => Iterable<readonly [string, Removal]>): void {
    if (this.#owed.size >= MOST && !this.#owed.has(name)) {
      this.#owed.clear();
      for (const [each, all] of everything()) this.#owed.set(each, all);
    }
    this.#owed.set(name, removal);
    if (!this.#isPaying) void this.#payUntilNone();
  }

  async #payUntilNone(): Promise<void> {
    this.#isPaying = true;
    let wake = (): void => undefined;
    const stop = this.#client.onStatus(() => wake());
    while (this.#owed.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PAUSE).unref();
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      await this.#payAll();
    }
    stop();
    this.#isPaying = false;
  }

  async #payAll(): Promise<void> {
    const owed = [...this.#owed];
    for (let next = 0; next < owed.length; next += AT_ONCE) {
      const paid = await Promise.all(owed.slice(next, next + AT_ONCE).map((each) => this.#pay(...each)));
      if (!paid.includes(true)) return;
    }
  }

  /** Whether the store has taken it. */
  async #pay(name: string, removal: Removal): Promise<boolean> {
    if (this.#owed.get(name) !== removal) return false;
    try {
      await removal();
    } catch (error) {
      // The application ends: nobody is left to tell the store.
      if (isValkeyError(error, 'VALKEY_CLIENT_CLOSED')) this.#owed.clear();
      if (this.#owed.get(name) !== removal) return false;
      this.#owed.delete(name);
      // Another time, after those that may belong to a node that is back already.
      if (isOwed(error)) this.#owed.set(name, removal);
      return false;
    }
    // It may be owed again since.
    if (this.#owed.get(name) === removal) this.#owed.delete(name);
    return true;
  }
}

/** Whether it makes sense to try again: what the server refuses it will refuse tomorrow. */
export function isOwed(error: unknown): boolean {
  return isValkeyError(error) && error.code !== 'VALKEY_REPLY' && error.code !== 'VALKEY_CLIENT_CLOSED';
}
