import type { Codec } from '../core/codec/codec.js';
import { typedJson } from '../core/codec/typed-json.js';
import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import type { CacheSettings, CachingSettings } from './cache-settings.js';
import { checkEach, checkObject, duration, isNumber, isObject, isWhole, LONGEST_TIMER } from './checks.js';
import type { Check, Checks } from './checks.js';
import { Problems, shown } from './problem.js';

/** How much of a cache is kept in this process. */
export interface NearOptions {
  /** Default: `10_000`. */
  readonly maxEntries?: number;
  /** As counted: what is stored, three times over for parsed objects, and 700 bytes for each entry. Default: `33_554_432` (32 MiB). */
  readonly maxBytes?: number;
}

/** What a cache does unless a call says otherwise. */
export interface CacheOptions {
  /** How long an entry is fresh. Default: `'5m'`. */
  readonly ttl?: Duration;
  /** By which part, 0 to 1, a ttl is shortened at random at the most. Default: `0`. */
  readonly jitter?: number;
  /** How long after its ttl an entry may stand in for a load that fails or is slow. Default: `0`, it may not. */
  readonly staleFor?: Duration;
  /** After a failed load that a stale value stood in for, no other is tried for this long. Default: `'1s'`. */
  readonly staleRetry?: Duration;
  /** A hit this close to the end of its ttl is refreshed in the background. Default: `0`, none is. */
  readonly refreshAhead?: Duration;
  /** A loader that takes longer gives way to a stale value, if there is one. Default: none. */
  readonly softTimeout?: Duration;
  /** A loader that takes longer has failed with `VALKEY_LOAD_TIMEOUT`; nobody waits longer for another's. Default: `'30s'`. */
  readonly hardTimeout?: Duration;
  /** The ttl of null and undefined; `false`: they are not stored. Default: as of any other value. */
  readonly nullTtl?: Duration | false;
  /** Part of every key, letters and digits: with another one the cache is cold. Default: `1`. */
  readonly version?: string | number;
  /** How long the others wait for a process that died while it loaded. Renewed while it lives. Default: `'2s'`. */
  readonly lease?: Duration;
  /** How values are written. Default: typed JSON. */
  readonly codec?: Codec;
  /** Bytes of an encoded value from which on it is compressed; `false`: never. Default: `false`. */
  readonly compressAbove?: number | false;
  /** What is kept in this process too, kept true by the server; `false`: nothing. Default: 10 000 entries, 32 MiB. */
  readonly near?: boolean | NearOptions;
  /** Whether hits share one frozen value, or get a copy each. Default: `'frozen'`. */
  readonly share?: 'frozen' | 'copy';
}

/** What all caches of a client do, and what some do differently. */
export interface CachingOptions extends CacheOptions {
  /** Options of single caches, by name; what they leave out is as beside them. Default: none. */
  readonly caches?: Readonly<Record<string, CacheOptions>>;
}

const DEFAULT_NEAR = { maxEntries: 10_000, maxBytes: 33_554_432 };

/** What holds where nothing is said; times in milliseconds. */
export const CACHE_DEFAULTS: CacheSettings = {
  ttl: 300_000,
  jitter: 0,
  staleFor: 0,
  staleRetry: 1_000,
  refreshAhead: 0,
  softTimeout: Infinity,
  hardTimeout: 30_000,
  nullTtl: undefined,
  version: '1',
  lease: 2_000,
  codec: typedJson,
  binary: false,
  compressAbove: Infinity,
  near: DEFAULT_NEAR,
  share: 'frozen',
};

/** What a name of a cache, and a version, may look like. */
export const CACHE_NAME = /^[\w.-]{1,64}$/;

const CHECKS: Checks<CacheOptions> = {
  ttl: duration(1),
  jitter: (value) => (isNumber(value, 0, 1) ? undefined : 'a number from 0 to 1'),
  staleFor: duration(0),
  staleRetry: duration(1),
  refreshAhead: duration(0),
  softTimeout: duration(1, LONGEST_TIMER),
  hardTimeout: duration(1, LONGEST_TIMER),
  nullTtl: (value) => (value === false ? undefined : duration(1)(value)),
  version: (value) => (CACHE_NAME.test(String(value)) ? undefined : 'letters, digits, dots, hyphens, underscores'),
  lease: duration(100, LONGEST_TIMER),
  codec: (value) => (isCodec(value) ? undefined : 'a codec: an object with name, encode() and decode()'),
  compressAbove: (value) => (value === false || isNumber(value, 0, 2 ** 29) ? undefined : 'false or a number of bytes'),
  near: (value) => (typeof value === 'boolean' || isObject(value) ? undefined : 'true, false or an object'),
  share: (value) => (value === 'frozen' || value === 'copy' ? undefined : "'frozen' or 'copy'"),
};

