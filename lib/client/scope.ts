import type { Duration } from '../core/duration.js';
import { toMilliseconds } from '../core/duration.js';
import { ArgumentError } from '../core/errors.js';
import type { ReadFrom } from '../driver/driver.js';

/** What `with()` sets for all calls made through the client it gives. */
export interface ScopeOptions {
  /** Ends every wait at once, with the signal's reason. Default: none. */
  readonly signal?: AbortSignal;
  /** From a call to its result, all attempts included. Default: the client's `timeouts`. */
  readonly timeout?: Duration;
  /** Who may answer reading commands. Default: `primary`. */
  readonly route?: ReadFrom;
}

/** The scope as calls use it. */
export interface Scope {
  readonly watch: SignalWatch | undefined;
  /** Milliseconds; `undefined` for the client's own. */
  readonly timeout: number | undefined;
  readonly readFrom: ReadFrom;
}

/** What calls have that were made without `with()`. */
export const DEFAULT_SCOPE: Scope = { watch: undefined, timeout: undefined, readFrom: 'primary' };

const ROUTES: readonly string[] = ['primary', 'replica', 'preferReplica'] satisfies ReadFrom[];

/** @returns `base` with what `options` say; each option given replaces that of `base` */
export function narrowScope(base: Scope, options: ScopeOptions): Scope {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError('with() takes an object with signal, timeout or route.', { subject: 'with' });
  }
  const { signal, timeout, route } = options;
  if (route !== undefined && !ROUTES.includes(route)) {
    throw new ArgumentError(`with(): route must be one of ${ROUTES.join(', ')}.`, { subject: 'route' });
  }
  const milliseconds = timeout === undefined ? base.timeout : toMilliseconds(timeout, 'with(): timeout');
  if (milliseconds === 0) throw new ArgumentError('with(): timeout must be longer than 0.', { subject: 'timeout' });
  return {
    watch: signal === undefined ? base.watch : watchOf(signal),
    timeout: milliseconds,
    readFrom: route ?? base.readFrom,
  };
}

/** Something a signal can end. */
export interface Abortable {
  abort(reason: unknown): void;
}

const WATCHES = new WeakMap<AbortSignal, SignalWatch>();

/** Scopes with the same signal share one listener on it. */
function watchOf(signal: AbortSignal): SignalWatch {
  if (!(signal instanceof AbortSignal)) {
    throw new ArgumentError('with(): signal must be an AbortSignal.', { subject: 'signal' });
  }
  let watch = WATCHES.get(signal);
  if (!watch) WATCHES.set(signal, (watch = new SignalWatch(signal)));
  return watch;
}

/** One listener on a signal for everything a scope has under way; none while nothing is. */
export class SignalWatch {
  readonly #signal: AbortSignal;
  readonly #pending = new Set<Abortable>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason;
  }

  add(abortable: Abortable): void {
    if (this.#pending.size === 0) this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#pending.add(abortable);
  }

  remove(abortable: Abortable): void {
    if (this.#pending.delete(abortable) && this.#pending.size === 0) {
      this.#signal.removeEventListener('abort', this.#onAbort);
    }
  }

  readonly #onAbort = (): void => {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const abortable of pending) abortable.abort(this.#signal.reason);
  };
}
