import { toMilliseconds } from '../../core/duration.js';
import { CALL_OPTIONS, checkMethodOptions } from '../../options/cache-options.js';
import type { Duration } from '../../core/duration.js';
import type { CacheSettings, CacheTimes } from '../../options/cache-settings.js';
import type { LoadOptions } from './load-options.js';
import type { Lifetime } from './lease.js';

/** Everything one load needs to know, complete. Times in milliseconds. */
export interface LoadPlan<T> extends CacheTimes {
  readonly ttlOf: ((value: T) => number) | undefined;
  /** Known before the load. */
  readonly tags: () => readonly string[];
  /** Known from the result only. */
  readonly tagsFrom: ((value: T) => readonly string[]) | undefined;
  readonly unless: ((value: T) => boolean) | undefined;
  readonly staleOn: (error: unknown) => boolean;
}

/** What of a plan depends on the arguments of one call. */
export interface CallParts<T> {
  readonly ttl?: (value: T) => Duration;
  readonly tags?: () => readonly string[];
  readonly tagsFrom?: (value: T) => readonly string[];
  readonly unless?: (value: T) => boolean;
}

/** The plan of one call. */
export function withParts<T>(plan: LoadPlan<T>, { ttl, tags, tagsFrom, unless }: CallParts<T>): LoadPlan<T> {
  return {
    ...plan,
    ttlOf: ttl ? (value) => toMilliseconds(ttl(value), 'ttl') : plan.ttlOf,
    tags: tags ?? plan.tags,
    tagsFrom: tagsFrom ?? plan.tagsFrom,
    unless: unless ?? plan.unless,
  };
}

/** Fills what a call leaves out with what its cache does. */
export function planOf<T>(settings: CacheSettings, options: LoadOptions<T>): LoadPlan<T> {
  checkMethodOptions('a call', options, CALL_OPTIONS, BESIDE);
  const { ttl, tags, tagsFrom, unless, staleOn = isNoRefusal } = options;
  const time = (name: TimeName): number => {
    const given = options[name];
    return given === undefined ? settings[name] : toMilliseconds(given, name);
  };
  const { nullTtl = settings.nullTtl } = options;
  return {
    ttl: typeof ttl === 'function' || ttl === undefined ? settings.ttl : toMilliseconds(ttl, 'ttl'),
    ttlOf: typeof ttl === 'function' ? (value) => toMilliseconds(ttl(value), 'ttl') : undefined,
    jitter: options.jitter ?? settings.jitter,
    nullTtl: nullTtl === false || nullTtl === undefined ? nullTtl : toMilliseconds(nullTtl, 'nullTtl'),
    staleFor: time('staleFor'),
    staleRetry: time('staleRetry'),
    refreshAhead: time('refreshAhead'),
    softTimeout: time('softTimeout'),
    hardTimeout: time('hardTimeout'),
    tags: typeof tags === 'function' ? tags : () => tags ?? NONE,
    tagsFrom,
    unless,
    staleOn,
  };
}

/** How long a value may be kept; `undefined` for not at all. */
export function lifetimeOf<T>(plan: LoadPlan<T>, value: T): Lifetime | undefined {
  if (plan.unless?.(value) === true) return undefined;
  const isNothing = value === null || value === undefined;
  if (isNothing && plan.nullTtl === false) return undefined;
  const ttl = isNothing && plan.nullTtl !== undefined ? (plan.nullTtl as number) : (plan.ttlOf?.(value) ?? plan.ttl);
  const fresh = ttl * (1 - plan.jitter * Math.random());
  return fresh >= 1 ? { fresh, total: fresh + plan.staleFor } : undefined;
}

const isFunction = (value: unknown): string | undefined => (typeof value === 'function' ? undefined : 'a function');

/** What a call has besides: each check tells what was expected. */
const BESIDE = {
  tags: (value: unknown): string | undefined =>
    typeof value === 'function' || (Array.isArray(value) && value.every((tag) => typeof tag === 'string' && tag !== ''))
      ? undefined
      : 'a list of tags, or a function that gives one',
  tagsFrom: isFunction,
  unless: isFunction,
  staleOn: isFunction,
  mode: (value: unknown): string | undefined =>
    value === 'use' || value === 'bypass' || value === 'refresh' ? undefined : "'use', 'bypass' or 'refresh'",
};

type TimeName = 'staleFor' | 'staleRetry' | 'refreshAhead' | 'softTimeout' | 'hardTimeout';

const NONE: readonly string[] = [];

/** Somebody who is told that what he asks for is not there, or not his, must not get what was there before. */
export function isNoRefusal(error: unknown): boolean {
  const { status, statusCode, getStatus } = Object(error) as Record<string, unknown>;
  const code: unknown =
    typeof getStatus === 'function' ? (error as { getStatus(): unknown }).getStatus() : (status ?? statusCode);
  return !(typeof code === 'number' && code >= 400 && code < 500);
}
