import { AsyncResource } from 'node:async_hooks';
import type { CacheClient } from '../../client/cache-client.js';
import { isValkeyError, ReplyError } from '../../core/errors.js';

/** A removal that may be owed. Safe to repeat, and to make late: at worst something is loaded once more. */
export interface Removal {
  /** The same for what removes the same. */
  readonly name: string;
  readonly make: () => Promise<void>;
  /** What removes it among others, where there are too many to remember. */
  readonly whole?: Removal;
}

/** Removals that are remembered. */
const MOST = 10_000;

/** Milliseconds between attempts, if nothing is heard of the store meanwhile. */
const PAUSE = 1_000;

/** Removals at once, when the store takes them again. */
const AT_ONCE = 128;

/** So often in a row nothing is taken before the next pause. */
const FRUITLESS = 8;

/**
 * What the store could not be told to remove while it was away, by calls that went on nevertheless. It is told as soon as
 * it is back, unless this process ends before.
 */
export class OwedRemovals {
  readonly #client: CacheClient;
  readonly #owed = new Map<string, Removal>();
  /** In nobody's context: the first one to owe something must not be kept for as long as the store is away. */
  readonly #begin: () => void;
  #isPaying = false;

  constructor(client: CacheClient) {
    this.#client = client;
    this.#begin = AsyncResource.bind(() => void this.#payUntilNone());
  }

  /** Makes it later, in the context of now; what bears the same name once. */
  add({ name, make, whole }: Removal): void {
    if (this.#owed.size >= MOST && !this.#owed.has(name)) this.#makeRoom();
    this.#owed.set(name, { name, make: AsyncResource.bind(make), ...(whole && { whole }) });
    if (!this.#isPaying) this.#begin();
  }

  #makeRoom(): void {
    for (const [name, { whole }] of [...this.#owed]) {
      if (!whole) continue;
      this.#owed.delete(name);
      this.#owed.set(whole.name, whole);
    }
    const [oldest] = this.#owed.keys();
    if (this.#owed.size >= MOST && oldest !== undefined) this.#owed.delete(oldest);
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
    const owed = [...this.#owed.values()];
    let fruitless = 0;
    for (let next = 0; next < owed.length && fruitless < FRUITLESS; next += AT_ONCE) {
      const paid = await Promise.all(owed.slice(next, next + AT_ONCE).map((each) => this.#pay(each)));
      fruitless = paid.includes(true) ? 0 : fruitless + 1;
    }
  }

  /** Whether the store has taken it. */
  async #pay(removal: Removal): Promise<boolean> {
    const { name, make } = removal;
    // It may be owed again since: then that is made.
    const isOwed = (): boolean => this.#owed.get(name) === removal;
    if (!isOwed()) return false;
    try {
      await make();
    } catch (error) {
      // The application ends: nobody is left to tell the store.
      if (isValkeyError(error, 'VALKEY_CLIENT_CLOSED')) this.#owed.clear();
      if (!isOwed()) return false;
      this.#owed.delete(name);
      // Another time, after those that may belong to a node that is back already.
      if (mayBeOwed(error)) this.#owed.set(name, removal);
      return false;
    }
    if (isOwed()) this.#owed.delete(name);
    return true;
  }
}

/** Whether it makes sense to try again: what the server refuses it will refuse tomorrow, but for want of a disk. */
export function mayBeOwed(error: unknown): boolean {
  if (!isValkeyError(error) || error.code === 'VALKEY_CLIENT_CLOSED') return false;
  return error.code !== 'VALKEY_REPLY' || (error instanceof ReplyError && error.kind === 'MISCONF');
}
