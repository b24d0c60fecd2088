import { setTimeout as pause } from 'node:timers/promises';

import { Redis } from 'iovalkey';

/** @typedef {import('./server.mjs').ServerAddress} ServerAddress */

/** Milliseconds a cache may take until it answers out of the process. */
const PATIENCE = 10_000;

/**
 * How many keys the server has found for whoever asked.
 *
 * @param {ServerAddress} server
 * @param {() => Promise<void>} work
 * @returns {Promise<number>}
 */
export async function hitsAtServer(server, work) {
  const redis = new Redis({ ...server, lazyConnect: true });
  try {
    await redis.connect();
    const before = await hits(redis);
    await work();
    return (await hits(redis)) - before;
  } finally {
    redis.disconnect();
  }
}

/**
 * Repeats a look until it holds.
 *
 * @param {() => Promise<boolean>} look
 * @param {string} failure
 */
export async function becomes(look, failure) {
  const endsAt = performance.now() + PATIENCE;
  while (!(await look())) {
    if (performance.now() > endsAt) throw new Error(failure);
    await pause(50);
  }
}

/** @param {Redis} redis */
async function hits(redis) {
  return Number(/keyspace_hits:(\d+)/.exec(await redis.info('stats'))[1]);
}
