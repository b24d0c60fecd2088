import type { ThrottlerStorage } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';
import type { CacheClient } from '../client/cache-client.js';
import { ArgumentError, codeOf, isValkeyError, RateLimitUnavailableError } from '../core/errors.js';
import { events } from '../core/events.js';
import { shortName } from '../core/stored-name.js';
import type { Decision } from '../features/rate-limit/decision.js';
import { StandInStore } from '../features/rate-limit/stand-in-store.js';
import { resolveLimiter } from '../options/limit-options.js';
import type { RateLimiterOptions, RateLimiterSettings } from '../options/limit-options.js';
import { shown } from '../options/problem.js';
import { incrementHits } from './increment-script.js';

/** What of a client is used. */
export type ThrottlerClient = Pick<CacheClient, 'identity' | 'run' | 'with'>;

/** What throttler is told of a hit: hits in this window, and in seconds how long the window and the block still are. */
export type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

type Decider = Decision['by'];

/** What the script says; times in milliseconds. */
interface Hit {
  readonly hits: number;
  readonly ends: number;
  /** 0: not blocked. */
  readonly blocked: number;
}

/** A block that nothing ends before its time. */
interface KnownBlock extends Hit {
  /** By `performance.now()`. */
  readonly since: number;
}

/** Times and limits that mean "for ever" and "any number" are cut to what is counted exactly. */
const LONGEST = 366 * 86_400_000;
const HIGHEST = 2 ** 40;

/**
 * The storage of `@nestjs/throttler` 6 on a client of this library: exact over all processes, with the server's time, each
 * hit one script on one key, whatever the topology. The options are those of `RateLimiter`. The client stays yours.
 *
 * A hit over the limit blocks its key for `blockDuration`, and then counting begins anew, as with throttler's own storage.
 *
 * @example
 * ```ts
 * ThrottlerModule.forRootAsync({
 *   inject: [CACHE_CLIENT],
 *   useFactory: (client: CacheClient) => ({
 *     throttlers: [{ ttl: 60_000, limit: 100 }],
 *     storage: new ValkeyThrottlerStorage(client),
 *   }),
 * });
 * ```
 */
export class ValkeyThrottlerStorage implements ThrottlerStorage {
  readonly #client: Pick<CacheClient, 'identity' | 'run'>;
  readonly #settings: RateLimiterSettings;
  readonly #standIn = new StandInStore();
  /** Blocked keys, so that they cost no round trip. */
  readonly #blocks: LRUCache<string, KnownBlock> | undefined;

  /** @throws ConfigurationError with everything that is wrong with `options` */
  constructor(client: ThrottlerClient, options: RateLimiterOptions = {}) {
    this.#settings = resolveLimiter(options);
    const { timeout, blockList } = this.#settings;
    this.#client = client.with({ timeout });
    this.#blocks = blockList > 0 ? new LRUCache({ max: blockList }) : undefined;
  }

  /**
   * Counts a hit of a key. Called by throttler's guard; times in milliseconds.
   *
   * Rejects with a RateLimitUnavailableError when the store is away and `onStoreDown` is `'closed'`, with a
   * ClientClosedError once the client is closed, and with an ArgumentError for a time or a limit that is no number.
   */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    const name = counterName(throttlerName, key);
    const known = this.#knownBlock(name);
    if (known) return this.#told(throttlerName, known, 'memory');
    const args = [
      whole(ttl, LONGEST, 'ttl', throttlerName),
      whole(limit, HIGHEST, 'limit', throttlerName),
      whole(blockDuration, LONGEST, 'blockDuration', throttlerName),
    ];
    let hit: Hit;
    try {
      hit = await count(this.#client, name, args);
    } catch (error) {
      return this.#withoutStore(throttlerName, name, args, error);
    }
    // Without a block of its own a refusal depends on the limit, which may be another one for the next hit.
    if (hit.blocked > 0 && blockDuration > 0) this.#blocks?.set(name, { ...hit, since: performance.now() });
    return this.#told(throttlerName, hit, 'store');
  }

  /** Ends what stands in for the store; Nest calls it. The client stays open. */
  onApplicationShutdown(): Promise<void> {
    return this.#standIn.close();
  }

  #knownBlock(name: string): Hit | undefined {
    const block = this.#blocks?.get(name);
    if (!block) return undefined;
    const passed = performance.now() - block.since;
    // Timers may fire a little early, and who has waited long enough is to be asked about.
    if (passed < block.blocked - 1) return later(block, passed);
    this.#blocks?.delete(name);
    return undefined;
  }

  async #withoutStore(throttler: string, name: string, args: number[], error: unknown): Promise<ThrottlerRecord> {
    // The application ends: nothing is to begin any more, whatever stands in for a store that is away.
    if (isValkeyError(error, 'VALKEY_CLIENT_CLOSED')) throw error;
    const { onStoreDown } = this.#settings;
    if (onStoreDown === 'local') {
      const hit = await count(await this.#standIn.open(), name, args);
      return this.#told(throttler, hit, 'local', error);
    }
    const [ends = 0] = args;
    if (onStoreDown === 'open') return this.#told(throttler, { hits: 1, ends, blocked: 0 }, 'none', error);
    this.#publish(throttler, 'refused', 'none', error);
    throw new RateLimitUnavailableError(throttler, error);
  }

  #told(throttler: string, { hits, ends, blocked }: Hit, by: Decider, error?: unknown): ThrottlerRecord {
    const isBlocked = blocked > 0;
    this.#publish(throttler, isBlocked ? 'refused' : 'admitted', by, error);
    return { totalHits: hits, timeToExpire: seconds(ends), isBlocked, timeToBlockExpire: seconds(blocked) };
  }

  #publish(throttler: string, outcome: 'admitted' | 'refused', by: Decider, error: unknown): void {
    if (!events.rateLimit.active) return;
    events.rateLimit.publish({
      ...this.#client.identity,
      limit: throttler,
      outcome,
      by,
      tier: undefined,
      code: codeOf(error),
    });
  }
}

async function count(client: Pick<CacheClient, 'run'>, name: string, args: readonly number[]): Promise<Hit> {
  const [hits = 0, ends = 0, blocked = 0] = await client.run<readonly number[]>(incrementHits, [name], args);
  return { hits, ends, blocked };
}

/** A block after some milliseconds. */
function later({ hits, ends, blocked }: Hit, passed: number): Hit {
  return { hits, ends: Math.max(0, ends - passed), blocked: blocked - passed };
}

/** Throttlers of one name count apart from those of another, even where an own `generateKey` leaves the name out. */
function counterName(throttler: string, key: string): string {
  const space = throttler.replaceAll('%', '%25').replaceAll(':', '%3A');
  return `throttler:${space}:${shortName(key, 'The key of a throttler')}`;
}

/** Rounded up, so that whoever waits so long has waited long enough. */
function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}

/** @throws ArgumentError for what is no number: functions of the throttler may give anything */
function whole(value: number, most: number, what: string, throttler: string): number {
  const rounded = Math.ceil(value);
  if (!Number.isNaN(rounded)) return Math.min(Math.max(0, rounded), most);
  throw new ArgumentError(`${what} of the throttler ${shown(throttler)} is ${shown(value)}: it must be a number.`, {
    subject: what,
  });
}
