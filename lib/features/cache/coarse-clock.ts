/** Milliseconds by which it may be behind, while the event loop is free. */
export const GRAIN = 5;
/** Turns without anybody asking after which it stands still. */
const IDLE_TURNS = 200;

/**
 * `performance.now()`, read by a timer instead of at each question: reading the clock can cost as much as all the rest of
 * a hit in this process. It runs only while somebody asks.
 */
class CoarseClock {
  #now = 0;
  #idleTurns = 0;
  #timer: NodeJS.Timeout | undefined;

  now(): number {
    this.#idleTurns = 0;
    if (!this.#timer) this.#start();
    return this.#now;
  }

  #start(): void {
    this.#now = performance.now();
    this.#timer = setInterval(() => {
      this.#now = performance.now();
      this.#idleTurns += 1;
      if (this.#idleTurns <= IDLE_TURNS) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, GRAIN).unref();
  }
}

/** One for the whole process. */
export const coarseClock = new CoarseClock();
