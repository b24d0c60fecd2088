import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type { CacheClient } from '../../client/cache-client.js';
import { toMilliseconds } from '../../core/duration.js';
import type { Duration } from '../../core/duration.js';
import { ArgumentError, ClientClosedError, codeOf, isValkeyError, LockNotAcquiredError } from '../../core/errors.js';
import type { ErrorCode } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { LockEvent } from '../../core/events.js';
import { slotOf } from '../../core/slot.js';
import { resolveLock } from '../../options/lock-options.js';
import type { LockOptions, LockSettings } from '../../options/lock-options.js';
import { setFenced } from './lock-scripts.js';
import { lockName, remembered, ServerLockStore } from './lock-store.js';
import type { LockStore } from './lock-store.js';
import { LockWatch } from './lock-watch.js';
import { Acquisition } from './acquisition.js';
import type { Acquired, Wanted } from './acquisition.js';
import { Lock } from './lock.js';
import type { Ended, Terms } from './lock.js';
import { Patience } from './patience.js';
import { QuorumLockStore } from './quorum-lock-store.js';
import { Turns } from './turns.js';

/** How one lock is asked for. */
export interface AcquireOptions extends LockOptions {
  /** Ends the wait; the call rejects with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

const current = new AsyncLocalStorage<Lock>();

/**
 * The lock this code runs under, inside of `using()` and `@Locked()`; `undefined` elsewhere. Hand its signal to whatever
 * can stop early, and its fencing token to the resource.
 */
export function currentLock(): Lock | undefined {
  return current.getStore();
}

/**
 * Locks that all processes share. A lock ends when it is released, or after its ttl when its holder has died; it is
 * extended while it is held. It keeps two from working at the same time; what may never happen twice needs the fencing
 * token as well.
 *
 * @example
 * ```ts
 * constructor(@Inject(LOCK_SERVICE) private readonly locks: LockService) {}
 *
 * ship(id: string): Promise<void> {
 *   return this.locks.using(`order:${id}`, (lock) => this.carrier.ship(id, { signal: lock.signal }));
 * }
 * ```
 */
export class LockService {
  readonly #client: CacheClient;
  readonly #store: LockStore;
  readonly #settings: LockSettings;
  readonly #watch: LockWatch;
  readonly #turns = new Turns();
  readonly #held = new Set<Lock>();
  readonly #attempts = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  /**
   * Over the server or cluster of one client; or, given several, over a majority of their independent servers.
   *
   * @throws ConfigurationError with everything that is wrong
   */
  constructor(clients: CacheClient | readonly CacheClient[], options: LockOptions = {}) {
    this.#settings = resolveLock(options);
    const several = Array.isArray(clients) ? (clients as readonly CacheClient[]) : undefined;
    this.#store = several ? new QuorumLockStore(several) : new ServerLockStore(clients as CacheClient);
    this.#client = several ? (several[0] as CacheClient) : (clients as CacheClient);
    this.#watch = new LockWatch(this.#store);
    // Everybody who waits listens to it, however many there are.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Waits for a lock, or for several, which are taken in one order everywhere so that nobody waits for ever. Rejects with
   * a {@link LockNotAcquiredError} when `wait` is over, and with the client's error when the store does not answer.
   */
  async acquire(names: string | readonly string[], options: AcquireOptions = {}): Promise<Lock> {
    const { signal, ...own } = options;
    checkSignal(signal);
    const settings = resolveLock(own, this.#settings);
    const wanted = wantedNames(names);
    const refuse = (): void => {
      signal?.throwIfAborted();
      if (this.#closing.signal.aborted) throw new ClientClosedError('lock');
    };
    refuse();
    const startedAt = performance.now();
    const patience = new Patience(settings.wait, [signal, this.#closing.signal]);
    const told = (kind: 'acquired' | 'not-acquired' | 'failed', code?: ErrorCode): number => {
      const waitedMs = performance.now() - startedAt;
      this.#publish({ kind, waitedMs, code });
      return waitedMs;
    };
    let lock: Lock | undefined;
    try {
      lock = await patience.untilAborted(this.#attempt({ ...settings, store: this.#store }, wanted, patience));
    } catch (error) {
      told('failed', codeOf(error));
      throw error;
    }
    if (!lock || patience.isAborted) {
      const waitedMs = told('not-acquired');
      await lock?.release();
      refuse();
      throw new LockNotAcquiredError(Math.round(waitedMs));
    }
    told('acquired');
    // This process may have been paused since the lock was had.
    lock.ensureHeld();
    return lock;
  }

  /** The lock if nobody holds it, else `undefined`; waits only if `wait` is given. */
  async tryAcquire(names: string | readonly string[], options: AcquireOptions = {}): Promise<Lock | undefined> {
    try {
      return await this.acquire(names, { ...options, wait: options.wait ?? 0 });
    } catch (error) {
      if (isValkeyError(error, 'VALKEY_LOCK_NOT_ACQUIRED')) return undefined;
      throw error;
    }
  }

  /**
   * Runs `work` while a lock is held, and gives it back in any case.
   *
   * @throws LockLostError when it was lost meanwhile, whatever `work` gave: somebody else may have worked at the same time.
   * What `work` throws comes first.
   */
  async using<T>(
    names: string | readonly string[],
    work: (lock: Lock) => T | PromiseLike<T>,
    options: AcquireOptions = {},
  ): Promise<Awaited<T>> {
    const lock = await this.acquire(names, options);
    try {
      const result = await current.run(lock, work, lock);
      lock.ensureHeld();
      await lock.release();
      // Giving it back may show that somebody else had it.
      lock.throwIfLost();
      return result;
    } finally {
      await lock.release();
    }
  }

  /** See {@link Lock.extend}. */
  extend(lock: Lock, ttl?: Duration): Promise<void> {
    return lock.extend(ttl);
  }

  /** See {@link Lock.release}. */
  release(lock: Lock): Promise<boolean> {
    return lock.release();
  }

  /**
   * Writes a value that only the newest holder may write: refuses a fencing token that is older than one it has seen
   * under this key. What was seen is kept as long as the value, for a day at least. With a quorum it writes on this
   * client's own server.
   *
   * @returns whether it was written
   */
  async setFenced(
    key: string,
    value: string | Buffer,
    fencingToken: number,
    options: { /** Default: for ever. */ readonly ttl?: Duration } = {},
  ): Promise<boolean> {
    if (!Number.isSafeInteger(fencingToken) || fencingToken < 0) {
      throw new ArgumentError('The fencing token must be the number a lock has given.', { subject: 'fencingToken' });
    }
    const ttl = options.ttl === undefined ? 0 : toMilliseconds(options.ttl, 'ttl');
    const args = [fencingToken, value, ttl, remembered(ttl)];
    return (await this.#client.run(setFenced, [key, markOf(key, this.#client.keyPrefix)], args)) === 1;
  }

  /**
   * Gives back every lock that is held, whose signals fire, and ends every wait with a ClientClosedError. The client stays
   * open.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watch.close();
    const held = Array.from(this.#held, (lock) => lock.revoke('the LockService was closed'));
    // What is taken just now is given back as well.
    await Promise.allSettled([...held, ...this.#attempts]);
  }

  #attempt(terms: Terms, wanted: readonly Wanted[], patience: Patience): Promise<Lock | undefined> {
    const attempt = this.#take(terms, wanted, patience);
    this.#attempts.add(attempt);
    const over = (): boolean => this.#attempts.delete(attempt);
    attempt.then(over, over);
    return attempt;
  }

  async #take(terms: Terms, wanted: readonly Wanted[], patience: Patience): Promise<Lock | undefined> {
    const acquired = await new Acquisition(terms, patience, this.#watch, this.#turns).takeAll(wanted);
    const lock = acquired && this.#hold(terms, acquired);
    if (!patience.isAborted) return lock;
    // Nobody waits for it any more.
    await lock?.release();
    return undefined;
  }

  #hold(terms: Terms, { holdings, validUntil }: Acquired): Lock {
    const ended: Ended = (kind, heldMs, error) => {
      this.#held.delete(lock);
      this.#publish({ kind, heldMs, code: codeOf(error) });
    };
    const lock = new Lock(terms, holdings, validUntil, ended);
    this.#held.add(lock);
    return lock;
  }

  #publish(event: LockNews): void {
    if (events.lock.active) events.lock.publish({ ...this.#store.identity, ...event });
  }
}

type LockNews = LockEvent extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'client' | 'clientId'>
    : never
  : never;

function wantedNames(names: string | readonly string[]): readonly Wanted[] {
  const given = Array.isArray(names) ? [...new Set(names as readonly string[])] : [names as string];
  if (given.length === 0) throw new ArgumentError('Give at least one name to lock.', { subject: 'lock' });
  return given.map((name) => ({ name, stored: lockName(name) }));
}

/** Where the highest fencing token of a key is remembered: in its slot. */
function markOf(key: string, prefix: string): string {
  const slot = slotOf(prefix + key);
  const mark = [`${key}!fence`, `{${prefix}${key}}!fence`].find((each) => slotOf(prefix + each) === slot);
  if (mark !== undefined) return mark;
  throw new ArgumentError(
    'The key has braces that are no hash tag. Take another one: its fencing token has to share its slot.',
    { subject: 'key' },
  );
}

function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new ArgumentError('signal must be an AbortSignal.', { subject: 'signal' });
}
