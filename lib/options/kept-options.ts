import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { checkEach, checkGiven, checkObject, duration } from './checks.js';
import type { Checks } from './checks.js';
import { Problems } from './problem.js';

/** Where something comes from, and how long it is kept. */
export interface KeptOptions {
  readonly load: (...args: never[]) => unknown;
  readonly ttl?: Duration;
  readonly unknownTtl?: Duration | false;
}

/** Times in milliseconds. */
export interface KeptSettings {
  readonly ttl: number;
  readonly unknownTtl: number | false;
}

const CHECKS: Checks<KeptOptions> = {
  load: (value) => (typeof value === 'function' ? undefined : 'a function'),
  ttl: duration(1),
  unknownTtl: (value) => (value === false ? undefined : duration(1)(value)),
};

/**
 * Checks what is kept of `what`; what is left out is as in `base`.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveKept(options: KeptOptions, base: KeptSettings, what: string): KeptSettings {
  const problems = new Problems(`The options of the ${what} are wrong:`);
  if (checkObject(options, Object.keys(CHECKS), 'options', problems)) {
    checkGiven(options, ['load'], 'options', problems);
    checkEach(options, CHECKS, 'options', problems);
  }
  problems.throwIfAny();
  const { ttl, unknownTtl } = options;
  return {
    ttl: ttl === undefined ? base.ttl : toMilliseconds(ttl, 'ttl'),
    unknownTtl:
      unknownTtl === undefined || unknownTtl === false
        ? (unknownTtl ?? base.unknownTtl)
        : toMilliseconds(unknownTtl, 'unknownTtl'),
  };
}
