/** How often it looks, in milliseconds. */
const INTERVAL = 100;
/** How many keys it looks at before it asks whether it is worth going on. */
const SLICE = 500;
/** How many slices it takes at most in a row. */
const MOST_SLICES = 20;

/**
 * Ends keys whose time is over although nobody asks for them. It looks at a bounded number per round, goes on while
 * more than a quarter of a slice was over, and has a timer only while there are keys with a time to live.
 */
export class Sweeper<T> {
  #timer: NodeJS.Timeout | undefined;
  #walk: IterableIterator<T> | undefined;

  constructor(
    private readonly candidates: ReadonlySet<T>,
    private readonly endIfOver: (candidate: T) => boolean,
  ) {}

  start(): void {
    this.#timer ??= setTimeout(() => this.#round(), INTERVAL).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#walk = undefined;
  }

  #round(): void {
    this.#timer = undefined;
    for (let slice = 0; slice < MOST_SLICES; slice += 1) {
      if (this.#sweep() * 4 <= SLICE) break;
    }
    if (this.candidates.size > 0) this.start();
    else this.#walk = undefined;
  }

  /** Looks at one slice, from where the last one stopped. */
  #sweep(): number {
    let over = 0;
    for (let looked = 0; looked < SLICE; looked += 1) {
      this.#walk ??= this.candidates.values();
      const next = this.#walk.next();
      if (next.done === true) {
        this.#walk = undefined;
        break;
      }
      if (this.endIfOver(next.value)) over += 1;
    }
    return over;
  }
}
