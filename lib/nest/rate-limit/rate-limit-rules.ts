import { toMilliseconds } from '../../core/duration.js';
import type { Duration } from '../../core/duration.js';
import { checkObject, duration, isObject, isWhole, LONGEST_TIMER } from '../../options/checks.js';
import type { Check } from '../../options/checks.js';
import { LIMIT_PRESETS, resolveLimits } from '../../options/limit-options.js';
import type { Limit, LimitPreset, Limits } from '../../options/limit-options.js';
import { Problems, shown } from '../../options/problem.js';
import { isAFunction, isFlag } from '../cache/decorator-checks.js';
import type { Callable } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import type { RateLimitHeaders } from './rate-limit-options.js';
import type { By, LimitSource, Rule } from './rule.js';

/** Options of a decorator as they come, whatever their types. */
export type Given = Readonly<Record<string, unknown>>;

const TIER = ['limit', 'window', 'algorithm', 'burst', 'block'] as const;
const NAME = /^[\w.-]{1,128}$/;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const MINUTE = 60_000;
const BYS: ReadonlySet<unknown> = new Set(['ip', 'user', 'tenant', 'global']);

/** The ways to say how much is admitted, by what they are told by. */
const CHOICES = ['limit', 'tiers', 'preset', 'plans', 'limits'] as const;

const isPreset: Check = (value) =>
  LIMIT_PRESETS.some((preset) => preset === value) ? undefined : `one of ${LIMIT_PRESETS.join(', ')}`;

/** What decorators and the module have in common. */
export const LIMITING: Readonly<Record<'by' | 'skip' | 'headers' | 'error' | 'preset', Check>> = {
  by: (value) => (isBy(value) ? undefined : "'ip', 'user', 'tenant', 'global', { header: 'x-api-key' } or a function"),
  skip: isAFunction,
  error: isAFunction,
  preset: isPreset,
  headers: (value) =>
    value === false || isHeaders(value) ? undefined : 'false or { standard?: boolean, legacy?: boolean }',
};

const CHECKS: Readonly<Record<string, Check>> = {
  ...LIMITING,
  name: (value) =>
    typeof value === 'string' && NAME.test(value)
      ? undefined
      : '1 to 128 letters, digits, dots, hyphens or underscores',
  client: (value) => (typeof value === 'string' && value !== '' ? undefined : 'the name of a client'),
  cost: (value) =>
    isFunction(value) || isWhole(value, 0, 2 ** 40) ? undefined : 'a whole number of at least 0, or a function',
  plan: isAFunction,
  plans: (value) =>
    isObject(value) && Object.keys(value).length > 0 ? undefined : 'an object with the limits of each plan',
  tiers: (value) => (Array.isArray(value) ? undefined : 'a list of tiers'),
  limits: (value) => (isFunction(value) || isObject(value) ? undefined : 'a function, or { load, key?, ttl? }'),
};

const LOADED: Readonly<Record<string, Check>> = {
  load: isAFunction,
  key: isAFunction,
  ttl: duration(1, LONGEST_TIMER),
};

const KNOWN = [...new Set([...CHOICES, ...TIER, ...Object.keys(CHECKS)])];

/**
 * Checks the options of a decorator on `place`, whose counters are called `name` unless they say otherwise.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function ruleOf(options: Given, place: string, name: string): Rule {
  const problems = new Problems(`The rate limit of ${place} is wrong:`, (text) => text.replaceAll('options.', ''));
  if (checkObject(options, KNOWN, 'options', problems)) {
    checkValues(options, CHECKS, problems);
    checkChoice(options, problems);
  }
  problems.throwIfAny();
  const rule: Rule = {
    place,
    name: (options['name'] as string | undefined) ?? name,
    isNamed: options['name'] !== undefined,
    client: (options['client'] as string | undefined) ?? 'default',
    by: readBy(options['by']),
    source: sourceOf(options),
    cost: (options['cost'] as number | Callable | undefined) ?? 1,
    skip: options['skip'] as Callable | undefined,
    headers: options['headers'] as RateLimitHeaders | false | undefined,
    error: options['error'] as Rule['error'],
  };
  checkLimits(rule, problems);
  problems.throwIfAny();
  return rule;
}

/** Looks at what is given, one option at a time. */
export function checkValues(given: Given, checks: Readonly<Record<string, Check>>, problems: Problems): void {
  for (const [name, check] of Object.entries(checks)) {
    const value = given[name];
    const expected = value === undefined ? undefined : check(value);
    if (expected !== undefined) problems.add(name, `is ${shown(value)}: it must be ${expected}.`);
  }
}

