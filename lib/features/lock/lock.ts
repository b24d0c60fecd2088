import type { Duration } from '../../core/duration.js';
import { LockLostError } from '../../core/errors.js';
import { lockTime } from '../../options/lock-options.js';
import type { LockStore } from './lock-store.js';

/** A name that is held. */
export interface Holding {
  /** As it was given. */
  readonly name: string;
  /** As it is stored. */
  readonly stored: string;
  /** Tells the holder from others. */
  readonly token: string;
  readonly fence: number;
}

/** How a lock is held. */
export interface Terms {
  readonly store: LockStore;
  /** Milliseconds. */
  readonly ttl: number;
  readonly extend: boolean;
  /** The part of the ttl that may be lost to drifting clocks. */
  readonly drift: number;
}

/** What to tell about the end of a lock. */
export type Ended = (kind: 'released' | 'lost' | 'release-failed', heldMs: number, error?: unknown) => void;

const GONE = 'somebody deleted it, or it had run out';

/**
 * A lock that is held: until it is released, or its signal fires.
 *
 * @example
 * ```ts
 * const lock = await locks.acquire(`order:${id}`);
 * try {
 *   await ship(id, { signal: lock.signal, fence: lock.fencingToken });
 * } finally {
 *   await lock.release();
 * }
 * ```
 */
export class Lock {
  readonly #terms: Terms;
  readonly #holdings: readonly Holding[];
  readonly #since = performance.now();
  readonly #ended: Ended;
  #validUntil: number;
  #ttl: number;
  #timer: NodeJS.Timeout | undefined;
  #extending: Promise<void> = Promise.resolve();
  #releasing: Promise<boolean> | undefined;
  #loss: LockLostError | undefined;
  /** Made when it is first looked at: most never are. */
  #controller: AbortController | undefined;

  /** @internal Made by `LockService`. `validUntil` is by `performance.now()`. */
  constructor(terms: Terms, holdings: readonly Holding[], validUntil: number, ended: Ended) {
    this.#terms = terms;
    this.#holdings = holdings;
    this.#validUntil = validUntil;
    this.#ttl = terms.ttl;
    this.#ended = ended;
    this.#schedule();
  }

  /** What is locked. */
  get names(): readonly string[] {
    return this.#holdings.map(({ name }) => name);
  }

  /**
   * Grows with every holder of the lock: hand it to the resource, so that it can refuse whoever comes late with an older
   * one. Of several names that of the first; see {@link Lock.fencingTokenOf}.
   */
  get fencingToken(): number {
    return (this.#holdings[0] as Holding).fence;
  }

  /** The fencing token of one of several names; `undefined` for what is not locked here. */
  fencingTokenOf(name: string): number | undefined {
    return this.#holdings.find((holding) => holding.name === name)?.fence;
  }

  /** Fires with a {@link LockLostError} when the lock is not ours any more, though it was not released. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#loss) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  /** Whether it is ours, as far as this process can know without asking. */
  get isHeld(): boolean {
    return this.remaining > 0;
  }

  /** Milliseconds for which it is certainly ours if it is not extended; 0 when it was released or lost. */
  get remaining(): number {
    if (this.#releasing || this.#loss) return 0;
    return Math.max(0, this.#validUntil - performance.now());
  }

  /**
   * Makes it last for `ttl` from now on, by default as long as when it was taken; it is extended by so much from then on.
   * Not needed while it is extended by itself. Rejects when the store did not answer; the lock may hold nevertheless, see
   * {@link Lock.isHeld}.
   *
   * @throws LockLostError when it is not ours any more
   */
  extend(ttl: Duration = this.#terms.ttl): Promise<void> {
    const milliseconds = lockTime(ttl);
    // One after another: the store has to end up with what is believed here.
    const extended = this.#extending.then(() => this.#extend(milliseconds));
    this.#extending = extended.catch(() => undefined);
    return extended;
  }

  /**
   * Does nothing while it is ours.
   *
   * @throws LockLostError when it is not any more
   */
  ensureHeld(): void {
    // A process that was paused gets here before its timers do.
    if (performance.now() >= this.#validUntil) this.#lose('its time was over before it was extended');
    this.throwIfLost();
    if (this.#releasing) throw new LockLostError('it was released');
  }

  /** @internal Throws when it was lost; not when it was released. */
  throwIfLost(): void {
    if (this.#loss) throw this.#loss;
  }

  /**
   * Gives it back. Never rejects: when the store does not answer, the lock ends by itself. Fires the signal if it turns out
   * that it was lost.
   *
   * @returns whether it was still ours
   */
  release(): Promise<boolean> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  /** @internal Gives it back while its holder may still be at work, who hears of it. */
  async revoke(reason: string): Promise<void> {
    const released = this.release();
    this.#fire(reason);
    await released;
  }

  async #extend(milliseconds: number): Promise<void> {
    this.ensureHeld();
    const startedAt = performance.now();
    const { store, drift } = this.#terms;
    const answers = await Promise.all(
      this.#holdings.map(({ stored, token }) => store.extend(stored, token, milliseconds)),
    );
    if (answers.includes(false)) this.#lose(GONE);
    this.ensureHeld();
    this.#ttl = milliseconds;
    this.#validUntil = startedAt + validity(milliseconds, drift);
    this.#schedule();
  }

  async #release(): Promise<boolean> {
    clearTimeout(this.#timer);
    const wasLost = this.#loss !== undefined;
    try {
      const answers = await Promise.all(
        this.#holdings.map(({ stored, token }) => this.#terms.store.release(stored, token)),
      );
      const wasOurs = !answers.includes(false);
      if (!wasLost && wasOurs) this.#tell('released');
      // It was not, though nobody had noticed.
      if (!wasLost && !wasOurs) this.#tell('lost', this.#fire(GONE));
      return wasOurs;
    } catch (error) {
      if (!wasLost) this.#tell('release-failed', error);
      return false;
    }
  }

  /** The next time something has to be done: to extend it, or to say that it has run out. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#releasing || this.#loss) return;
    const left = this.#validUntil - performance.now();
    const next = this.#terms.extend ? Math.min(left, this.#ttl / 3) : left;
    this.#timer = setTimeout(() => void this.#attend(), Math.max(0, next)).unref();
  }

  async #attend(): Promise<void> {
    if (performance.now() >= this.#validUntil) {
      this.#lose('its time was over before it was extended');
      return;
    }
    if (!this.#terms.extend) {
      this.#schedule();
      return;
    }
    // While it is tried its time may run out: that is not waited for.
    const end = setTimeout(
      () => this.#lose('its time was over before the store answered'),
      this.#validUntil - performance.now(),
    ).unref();
    try {
      await this.extend(this.#ttl);
    } catch {
      // Lost, which has been told; or the store is away, and it is tried again as long as the lock is ours.
      this.#schedule();
    } finally {
      clearTimeout(end);
    }
  }

  #lose(reason: string): void {
    if (this.#releasing || this.#loss) return;
    clearTimeout(this.#timer);
    this.#tell('lost', this.#fire(reason));
  }

  #fire(reason: string): LockLostError {
    const error = new LockLostError(reason);
    // The first reason stays.
    this.#loss ??= error;
    this.#controller?.abort(error);
    return error;
  }

  #tell(kind: 'released' | 'lost' | 'release-failed', error?: unknown): void {
    this.#ended(kind, performance.now() - this.#since, error);
  }
}

/** For how many milliseconds a lock is certainly ours, from the moment on it was asked for. */
export function validity(ttl: number, drift: number): number {
  // Two for the clocks' own grain.
  return ttl - ttl * drift - 2;
}
