import type { ExecutionContext } from '@nestjs/common';
import { checkObject, isObject } from '../../options/checks.js';
import type { Check } from '../../options/checks.js';
import { LIMITER_OPTIONS, limitPresets, resolveLimiter } from '../../options/limit-options.js';
import type { Limit, LimitPreset, RateLimiterOptions } from '../../options/limit-options.js';
import { Problems } from '../../options/problem.js';
import { isAFunction, isFlag } from '../cache/decorator-checks.js';
import type { RateLimitHeaders, RateLimitModuleOptions, RateLimitRefusal } from './rate-limit-options.js';
import { checkValues, LIMITING, ruleOf } from './rate-limit-rules.js';
import type { Given } from './rate-limit-rules.js';
import type { Rule } from './rule.js';

/** What `rateLimit` of a registration says, checked. */
export interface LimitSettings {
  readonly limiter: RateLimiterOptions;
  readonly isEnabled: boolean;
  readonly presets: Readonly<Record<LimitPreset, Limit>>;
  readonly headers: Required<RateLimitHeaders>;
  readonly error: ((refusal: RateLimitRefusal) => Error) | undefined;
  readonly request: ((context: ExecutionContext) => object | undefined) | undefined;
  /** For handlers without a decorator. */
  readonly fallback: Rule | undefined;
}

/** The counters of the default; whatever handler it is. */
const DEFAULT_NAME = 'global';

const CHECKS: Readonly<Record<string, Check>> = {
  ...LIMITING,
  enabled: isFlag,
  request: isAFunction,
  limits: (value) => (isObject(value) || Array.isArray(value) ? undefined : 'a limit, or a list of tiers'),
};

/**
 * Checks `rateLimit` of the client `client`, and the variables it rests on.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveLimitSettings(options: RateLimitModuleOptions = {}, client: string): LimitSettings {
  const problems = new Problems('The options of rateLimit are wrong:');
  const isThere = checkObject(options, [...LIMITER_OPTIONS, ...Object.keys(CHECKS)], 'rateLimit', problems);
  if (isThere) checkDefault(options, problems);
  problems.throwIfAny();
  const limiter = Object.fromEntries(
    LIMITER_OPTIONS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as RateLimiterOptions;
  resolveLimiter(limiter);
  const { enabled, presets } = limitPresets();
  const { headers, error, request } = options;
  return {
    limiter,
    isEnabled: options.enabled ?? enabled,
    presets,
    headers: headers === false ? { standard: false, legacy: false } : { standard: true, legacy: false, ...headers },
    error,
    request,
    fallback: defaultRule(options, client),
  };
}

function checkDefault(options: RateLimitModuleOptions, problems: Problems): void {
  checkValues(options as Given, CHECKS, problems);
  const { limits, preset, by, skip } = options;
  if (limits !== undefined && preset !== undefined) {
    problems.add(
      'rateLimit',
      'has limits and preset: both say how much handlers without a decorator admit. Leave one out.',
    );
  }
  if (limits !== undefined || preset !== undefined) return;
  for (const [name, value] of Object.entries({ by, skip })) {
    if (value === undefined) continue;
    problems.add(
      `rateLimit.${name}`,
      'is for handlers without a decorator: give limits or a preset for them beside it.',
    );
  }
}

function defaultRule({ limits, preset, by, skip }: RateLimitModuleOptions, client: string): Rule | undefined {
  if (limits === undefined && preset === undefined) return undefined;
  const tiers = limits === undefined || Array.isArray(limits) ? limits : [limits];
  const rule = ruleOf({ tiers, preset, by, skip, client }, 'rateLimit', DEFAULT_NAME);
  return { ...rule, isNamed: true };
}
