/** Milliseconds between two looks at the clock: how late a deadline can be noticed. */
const GRAIN = 5;
/** A look that comes so many grains late was held up by this process itself. */
const STALL = 4;
/** Looks at an empty clock before the timer is stopped. */
const IDLE_LOOKS = 200;

/** Something that has to be over at a certain moment. */
export interface Timed {
  /** The moment, in milliseconds of `performance.now()`. */
  readonly due: number;
  /** Called once the moment has passed. */
  onDue(now: number): void;
}

/**
 * One timer for every deadline of a client: a timer per command would cost more than the command. What is due sooner
 * than the next look waits for that look.
 */
export class Deadlines {
  readonly #buckets = new Map<number, Set<Timed>>();
  #timer: NodeJS.Timeout | undefined;
  #lastBucket = 0;
  #emptyLooks = 0;

  add(timed: Timed): void {
    if (timed.due === Infinity) return;
    if (!this.#timer) this.#start();
    // What is due already waits for the next look, together with what is due then anyway.
    const index = Math.max(bucketOf(timed.due), this.#lastBucket + 1);
    const bucket = this.#buckets.get(index);
    if (bucket) bucket.add(timed);
    else this.#buckets.set(index, new Set([timed]));
  }

  remove(timed: Timed): void {
    this.#buckets.get(bucketOf(timed.due))?.delete(timed);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#buckets.clear();
  }

  #start(): void {
    this.#lastBucket = bucketOf(performance.now()) - 1;
    this.#timer = setInterval(() => this.#tick(), GRAIN).unref();
  }

  /**
   * Timers run before sockets are read. After a pause of this process answers may be waiting there that came in time: they
   * are heard first.
   */
  #tick(): void {
    const late = Math.floor(performance.now() / GRAIN) - this.#lastBucket;
    if (late <= STALL) this.#look();
    else setImmediate(() => this.#timer && this.#look());
  }

  #look(): void {
    const now = performance.now();
    const current = Math.floor(now / GRAIN);
    for (let index = this.#lastBucket + 1; index <= current; index += 1) {
      const bucket = this.#buckets.get(index);
      if (!bucket) continue;
      this.#buckets.delete(index);
      for (const timed of bucket) timed.onDue(now);
    }
    this.#lastBucket = current;
    this.#stopWhenIdle();
  }

  #stopWhenIdle(): void {
    this.#emptyLooks = this.#buckets.size === 0 ? this.#emptyLooks + 1 : 0;
    if (this.#emptyLooks < IDLE_LOOKS) return;
    this.#emptyLooks = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function bucketOf(due: number): number {
  return Math.ceil(due / GRAIN);
}
