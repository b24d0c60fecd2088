import { ValkeyError } from '../../core/errors.js';
import type { BulkheadSettings } from '../../options/settings.js';
import type { Call } from './call.js';

/** How many calls of one policy may run, and how many wait their turn, first come first served. */
export class Slots {
  readonly #name: string;
  readonly #inFlight: number;
  readonly #queue: number;
  readonly #waiting = new Set<Waiter>();
  #taken = 0;

  constructor(name: string, { inFlight, queue }: BulkheadSettings) {
    this.#name = name;
    this.#inFlight = inFlight;
    this.#queue = queue;
  }

  /** Ends when there is a slot, which is then the caller's until {@link release}. */
  async take(call: Call): Promise<void> {
    if (this.#taken < this.#inFlight) {
      this.#taken += 1;
      return;
    }
    if (this.#waiting.size >= this.#queue) throw this.#fullError();
    const { signal } = call;
    const admitted = new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        end: (refusal) => {
          this.#waiting.delete(waiter);
          signal.removeEventListener('abort', leave);
          if (refusal) reject(refusal);
          else resolve();
        },
      };
      // Not where the wait ends: until that runs the slot could be given to one who has left.
      const leave = (): void => void this.#waiting.delete(waiter);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiter);
    });
    await call.wait(admitted);
  }

  /** Hands the slot to whoever has waited longest; a newcomer cannot come in between. */
  release(): void {
    const [first] = this.#waiting;
    if (first) first.end();
    else this.#taken -= 1;
  }

  /** Ends what waits: behind an open circuit waiting is of no use. */
  refuse(refusal: ValkeyError): void {
    for (const waiter of [...this.#waiting]) waiter.end(refusal);
  }

  #fullError(): ValkeyError {
    return new ValkeyError(
      'VALKEY_QUEUE_FULL',
      `${this.#name} has ${this.#inFlight} calls under way and ${this.#queue} waiting; this one was not begun. Call it less at once, or raise bulkhead.inFlight or bulkhead.queue.`,
      { subject: this.#name },
    );
  }
}

/** A call that waits for its slot. */
interface Waiter {
  /** It has its slot, or never will. */
  end(refusal?: ValkeyError): void;
}
