import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { checkEach, checkObject, duration } from './checks.js';
import type { Checks } from './checks.js';
import { resolveKept } from './kept-options.js';
import type { KeptSettings } from './kept-options.js';
import { Problems } from './problem.js';

/** What a source of users or keys may want to know. */
export interface AccessLoadContext {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Whose permissions, from where, and how long they are kept. */
export interface PermissionOptions<P extends string = string> {
  /** The permissions of a subject from where they really are; `null` or `undefined` when there is no such subject. No default. */
  readonly load: (
    subject: string,
    context: AccessLoadContext,
  ) => Promise<Iterable<P> | null | undefined> | Iterable<P> | null | undefined;
  /** How long they are kept: the longest a change goes unnoticed that nobody evicts. Default: `'1m'`. */
  readonly ttl?: Duration;
  /** How long it is kept that a subject does not exist; `false`: not at all. Default: `'10s'`. */
  readonly unknownTtl?: Duration | false;
}

/** Which keys, from where, and how long they are kept. `T` is whatever is known of a key, without the key. */
export interface ApiKeyOptions<T> {
  /**
   * What belongs to a key, found by the key's hash (SHA-256, 64 hexadecimal digits); `null` or `undefined` when there is no
   * such key. Must not hold the key itself. No default.
   */
  readonly load: (hash: string, context: AccessLoadContext) => Promise<T | null | undefined> | T | null | undefined;
  /** How long it is kept: the longest a key works on that was revoked and not evicted. Default: `'1m'`. */
  readonly ttl?: Duration;
  /** How long it is kept that a key does not exist; `false`: not at all. Default: `'10s'`. */
  readonly unknownTtl?: Duration | false;
}

/** How long tokens are listed. */
export interface TokenBlacklistOptions {
  /** How long after its end a token is still listed: what verifiers with clocks of their own tolerate. Default: `0`. */
  readonly leeway?: Duration;
}

const ACCESS_DEFAULTS: KeptSettings = { ttl: 60_000, unknownTtl: 10_000 };

const BLACKLIST_CHECKS: Checks<TokenBlacklistOptions> = { leeway: duration(0, 86_400_000) };

/** @throws ConfigurationError with everything that is wrong */
export function resolvePermissions<P extends string>(options: PermissionOptions<P>): KeptSettings {
  return resolveKept(options, ACCESS_DEFAULTS, 'permission cache');
}

/** @throws ConfigurationError with everything that is wrong */
export function resolveApiKeys<T>(options: ApiKeyOptions<T>): KeptSettings {
  return resolveKept(options, ACCESS_DEFAULTS, 'API key cache');
}

/**
 * @returns the leeway in milliseconds
 * @throws ConfigurationError with everything that is wrong
 */
export function resolveBlacklist(options: TokenBlacklistOptions = {}): number {
  const problems = new Problems('The options of the token blacklist are wrong:');
  if (checkObject(options, Object.keys(BLACKLIST_CHECKS), 'options', problems)) {
    checkEach(options, BLACKLIST_CHECKS, 'options', problems);
  }
  problems.throwIfAny();
  return toMilliseconds(options.leeway ?? 0, 'leeway');
}
