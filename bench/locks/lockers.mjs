import { Redis as IoRedis } from 'ioredis';
import { createClient, LockService, resolveSettings } from 'nestjs-valkey';
import { createLock, IoredisAdapter } from 'redlock-universal';

/** @typedef {import('../harness/server.mjs').ServerAddress} ServerAddress */

/**
 * Takes a lock, does `work` and gives it back, waiting for it as long as it takes.
 *
 * @typedef {object} BenchLocker
 * @property {(key: string, work?: () => unknown) => Promise<void>} cycle
 */

/**
 * @typedef {object} OpenLocker
 * @property {string} name
 * @property {BenchLocker} client
 * @property {() => Promise<void>} close
 */

const TTL = 10_000;
const WAIT = 60_000;

/** @param {ServerAddress} server @returns {Promise<OpenLocker>} */
export async function openOurs(server) {
  const client = createClient(resolveSettings({ ...server, keyPrefix: 'bench:' }, {}).settings);
  await client.connect();
  const locks = new LockService(client, { ttl: TTL, wait: WAIT });
  const cycle = async (key, work) => {
    const lock = await locks.acquire(key);
    await work?.();
    if (!(await lock.release())) throw new Error(`${key} was lost`);
  };
  const close = async () => {
    await locks.close();
    await client.close();
  };
  return { name: 'nestjs-valkey', client: { cycle }, close };
}

/** As it comes: it asks again every 100 ms. @param {ServerAddress} server */
export const openRedlock = (server) => redlock(server, 'redlock-universal', 100);

/** Asking again as soon as it can. @param {ServerAddress} server */
export const openEagerRedlock = (server) => redlock(server, 'redlock-universal, every 5 ms', 5);

/**
 * In its leanest mode, over ioredis with automatic pipelining; one lock object for each key, as its guide has it.
 *
 * @param {ServerAddress} server
 * @param {string} name
 * @param {number} retryDelay
 * @returns {Promise<OpenLocker>}
 */
async function redlock(server, name, retryDelay) {
  const redis = new IoRedis({ ...server, lazyConnect: true, enableAutoPipelining: true, keyPrefix: 'bench:' });
  await redis.connect();
  const adapter = new IoredisAdapter(redis);
  const retryAttempts = Math.floor(WAIT / retryDelay);
  const made = new Map();
  const lockOf = (key) => {
    let lock = made.get(key);
    if (!lock)
      made.set(key, (lock = createLock({ adapter, key, ttl: TTL, retryAttempts, retryDelay, performance: 'lean' })));
    return lock;
  };
  const cycle = async (key, work) => {
    const lock = lockOf(key);
    const handle = await lock.acquire();
    await work?.();
    if (!(await lock.release(handle))) throw new Error(`${key} was lost`);
  };
  return { name, client: { cycle }, close: async () => redis.disconnect() };
}

/**
 * A fast wrong lock is no result: of two instances, which know of each other through the server only, one caller at a
 * time is inside.
 *
 * @param {(server: ServerAddress) => Promise<OpenLocker>} open
 * @param {ServerAddress} server
 */
export async function prove(open, server) {
  const pair = await Promise.all([open(server), open(server)]);
  let inside = 0;
  let turns = 0;
  const work = async () => {
    inside += 1;
    if (inside > 1) throw new Error(`${pair[0].name} let two in at once`);
    await new Promise(setImmediate);
    inside -= 1;
    turns += 1;
  };
  try {
    await Promise.all(Array.from({ length: 20 }, (_, call) => pair[call % 2].client.cycle('proof', work)));
    if (turns !== 20) throw new Error(`${pair[0].name} let ${turns} of 20 in`);
  } finally {
    await Promise.all(pair.map(({ close }) => close()));
  }
}
