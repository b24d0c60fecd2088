import { ArgumentError, ConfigurationError } from '../core/errors.js';
import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { checkEach, checkObject, duration, isWhole, LONGEST_TIMER } from './checks.js';
import type { Checks } from './checks.js';
import { closest, Problems, shown } from './problem.js';

/**
 * How admissions are counted; the guide has the measured worst case of each.
 *
 * - `fixed-window`: a window begins with the first admission; up to twice the limit around its end.
 * - `sliding-window`: the window before counts by the part of it that is still in sight; small and smooth.
 * - `sliding-log`: the time of each admission is kept; exact, and the only one whose memory grows with the limit.
 * - `token-bucket`: the limit flows in evenly, and up to `burst` of it can be saved up.
 */
export type LimitAlgorithm = 'fixed-window' | 'sliding-window' | 'sliding-log' | 'token-bucket';

/** So much in so long: one tier of a limit. */
export interface Limit {
  /** What is admitted in a window. */
  readonly limit: number;
  /** How long a window is, up to 366 days. */
  readonly window: Duration;
  /** How it is counted. Default: `'sliding-window'`. */
  readonly algorithm?: LimitAlgorithm;
  /** What a `token-bucket` holds when it is full. Default: `limit`. Other algorithms refuse it. */
  readonly burst?: number;
  /** Who is refused by this tier stays refused for at least so long. Default: until there is room again. */
  readonly block?: Duration;
  /** What the tier is called in headers, errors and metrics. Default: `'20-per-60s'`, as it may be. */
  readonly name?: string;
}

/** One tier, or several that all have to agree: nobody is counted by one and refused by another. */
export type Limits = Limit | readonly Limit[];

/** A tier as it is counted; times in milliseconds. */
export interface Tier {
  readonly name: string;
  readonly algorithm: LimitAlgorithm;
  readonly limit: number;
  readonly window: number;
  /** The most that can be admitted at once. */
  readonly capacity: number;
  /** 0: none. */
  readonly block: number;
}

export const ALGORITHMS: readonly LimitAlgorithm[] = ['fixed-window', 'sliding-window', 'sliding-log', 'token-bucket'];

const YEAR = 366 * 86_400_000;
/** A log of more is better counted: it is read in part at each decision. */
const LONGEST_LOG = 10_000;
/** More tiers make every decision slow, and nobody can tell what they do together. */
const MOST_TIERS = 8;
const TIER_NAME = /^[\w.-]{1,64}$/;

const CHECKS: Checks<Limit> = {
  limit: (value) => (isWhole(value, 1, 2 ** 40) ? undefined : 'a whole number of at least 1'),
  window: duration(1, YEAR),
  algorithm: (value) =>
    ALGORITHMS.some((each) => each === value) ? undefined : `one of ${ALGORITHMS.join(', ')}${meant(value)}`,
  burst: (value) => (isWhole(value, 1, 2 ** 40) ? undefined : 'a whole number of at least 1'),
  block: duration(1, YEAR),
  name: (value) =>
    typeof value === 'string' && TIER_NAME.test(value)
      ? undefined
      : '1 to 64 letters, digits, dots, hyphens or underscores',
};

/**
 * Checks limits and makes tiers of them.
 *
 * @throws ConfigurationError with everything that is wrong with the limits of `place`
 */
export function resolveLimits(limits: Limits, place: string): readonly Tier[] {
  const problems = new Problems(`The limits of ${place} are wrong:`, (text) => text.replace(/^limits\./, ''));
  const given: readonly unknown[] = Array.isArray(limits) ? limits : [limits];
  if (given.length === 0 || given.length > MOST_TIERS) {
    problems.add('limits', `has ${given.length} tiers: give 1 to ${MOST_TIERS}.`);
  }
  const tiers: Tier[] = [];
  for (const [index, each] of given.entries()) {
    const path = Array.isArray(limits) ? `tier ${index + 1}` : 'limits';
    const tier = resolveTier(each as Limit, path, problems);
    if (tier) tiers.push(tier);
  }
  for (const [index, tier] of tiers.entries()) {
    const twin = tiers.findIndex((other) => other.name === tier.name || counterOf(other) === counterOf(tier));
    if (twin < index) {
      problems.add(
        `tier ${index + 1}`,
        `counts the same as tier ${twin + 1}, or has its name: give it another window, or name both.`,
      );
    }
  }
  problems.throwIfAny();
  return tiers;
}

