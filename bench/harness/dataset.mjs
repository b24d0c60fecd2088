import { Redis } from 'iovalkey';

/** @typedef {import('./server.mjs').ServerAddress} ServerAddress */

/** Keys in one command while writing and removing. */
const CHUNK = 1_000;
/** What keys of caches look like: `@keyv/valkey` sets its own word before ours. */
const CACHE_KEYS = ['bench:*', 'namespace:bench:*'];

/**
 * Writes the same value under many keys.
 *
 * @param {ServerAddress} server
 * @param {readonly string[]} keys
 * @param {string} value
 */
export async function fill(server, keys, value) {
  await inChunks(server, keys, (redis, chunk) => redis.mset(chunk.flatMap((key) => [key, value])));
}

/**
 * Removes what {@link fill} wrote: the server may be somebody's.
 *
 * @param {ServerAddress} server
 * @param {readonly string[]} keys
 */
export async function clear(server, keys) {
  await inChunks(server, keys, (redis, chunk) => redis.unlink(chunk));
}

/**
 * @param {ServerAddress} server
 * @param {readonly string[]} keys
 * @param {(redis: Redis, chunk: string[]) => Promise<unknown>} command
 */
async function inChunks(server, keys, command) {
  const redis = new Redis({ ...server, lazyConnect: true });
  try {
    await redis.connect();
    for (let start = 0; start < keys.length; start += CHUNK) await command(redis, keys.slice(start, start + CHUNK));
  } finally {
    redis.disconnect();
  }
}

/**
 * Removes what caches wrote under names they make themselves.
 *
 * @param {ServerAddress} server
 */
export async function clearCaches(server) {
  const redis = new Redis({ ...server, lazyConnect: true });
  try {
    await redis.connect();
    for (const match of CACHE_KEYS) {
      for await (const keys of redis.scanStream({ match, count: CHUNK })) if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}