/** Headers have no case, and Node's are in lower case. */
export function readBy(by: unknown): By | undefined {
  if (!isObject(by)) return by as By | undefined;
  return { header: (by as { readonly header: string }).header.toLowerCase() };
}

/**
 * Adds what is wrong with the limits of a rule, as far as they are known, and whether its cost ever fits them.
 *
 * `presets` are those of the environment; without them, limits that are presets are known to be well and not looked at.
 */
export function checkLimits(
  { place, source, cost }: Rule,
  problems: Problems,
  presets?: Readonly<Record<LimitPreset, Limit>>,
): void {
  for (const [which, limits] of knownLimits(source, presets)) {
    const where = which === '' ? place : `${place}, ${which}`;
    const capacity = Math.min(...resolveLimits(limits, where).map((tier) => tier.capacity));
    if (typeof cost !== 'number' || cost <= capacity) continue;
    problems.add(
      which === '' ? 'cost' : `cost (${which})`,
      `is ${cost}, but never more than ${capacity} are admitted at once: lower it, or raise the limit.`,
    );
  }
}

function knownLimits(
  source: LimitSource,
  presets: Readonly<Record<LimitPreset, Limit>> | undefined,
): readonly (readonly [string, Limits])[] {
  switch (source.kind) {
    case 'fixed':
      return [['', source.limits]];
    case 'plans':
      return Object.entries(source.plans).map(([plan, limits]) => [`plan ${shown(plan)}`, limits]);
    case 'preset':
      return presets ? [[`preset ${source.preset}`, presets[source.preset]]] : [];
    case 'asked':
    case 'loaded':
      return [];
  }
}

function checkChoice(given: Given, problems: Problems): void {
  const isGiven = (name: string): boolean => given[name] !== undefined;
  const chosen = CHOICES.filter(isGiven);
  const [choice] = chosen;
  if (choice === undefined || chosen.length > 1) {
    const found = choice === undefined ? 'are missing' : `are said ${chosen.length} times (${chosen.join(', ')})`;
    problems.add('the limits', `${found}: give one of limit (with window), tiers, preset, plans (with plan), limits.`);
  }
  const stray = TIER.filter((name) => name !== 'limit' && isGiven(name));
  if (choice !== undefined && choice !== 'limit' && stray.length > 0) {
    problems.add(
      stray.join(', '),
      `belongs to a single limit: write it into each tier instead, or leave out ${choice}.`,
    );
  }
  if (isGiven('plans') !== isGiven('plan')) {
    problems.add('plan', 'and plans belong together: plans has the limits by name, plan is a function that names one.');
  }
  const { limits } = given;
  if (isObject(limits)) {
    if (checkObject(limits, Object.keys(LOADED), 'limits', problems)) checkValues(limits as Given, LOADED, problems);
    if ((limits as Given)['load'] === undefined) problems.add('limits.load', 'is missing: it fetches the limits.');
  }
}

function sourceOf(given: Given): LimitSource {
  const { tiers, preset, plans, limits } = given;
  if (preset !== undefined) return { kind: 'preset', preset: preset as LimitPreset };
  if (plans !== undefined) {
    // A copy: what is added later was never checked.
    return {
      kind: 'plans',
      plans: { ...(plans as Readonly<Record<string, Limits>>) },
      plan: given['plan'] as Callable,
    };
  }
  if (isFunction(limits)) return { kind: 'asked', limits };
  if (limits !== undefined) {
    const { load, key, ttl } = limits as { load: Callable; key?: Callable; ttl?: Duration };
    return { kind: 'loaded', load, key, ttl: toMilliseconds(ttl ?? MINUTE, 'limits.ttl') };
  }
  if (tiers !== undefined) return { kind: 'fixed', limits: tiers as Limits };
  const single = TIER.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]));
  return { kind: 'fixed', limits: Object.fromEntries(single) as unknown as Limit };
}

function isBy(value: unknown): boolean {
  if (isFunction(value) || BYS.has(value)) return true;
  if (!isObject(value)) return false;
  const { header, ...others } = value as { readonly header?: unknown };
  return typeof header === 'string' && HEADER_NAME.test(header) && Object.keys(others).length === 0;
}

function isHeaders(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(
    ([name, flag]) => (name === 'standard' || name === 'legacy') && (flag === undefined || isFlag(flag) === undefined),
  );
}
