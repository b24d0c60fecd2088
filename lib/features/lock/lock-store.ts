import type { CacheClient } from '../../client/cache-client.js';
import { isValkeyError } from '../../core/errors.js';
import type { ClientIdentity } from '../../core/events.js';
import { storedName } from '../../core/stored-name.js';
import { extendLock, releaseLock, takeLock } from './lock-scripts.js';

const LOCKS = 'lock:';
/** Where the last fencing token of a lock is. */
const FENCES = 'lock-fence:';
/** Where a mark is while somebody waits. Only these are heard about: a lock nobody waits for makes no news. */
const AWAITED = 'lock-awaited:';
/** How long a fencing token is remembered after its lock was taken; later ones grow with the time. */
const REMEMBERED = 86_400_000;
/** How long a mark lasts; who still waits then makes a new one. Milliseconds. */
const MARKED = 60_000;

/** What came of asking for a lock. */
export type Taken =
  | { readonly isTaken: true; readonly fence: number }
  /** Milliseconds the holder has left, as far as it is known. */
  | { readonly isTaken: false; readonly left: number | undefined };

/** Where locks are kept. */
export interface LockStore {
  readonly identity: ClientIdentity;
  /** Up to so many milliseconds after the same news those who wait should ask, so that they do not hinder each other. */
  readonly spread: number;
  /**
   * Rejects when it cannot be known whether the lock was taken.
   * @param isAwaited - whether to tell, by {@link LockStore.listen}, when it is free
   */
  take(name: string, token: string, milliseconds: number, isAwaited: boolean): Promise<Taken>;
  /** @returns whether it is still ours */
  extend(name: string, token: string, milliseconds: number): Promise<boolean>;
  /** @returns whether it was still ours; true also where that cannot be known any more */
  release(name: string, token: string): Promise<boolean>;
  /** Tells the name of an awaited lock that may be free, `undefined` for any; the function it gives ends that. */
  listen(freed: (name: string | undefined) => void): () => void;
}

/** Locks on the server, or the cluster, of one client. */
export class ServerLockStore implements LockStore {
  readonly spread = 0;

  constructor(readonly client: CacheClient) {}

  get identity(): ClientIdentity {
    return this.client.identity;
  }

  async take(name: string, token: string, milliseconds: number, isAwaited: boolean): Promise<Taken> {
    const keys = [keyOf(LOCKS, name), keyOf(FENCES, name), keyOf(AWAITED, name)];
    const args = [token, milliseconds, remembered(milliseconds), isAwaited ? MARKED : 0];
    const [taken, figure] = await this.client.run<readonly [number, number]>(takeLock, keys, args);
    if (taken === 1) return { isTaken: true, fence: figure };
    return { isTaken: false, left: figure < 0 ? undefined : figure };
  }

  async extend(name: string, token: string, milliseconds: number): Promise<boolean> {
    return (await this.client.run(extendLock, [keyOf(LOCKS, name)], [token, milliseconds])) === 1;
  }

  async release(name: string, token: string): Promise<boolean> {
    const giveBack = (): Promise<unknown> =>
      this.client.run(releaseLock, [keyOf(LOCKS, name), keyOf(AWAITED, name)], [token, MARKED]);
    try {
      return (await giveBack()) === 1;
    } catch (error) {
      if (!isValkeyError(error, 'VALKEY_OUTCOME_UNKNOWN')) throw error;
      // What this says is about both: a lock that is gone may have been given back by the first.
      await giveBack();
      return true;
    }
  }

  listen(freed: (name: string | undefined) => void): () => void {
    return this.client.track(AWAITED, {
      changed: (key) => freed(nameOf(key)),
      // Something may have been missed until now.
      covered: (isCovered) => isCovered && freed(undefined),
    });
  }
}

/** The name as it is stored: itself, or its hash when it is long. */
export function lockName(name: string): string {
  return storedName(name, 'The name of a lock');
}

/** A lock and its last fencing token. */
export function lockKeys(name: string): readonly [lock: string, fence: string] {
  return [keyOf(LOCKS, name), keyOf(FENCES, name)];
}

/** How long a fencing token is remembered, in milliseconds. */
export function remembered(milliseconds: number): number {
  return Math.max(REMEMBERED, 10 * milliseconds);
}

/** The braces make all keys of a lock share a slot, whatever its name is. */
function keyOf(root: string, name: string): string {
  return `${root}{:${name}}`;
}

function nameOf(awaited: string): string {
  return awaited.slice(AWAITED.length + 2, -1);
}
