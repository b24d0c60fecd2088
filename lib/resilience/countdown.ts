import type { Observer, Operation } from '../driver/driver.js';
import type { Deadlines, Timed } from './deadlines.js';
import { lateError } from './flight.js';

/** Gives an operation that flies under no policy its deadline all the same. */
export function countDown(operation: Operation, deadlines: Deadlines): void {
  const countdown = new Countdown(operation, deadlines);
  operation.observer = countdown;
  deadlines.add(countdown);
}

class Countdown implements Observer, Timed {
  readonly #operation: Operation;
  readonly #deadlines: Deadlines;
  readonly #startedAt = performance.now();

  constructor(operation: Operation, deadlines: Deadlines) {
    this.#operation = operation;
    this.#deadlines = deadlines;
  }

  get due(): number {
    return this.#operation.deadline;
  }

  onDue(): void {
    this.#operation.settle({ ok: false, error: lateError(this.#operation, this.#startedAt) });
  }

  onOutcome(): false {
    this.#deadlines.remove(this);
    return false;
  }
}