/** By what a counter is told from the others of a subject; with a changed limit it goes on from what was counted. */
export function counterOf({ name, algorithm, window, limit }: Tier): string {
  const own = name === defaultName(limit, window) ? '' : `:${name}`;
  return `${LETTERS[algorithm]}${window}${own}`;
}

/** What an algorithm is called by the scripts and in names. */
export const LETTERS: Readonly<Record<LimitAlgorithm, string>> = {
  'fixed-window': 'f',
  'sliding-window': 's',
  'sliding-log': 'l',
  'token-bucket': 'b',
};

/**
 * Checks what one call costs.
 *
 * @throws ArgumentError
 */
export function checkCost(cost: number): number {
  if (isWhole(cost, 0, 2 ** 40)) return cost;
  throw new ArgumentError(`The cost of a call is ${shown(cost)}: it must be a whole number of at least 0.`, {
    subject: 'cost',
  });
}

/** What a limiter does unless a call says otherwise. */
export interface RateLimiterOptions {
  /**
   * What decides when the store does not answer: a limiter in this process with the same limits (`local`), everything is
   * admitted (`open`), or nothing (`closed`: VALKEY_RATE_LIMIT_UNAVAILABLE). Default: `'local'`.
   */
  readonly onStoreDown?: 'local' | 'open' | 'closed';
  /** How long a decision of the store is waited for. Default: `'250ms'`. */
  readonly timeout?: Duration;
  /** How many refused subjects are remembered, so that they cost no round trip until their time is over. Default: `10_000`; 0: none. */
  readonly blockList?: number;
}

export interface RateLimiterSettings {
  readonly onStoreDown: 'local' | 'open' | 'closed';
  /** Milliseconds. */
  readonly timeout: number;
  readonly blockList: number;
}

const LIMITER_CHECKS: Checks<RateLimiterOptions> = {
  onStoreDown: (value) =>
    value === 'local' || value === 'open' || value === 'closed' ? undefined : "'local', 'open' or 'closed'",
  timeout: duration(1, LONGEST_TIMER),
  blockList: (value) => (isWhole(value, 0, 2 ** 24) ? undefined : 'a whole number from 0 to 16777216'),
};

/** The options a limiter knows, for those who pass them on among others. */
export const LIMITER_OPTIONS = Object.keys(LIMITER_CHECKS) as readonly (keyof RateLimiterOptions)[];

/**
 * Checks the options of a limiter.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveLimiter(options: RateLimiterOptions = {}): RateLimiterSettings {
  const problems = new Problems('The options of the rate limiter are wrong:');
  if (checkObject(options, LIMITER_OPTIONS, 'rateLimit', problems)) {
    checkEach(options, LIMITER_CHECKS, 'rateLimit', problems);
  }
  problems.throwIfAny();
  const { onStoreDown = 'local', timeout = 250, blockList = 10_000 } = options;
  return { onStoreDown, timeout: toMilliseconds(timeout, 'rateLimit.timeout'), blockList };
}

/** Limits known by name, see {@link limitPresets}. */
export type LimitPreset = 'default' | 'aggressive' | 'relaxed';

const PRESETS: Readonly<Record<LimitPreset, { readonly prefix: string; readonly limit: number }>> = {
  default: { prefix: 'RATE_LIMIT', limit: 500 },
  aggressive: { prefix: 'AGGRESSIVE_RATE_LIMIT', limit: 100 },
  relaxed: { prefix: 'RELAXED_RATE_LIMIT', limit: 1_000 },
};

export const LIMIT_PRESETS = Object.keys(PRESETS) as readonly LimitPreset[];

