/** How long somebody is ready to wait: until a moment, or until a signal fires. Costs nothing until it is waited for. */
export class Patience {
  /** Whether there was any from the beginning. */
  readonly isGiven: boolean;
  readonly #deadline: number;
  readonly #signals: readonly AbortSignal[];
  readonly #onEnd = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Begins now, for so many milliseconds. */
  constructor(milliseconds: number, signals: readonly (AbortSignal | undefined)[]) {
    this.isGiven = milliseconds > 0;
    this.#deadline = performance.now() + milliseconds;
    this.#signals = signals.filter((signal) => signal !== undefined);
  }

  /** Milliseconds left. */
  get left(): number {
    return this.isAborted ? 0 : Math.max(0, this.#deadline - performance.now());
  }

  /** Whether a signal has fired. */
  get isAborted(): boolean {
    return this.#signals.some(({ aborted }) => aborted);
  }

  /** What comes of `work`, or `undefined` as soon as a signal fires; it is not waited for then. */
  untilAborted<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        for (const signal of this.#signals) signal.removeEventListener('abort', end);
        resolve(undefined);
      };
      for (const signal of this.#signals) signal.addEventListener('abort', end);
      work.then(resolve, reject).finally(end);
    });
  }

  /** Calls `listener` once, when it is over; the function it gives ends that. */
  onEnd(listener: () => void): () => void {
    if (this.left === 0) {
      listener();
      return () => undefined;
    }
    if (this.#onEnd.size === 0) this.#begin();
    this.#onEnd.add(listener);
    return () => {
      this.#onEnd.delete(listener);
      if (this.#onEnd.size === 0) this.#stop();
    };
  }

  #begin(): void {
    this.#wait();
    for (const signal of this.#signals) signal.addEventListener('abort', this.#end, { once: true });
  }

  /** Timers may fire a moment early: who is told that it is over must not find anything left, and wait once more. */
  #wait(): void {
    const due = (): void => (this.left > 0 ? this.#wait() : this.#end());
    this.#timer = setTimeout(due, Math.ceil(this.left));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#end);
  }

  readonly #end = (): void => {
    this.#stop();
    const listeners = [...this.#onEnd];
    this.#onEnd.clear();
    for (const listener of listeners) listener();
  };
}
