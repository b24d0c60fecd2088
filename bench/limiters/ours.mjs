import { createClient, RateLimiter, resolveSettings } from 'nestjs-valkey';

/** @typedef {import('../harness/server.mjs').ServerAddress} ServerAddress */

/**
 * A limiter as it is: it is asked by its own method, with nothing in between that would cost time, and a refusal is what
 * it makes of one.
 *
 * @typedef {object} BenchLimiter
 * @property {(subject: string) => Promise<unknown>} ask
 * @property {(asked: Promise<any>) => Promise<boolean>} isAdmitted
 */

/**
 * @typedef {object} OpenLimiter
 * @property {string} name
 * @property {BenchLimiter} client
 * @property {() => Promise<void>} close
 */

/**
 * What a limiter is opened for.
 *
 * @typedef {object} LimitTask
 * @property {ServerAddress} server
 * @property {number} limit What a subject may do in a window.
 * @property {string} space What its keys begin with, so that no two tasks count together.
 */

/** No window ends while it is measured. */
export const WINDOW_SECONDS = 600;

/** A sliding log takes no more. */
const LONGEST_LOG = 10_000;

/** One opener for each algorithm, the one that the others use first. */
export const ourOpeners = /** @type {const} */ (['fixed-window', 'sliding-window', 'token-bucket', 'sliding-log']).map(
  (algorithm) => (task) => openOurs(algorithm, task),
);

/**
 * @param {import('nestjs-valkey').LimitAlgorithm} algorithm
 * @param {LimitTask} task
 * @returns {Promise<OpenLimiter>}
 */
async function openOurs(algorithm, { server, limit, space }) {
  const client = createClient(resolveSettings({ ...server, keyPrefix: `bench:${space}:` }, {}).settings);
  await client.connect();
  const limiter = new RateLimiter(client);
  const limits = {
    algorithm,
    limit: algorithm === 'sliding-log' ? Math.min(limit, LONGEST_LOG) : limit,
    window: WINDOW_SECONDS * 1_000,
  };
  const ask = (subject) => limiter.consume(subject, limits);
  const isAdmitted = async (asked) => (await asked).admitted;
  const close = async () => {
    await limiter.close();
    await client.close();
  };
  return { name: `nestjs-valkey, ${algorithm}`, client: { ask, isAdmitted }, close };
}
