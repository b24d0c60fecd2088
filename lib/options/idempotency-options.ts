import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { checkEach, checkObject, duration, isWhole, LONGEST_TIMER } from './checks.js';
import type { Checks } from './checks.js';
import { Problems } from './problem.js';

/** How work is done once. */
export interface IdempotencyOptions {
  /** How long a result is kept, and the work not done again. Default: `'24h'`. */
  readonly ttl?: Duration;
  /**
   * How long a claim outlives a process that died at the work: after that a retry does it. Renewed three times in it while
   * the work goes on. Default: `'10s'`.
   */
  readonly lease?: Duration;
  /** The largest result that is kept, in bytes as it is written; for a larger one only that it was done. Default: `1_048_576` (1 MiB). */
  readonly maxBytes?: number;
  /**
   * When the store does not answer: the work is refused with VALKEY_IDEMPOTENCY_UNAVAILABLE (`refuse`), or done without
   * protection (`run`). Default: `'refuse'`.
   */
  readonly onStoreDown?: 'refuse' | 'run';
}

/** Times in milliseconds. */
export interface IdempotencySettings {
  readonly ttl: number;
  readonly lease: number;
  readonly maxBytes: number;
  readonly onStoreDown: 'refuse' | 'run';
}

const DEFAULTS: IdempotencySettings = { ttl: 86_400_000, lease: 10_000, maxBytes: 1_048_576, onStoreDown: 'refuse' };

/** Of each option, for those who take them among others. */
export const IDEMPOTENCY_CHECKS: Checks<IdempotencyOptions> = {
  ttl: duration(1_000),
  lease: duration(100, LONGEST_TIMER),
  maxBytes: (value) => (isWhole(value, 0, 2 ** 29) ? undefined : 'a whole number of bytes from 0 to 536870912'),
  onStoreDown: (value) => (value === 'refuse' || value === 'run' ? undefined : "'refuse' or 'run'"),
};

/**
 * Checks options; what is left out is as in `base`.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveIdempotency(
  options: IdempotencyOptions = {},
  base: IdempotencySettings = DEFAULTS,
  path = 'idempotency',
): IdempotencySettings {
  const problems = new Problems('The options of idempotency are wrong:');
  if (checkObject(options, Object.keys(IDEMPOTENCY_CHECKS), path, problems)) {
    checkEach(options, IDEMPOTENCY_CHECKS, path, problems);
  }
  problems.throwIfAny();
  const { ttl, lease, maxBytes = base.maxBytes, onStoreDown = base.onStoreDown } = options;
  return {
    ttl: ttl === undefined ? base.ttl : toMilliseconds(ttl, `${path}.ttl`),
    lease: lease === undefined ? base.lease : toMilliseconds(lease, `${path}.lease`),
    maxBytes,
    onStoreDown,
  };
}
