import { CircuitState } from 'cockatiel';
import type { IBreaker } from 'cockatiel';

/** Parts a window slides by: its edge is exact to a tenth of its length. */
const PARTS = 10;

/** What happened in one part of the window. */
interface Tally {
  /** Which part of time it is, counted from the origin of the clock. */
  readonly part: number;
  successes: number;
  failures: number;
}

/**
 * Opens a circuit when, of the attempts within a sliding window, too great a share has failed. cockatiel's own
 * SamplingBreaker takes a rate per second instead of a least number, and after a quiet time still counts what left its
 * window long ago, because each call moves it on by one part at the most.
 */
export class RatioBreaker implements IBreaker {
  readonly #ratio: number;
  readonly #part: number;
  readonly #minimum: number;
  readonly #now: () => number;
  #tallies: Tally[] = [];

  constructor(ratio: number, window: number, minimum: number, now: () => number = () => performance.now()) {
    this.#ratio = ratio;
    this.#part = window / PARTS;
    this.#minimum = minimum;
    this.#now = now;
  }

  get state(): unknown {
    return this.#tallies;
  }

  set state(tallies: unknown) {
    this.#tallies = tallies as Tally[];
  }

  /** A probe that succeeds begins a new account: what was before the circuit opened would open it again. */
  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.#tallies = [];
    this.#current().successes += 1;
  }

  failure(): boolean {
    this.#current().failures += 1;
    let [total, failures] = [0, 0];
    for (const tally of this.#tallies) {
      total += tally.successes + tally.failures;
      failures += tally.failures;
    }
    return total >= this.#minimum && failures >= this.#ratio * total;
  }

  /** The tally of this moment; those that have left the window are gone. */
  #current(): Tally {
    const part = Math.floor(this.#now() / this.#part);
    const last = this.#tallies.at(-1);
    if (last?.part === part) return last;
    const tally: Tally = { part, successes: 0, failures: 0 };
    this.#tallies = [...this.#tallies.filter((old) => old.part > part - PARTS), tally];
    return tally;
  }
}
