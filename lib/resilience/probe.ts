import type { Deadlines, Timed } from './deadlines.js';

/** The one attempt a half-open circuit lets through, as far as others have to wait for it. */
export class Probe implements Timed {
  readonly due: number;
  readonly #deadlines: Deadlines;
  readonly #onSilent: () => void;
  #isGivenUp = false;

  /** @param onSilent called if it has had no outcome for `patience` milliseconds; the attempt itself goes on */
  constructor(deadlines: Deadlines, patience: number, onSilent: () => void) {
    this.due = performance.now() + patience;
    this.#deadlines = deadlines;
    this.#onSilent = onSilent;
    deadlines.add(this);
  }

  /** Whether it counts as failed though nobody knows yet how it ends. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  onDue(): void {
    this.#isGivenUp = true;
    this.#onSilent();
  }

  /** It is over. */
  end(): void {
    this.#deadlines.remove(this);
  }
}
