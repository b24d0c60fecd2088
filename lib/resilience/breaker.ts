import { ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import type { Settings } from '../options/settings.js';
import { RatioBreaker } from './ratio-breaker.js';

/** The circuit `settings` ask for. Failures for which `counts` says no are none to it. */
export function breakerOf(
  settings: NonNullable<Settings['breaker']>,
  counts: (error: unknown) => boolean,
): CircuitBreakerPolicy {
  const breaker =
    'ratio' in settings
      ? new RatioBreaker(settings.ratio, settings.window, settings.minimum)
      : new ConsecutiveBreaker(settings.failures);
  return circuitBreaker(handleWhen(counts), { breaker, halfOpenAfter: settings.halfOpenAfter });
}
