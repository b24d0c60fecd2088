import { setMaxListeners } from 'node:events';
import { DeadlineError } from '../../core/errors.js';
import { outerSignal } from './signal.js';

const CURE = 'Raise its timeout, or look at what it waits for.';

/** One call through a policy, from its start to its end: what it waits for ends when its deadline passes. */
export class Call {
  /** Why the last attempt came to nothing. */
  setback: unknown;
  /** Ends, and never fails, when the attempt that runs has really ended; `undefined` while none does. */
  running: Promise<void> | undefined;
  readonly #controller = new AbortController();
  readonly #outer = outerSignal();
  readonly #over: Promise<never>;
  readonly #timer: NodeJS.Timeout | undefined;
  #late = false;

  constructor(name: string, timeout: number | undefined) {
    const { signal } = this.#controller;
    // Any number of calls inside this one listen to it; Node would take eleven for a leak.
    setMaxListeners(0, signal);
    this.#over = new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    // Nothing may wait at the moment it fires.
    this.#over.catch(() => undefined);
    if (this.#outer?.aborted === true) this.#onOuterAbort();
    this.#outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    if (timeout === undefined) return;
    this.#timer = setTimeout(() => {
      this.#late = true;
      this.#controller.abort(new DeadlineError(name, timeout, this.setback, CURE));
    }, timeout);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What ended it early: its own deadline, or that of the call around it, where nobody waits any more. */
  get over(): 'late' | 'abandoned' | undefined {
    if (!this.signal.aborted) return undefined;
    return this.#late ? 'late' : 'abandoned';
  }

  /** The same as `promise`, unless the call is over first; what comes of the promise then is nobody's concern. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#over, promise]);
  }

  /** Waits for an attempt. It runs on when the call is over, as only its own code can stop it. */
  async run<T>(attempt: Promise<T>): Promise<T> {
    const running = Promise.allSettled([attempt]).then(() => {
      if (this.running === running) this.running = undefined;
    });
    this.running = running;
    return this.wait(attempt);
  }

  async pause(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    try {
      await this.wait(passed);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of its timer and of the call around it. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  readonly #onOuterAbort = (): void => this.#controller.abort(this.#outer?.reason);
}