const NEAR_CHECKS: Checks<NearOptions> = {
  maxEntries: (value) => (isWhole(value, 1, 2 ** 24) ? undefined : 'a whole number from 1 to 16777216'),
  maxBytes: (value) => (isWhole(value, 1024, 2 ** 40) ? undefined : 'a whole number of at least 1024'),
};

/**
 * Checks the options of all caches of a client.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveCaching(options: CachingOptions = {}): CachingSettings {
  const problems = new Problems('The options of the caches are wrong:');
  checkObject(options, [...Object.keys(CHECKS), 'caches'], 'cache', problems);
  problems.throwIfAny();
  const { caches = {}, ...common } = options;
  const shared = resolveOne(common, CACHE_DEFAULTS, 'cache', problems);
  const own = new Map<string, CacheSettings>();
  if (isObject(caches)) {
    for (const [name, given] of Object.entries(caches)) {
      const path = `cache.caches.${name}`;
      if (!CACHE_NAME.test(name)) {
        problems.add(path, 'is no name for a cache: take 1 to 64 letters, digits, dots, hyphens or underscores.');
      }
      own.set(name, resolveOne(given, shared, path, problems));
    }
  } else problems.add('cache.caches', `is ${shown(caches)}: it must be an object with a cache's options by its name.`);
  problems.throwIfAny();
  return { of: (name) => own.get(name) ?? shared };
}

/** Options of a cache that single calls and methods may overrule. */
export const CALL_OPTIONS = [
  'ttl',
  'jitter',
  'staleFor',
  'staleRetry',
  'refreshAhead',
  'softTimeout',
  'hardTimeout',
  'nullTtl',
] as const;

/**
 * Checks the options of a method called `place`; `beside` are those only methods have. `ttl` may be a function.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkMethodOptions(
  place: string,
  options: object,
  times: readonly (typeof CALL_OPTIONS)[number][],
  beside: Readonly<Record<string, Check>>,
): void {
  // The checks are those of a cache, where these options stand one step further down.
  const problems = new Problems(`The cache options of ${place} are wrong:`, (text) => text.replaceAll('options.', ''));
  if (checkObject(options, [...times, ...Object.keys(beside)], 'options', problems)) {
    for (const [name, value] of Object.entries(options)) {
      const time = times.find((each) => each === name);
      const check = beside[name] ?? (time && CHECKS[time]);
      if (!check || value === undefined || (name === 'ttl' && typeof value === 'function')) continue;
      const expected = check(value);
      if (expected !== undefined) problems.add(name, `is ${shown(value)}: it must be ${expected}.`);
    }
  }
  problems.throwIfAny();
}

function resolveOne(given: CacheOptions, base: CacheSettings, path: string, problems: Problems): CacheSettings {
  if (!checkObject(given, Object.keys(CHECKS), path, problems)) return base;
  if (!checkEach(given, CHECKS, path, problems)) return base;
  const time = (name: TimeName): number => {
    const value = given[name];
    return value === undefined ? base[name] : toMilliseconds(value, name);
  };
  const { nullTtl, codec = base.codec, compressAbove } = given;
  const limit = compressAbove === undefined ? base.compressAbove : compressAbove === false ? Infinity : compressAbove;
  return {
    ttl: time('ttl'),
    jitter: given.jitter ?? base.jitter,
    staleFor: time('staleFor'),
    staleRetry: time('staleRetry'),
    refreshAhead: time('refreshAhead'),
    softTimeout: time('softTimeout'),
    hardTimeout: time('hardTimeout'),
    nullTtl: nullTtl === undefined ? base.nullTtl : nullTtl === false ? false : toMilliseconds(nullTtl, 'nullTtl'),
    version: String(given.version ?? base.version),
    lease: time('lease'),
    codec,
    binary: codec.binary === true || limit !== Infinity,
    compressAbove: limit,
    near: resolveNear(given.near, base.near, `${path}.near`, problems),
    share: given.share ?? base.share,
  };
}

type TimeName = 'ttl' | 'staleFor' | 'staleRetry' | 'refreshAhead' | 'softTimeout' | 'hardTimeout' | 'lease';

function resolveNear(
  given: CacheOptions['near'],
  base: CacheSettings['near'],
  path: string,
  problems: Problems,
): CacheSettings['near'] {
  if (given === undefined) return base;
  if (given === false) return undefined;
  if (given === true) return base ?? DEFAULT_NEAR;
  checkObject(given, Object.keys(NEAR_CHECKS), path, problems);
  checkEach(given, NEAR_CHECKS, path, problems);
  const { maxEntries, maxBytes } = base ?? DEFAULT_NEAR;
  return { maxEntries: given.maxEntries ?? maxEntries, maxBytes: given.maxBytes ?? maxBytes };
}

function isCodec(value: unknown): value is Codec {
  const { name, encode, decode } = Object(value) as Partial<Codec>;
  return CACHE_NAME.test(String(name)) && typeof encode === 'function' && typeof decode === 'function';
}
