import type { ValkeyError } from '../core/errors.js';
import type { Observer, Operation } from '../driver/driver.js';
import type { Deadlines, Timed } from './deadlines.js';
import { lateError } from './flight.js';

/** An operation's place in a queue: its deadline holds there too, and whoever ends it frees the place. */
export class Place implements Observer, Timed {
  readonly operation: Operation;
  readonly #deadlines: Deadlines;
  readonly #reason: ValkeyError;
  readonly #onLeave: () => void;
  readonly #since = performance.now();

  /** @param reason what is to blame if the deadline passes here */
  constructor(operation: Operation, deadlines: Deadlines, reason: ValkeyError, onLeave: () => void) {
    this.operation = operation;
    this.#deadlines = deadlines;
    this.#reason = reason;
    this.#onLeave = onLeave;
  }

  get due(): number {
    return this.operation.deadline;
  }

  wait(): void {
    this.operation.observer = this;
    this.#deadlines.add(this);
  }

  leave(): void {
    this.operation.observer = undefined;
    this.#deadlines.remove(this);
    this.#onLeave();
  }

  onDue(): void {
    this.operation.settle({ ok: false, error: lateError(this.operation, this.#since, this.#reason) });
  }

  onOutcome(): false {
    this.leave();
    return false;
  }
}