/** What the environment says about limits. */
export interface LimitEnvironment {
  /** `RATE_LIMIT_ENABLED`. Default: true. */
  readonly enabled: boolean;
  /** From `RATE_LIMIT_MAX` and `RATE_LIMIT_WINDOW_SEC`, and the same after `AGGRESSIVE_` and `RELAXED_`. Defaults: 500, 100, 1000 in 60 s. */
  readonly presets: Readonly<Record<LimitPreset, Limit>>;
}

/**
 * The presets, as the environment changes them.
 *
 * @throws ConfigurationError that names each variable that is wrong
 */
export function limitPresets(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): LimitEnvironment {
  const problems = new Problems('The environment of the rate limits is wrong:');
  const whole = (name: string, most: number, otherwise: number): number => {
    const text = environment[name]?.trim();
    if (text === undefined || text === '') return otherwise;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!isWhole(value, 1, most)) problems.add(name, `is ${shown(text)}: it must be a whole number from 1 to ${most}.`);
    return value;
  };
  const preset = (name: LimitPreset): Limit => {
    const { prefix, limit } = PRESETS[name];
    return {
      limit: whole(`${prefix}_MAX`, 2 ** 40, limit),
      window: whole(`${prefix}_WINDOW_SEC`, YEAR / 1_000, 60) * 1_000,
      name,
    };
  };
  const presets = { default: preset('default'), aggressive: preset('aggressive'), relaxed: preset('relaxed') };
  const switched = environment['RATE_LIMIT_ENABLED']?.trim().toLowerCase() ?? '';
  if (!['', 'true', 'false'].includes(switched)) {
    problems.add('RATE_LIMIT_ENABLED', `is ${shown(switched)}: it must be true or false.`);
  }
  problems.throwIfAny();
  return { enabled: switched !== 'false', presets };
}

/**
 * The limits of a plan.
 *
 * @throws ConfigurationError for one that is not among `plans`
 */
export function planLimits(plans: Readonly<Record<string, Limits>>, plan: string, place: string): Limits {
  const limits = Object.hasOwn(plans, plan) ? plans[plan] : undefined;
  if (limits) return limits;
  throw new ConfigurationError(
    `${place} knows no plan ${shown(plan)}. Known: ${Object.keys(plans).join(', ')}. Name one of them, or add it to plans.`,
    { subject: place },
  );
}

function resolveTier(given: Limit, path: string, problems: Problems): Tier | undefined {
  if (!checkObject(given, Object.keys(CHECKS), path, problems)) return undefined;
  for (const name of ['limit', 'window'] as const) {
    if (given[name] === undefined)
      problems.add(`${path}.${name}`, 'is missing: a limit is so much (limit) in so long (window).');
  }
  if (!checkEach(given, CHECKS, path, problems) || given.limit === undefined || given.window === undefined)
    return undefined;
  const { limit, algorithm = 'sliding-window', burst = limit } = given;
  const window = toMilliseconds(given.window, `${path}.window`);
  if (given.burst !== undefined && algorithm !== 'token-bucket') {
    problems.add(`${path}.burst`, `is for algorithm 'token-bucket' only, this tier has '${algorithm}'.`);
  }
  if (algorithm === 'sliding-log' && limit > LONGEST_LOG) {
    problems.add(
      `${path}.limit`,
      `is ${limit}: a sliding-log keeps each admission, up to ${LONGEST_LOG}. Take 'sliding-window'.`,
    );
  }
  if (Math.max(limit, burst) * window > Number.MAX_SAFE_INTEGER / 4) {
    problems.add(
      `${path}.limit`,
      `is too large for a window of ${window} ms to be counted exactly: take a shorter one.`,
    );
  }
  const name = given.name ?? defaultName(limit, window);
  const block = given.block === undefined ? 0 : toMilliseconds(given.block, `${path}.block`);
  return { name, algorithm, limit, window, capacity: burst, block };
}

function defaultName(limit: number, window: number): string {
  return `${limit}-per-${window % 1_000 === 0 ? `${window / 1_000}s` : `${window}ms`}`;
}

function meant(value: unknown): string {
  const name = typeof value === 'string' ? closest(value, ALGORITHMS) : undefined;
  return name === undefined ? '' : ` (did you mean '${name}'?)`;
}
