import KeyvValkey from '@keyv/valkey';
import { createCache as createDedupingCache } from 'async-cache-dedupe';
import { bentostore, BentoCache } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { createCache } from 'cache-manager';
import { Redis } from 'iovalkey';
import { Keyv } from 'keyv';
import { createClient as createNodeRedis } from 'redis';

import { NEAR_ENTRIES, TTL_MILLIS } from './ours.mjs';

/** @typedef {import('./ours.mjs').CacheTask} CacheTask */
/** @typedef {import('./ours.mjs').OpenCache} OpenCache */

/**
 * In this process only.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export async function openAsyncCacheDedupe({ load }) {
  const cache = createDedupingCache({
    ttl: TTL_MILLIS / 1_000,
    storage: { type: 'memory', options: { size: NEAR_ENTRIES } },
  });
  cache.define('find', async (id) => load(id));
  return { name: 'async-cache-dedupe', client: cache, close: async () => undefined };
}

/**
 * Its client-side caching keeps replies, so what a caller wants is parsed from one each time. Without the timeout of each
 * command, as in `clients.mjs`; entries are never thrown out for age or number, which is its documented example.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export async function openNodeRedisTracking({ server, load }) {
  const client = createNodeRedis({
    socket: server,
    commandOptions: { timeout: 0 },
    RESP: 3,
    clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
  });
  // Without a listener an error would end the process; a call that fails tells by itself.
  client.on('error', () => undefined);
  await client.connect();
  const find = async (id) => {
    const key = `bench:node-redis:${id}`;
    const text = await client.get(key);
    if (text !== null) return JSON.parse(text);
    const value = await load(id);
    await client.set(key, JSON.stringify(value), { expiration: { type: 'PX', value: TTL_MILLIS } });
    return value;
  };
  return { name: 'node-redis', client: { find }, close: async () => client.destroy() };
}

/**
 * What people write by hand: GET, parse, and SET where there was nothing.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export async function openIovalkeyByHand({ server, load }) {
  const client = new Redis({ ...server, lazyConnect: true });
  await client.connect();
  const find = async (id) => {
    const key = `bench:iovalkey:${id}`;
    const text = await client.get(key);
    if (text !== null) return JSON.parse(text);
    const value = await load(id);
    await client.set(key, JSON.stringify(value), 'PX', TTL_MILLIS);
    return value;
  };
  return { name: 'iovalkey', client: { find }, close: async () => client.disconnect() };
}

/**
 * In the process its entries are kept as they are and not as text, which its documentation recommends for speed, with the
 * bus that keeps several processes in step.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export function openBentocache(task) {
  return bentocache(task, { serialize: false });
}

/**
 * For several processes: without text in the process, version 1.6.1 throws when it reads there what another one stored.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export function openSharedBentocache(task) {
  return bentocache(task, { serialize: true });
}

/**
 * @param {CacheTask} task
 * @param {{ serialize: boolean }} memory
 * @returns {Promise<OpenCache>}
 */
async function bentocache({ server, near, load }, memory) {
  const connection = { ...server };
  const remote = bentostore().useL2Layer(redisDriver({ connection }));
  const products = near
    ? remote.useL1Layer(memoryDriver({ maxItems: NEAR_ENTRIES, ...memory })).useBus(redisBusDriver({ connection }))
    : remote;
  const bento = new BentoCache({
    default: 'products',
    ttl: TTL_MILLIS,
    prefix: 'bench:bentocache',
    stores: { products },
  });
  const find = (id) => bento.getOrSet({ key: id, factory: () => load(id) });
  return { name: 'bentocache', client: { find }, close: () => bento.disconnect() };
}

/**
 * In the process its entries are kept as they are: its documentation names a Keyv without serialisation, which is the
 * fastest of its stores. At the server no set of all keys is kept, which only costs.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export async function openCacheManager({ server, near, load }) {
  const redis = new Redis({ ...server, lazyConnect: true });
  await redis.connect();
  const remote = new Keyv({ store: new KeyvValkey(redis, { useRedisSets: false }), namespace: 'bench' });
  const memory = new Keyv();
  memory.serialize = undefined;
  memory.deserialize = undefined;
  const cache = createCache({ stores: near ? [memory, remote] : [remote], ttl: TTL_MILLIS });
  const find = (id) => cache.wrap(id, async () => load(id));
  return { name: 'cache-manager', client: { find }, close: async () => redis.disconnect() };
}
