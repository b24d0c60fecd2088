import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { CircuitBreakerPolicy, IBackoff } from 'cockatiel';
import type { BreakerState } from '../core/events.js';
import type { Settings } from '../options/settings.js';
import { RatioBreaker } from './ratio-breaker.js';

/** States in cockatiel's words, and in ours. */
export const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'isolated',
};

/** The circuit `settings` ask for. Failures for which `counts` says no are none to it. */
export function breakerOf(
  settings: NonNullable<Settings['breaker']>,
  counts: (error: unknown) => boolean,
): CircuitBreakerPolicy {
  const breaker =
    'ratio' in settings
      ? new RatioBreaker(settings.ratio, settings.window, settings.minimum)
      : new ConsecutiveBreaker(settings.failures);
  return circuitBreaker(handleWhen(counts), { breaker, halfOpenAfter: new Rest(settings.halfOpenAfter) });
}

/**
 * How long a circuit stays open, by a clock nobody can set. cockatiel compares `duration` with what has passed by the
 * time of day: a clock that is set back by an hour would keep the circuit open for an hour.
 */
class Rest implements IBackoff<unknown> {
  readonly #milliseconds: number;
  readonly #over: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.#over = performance.now() + milliseconds;
  }

  get duration(): number {
    return performance.now() < this.#over ? Infinity : -Infinity;
  }

  /** Asked for whenever the circuit opens. */
  next(): Rest {
    return new Rest(this.#milliseconds);
  }
}
