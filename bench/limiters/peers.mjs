import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Redis as IoRedis } from 'ioredis';
import { Redis as IoValkey } from 'iovalkey';
import { RateLimiterRedis, RateLimiterRes, RateLimiterValkey } from 'rate-limiter-flexible';

import { WINDOW_SECONDS } from './ours.mjs';

/** @typedef {import('./ours.mjs').LimitTask} LimitTask */
/** @typedef {import('./ours.mjs').OpenLimiter} OpenLimiter */

/** @param {LimitTask} task @returns {Promise<OpenLimiter>} */
export async function openFlexibleValkey({ server, limit, space }) {
  const storeClient = new IoValkey({ ...server, lazyConnect: true, enableAutoPipelining: true });
  await storeClient.connect();
  const limiter = new RateLimiterValkey({ storeClient, ...flexibleOptions(limit, space) });
  return opened('rate-limiter-flexible, iovalkey', flexible(limiter), storeClient);
}

/** @param {LimitTask} task @returns {Promise<OpenLimiter>} */
export async function openFlexibleRedis({ server, limit, space }) {
  const storeClient = new IoRedis({ ...server, lazyConnect: true, enableAutoPipelining: true });
  await storeClient.connect();
  const limiter = new RateLimiterRedis({ storeClient, ...flexibleOptions(limit, space) });
  return opened('rate-limiter-flexible, ioredis', flexible(limiter), storeClient);
}

/**
 * The storage of `@nestjs/throttler` alone, without its guard.
 *
 * @param {LimitTask} task
 * @returns {Promise<OpenLimiter>}
 */
export async function openThrottlerStorage({ server, limit, space }) {
  const redis = new IoRedis({ ...server, lazyConnect: true, enableAutoPipelining: true, keyPrefix: `bench:${space}:` });
  await redis.connect();
  const storage = new ThrottlerStorageRedisService(redis);
  const window = WINDOW_SECONDS * 1_000;
  const ask = (subject) => storage.increment(subject, window, limit, window, 'default');
  const isAdmitted = async (asked) => !(await asked).isBlocked;
  return opened('throttler-storage-redis', { ask, isAdmitted }, redis);
}

/** Refused subjects are remembered in the process, as its guide recommends. */
function flexibleOptions(limit, space) {
  return {
    keyPrefix: `bench:${space}`,
    points: limit,
    duration: WINDOW_SECONDS,
    inMemoryBlockOnConsumed: limit,
  };
}

/**
 * It rejects what it refuses.
 *
 * @param {import('rate-limiter-flexible').RateLimiterAbstract} limiter
 */
function flexible(limiter) {
  return {
    ask: (subject) => limiter.consume(subject),
    isAdmitted: async (asked) => {
      try {
        await asked;
        return true;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return false;
        throw refusal;
      }
    },
  };
}

/**
 * @param {string} name
 * @param {import('./ours.mjs').BenchLimiter} client
 * @param {{ disconnect: () => void }} connection
 * @returns {OpenLimiter}
 */
function opened(name, client, connection) {
  return { name, client, close: async () => connection.disconnect() };
}
