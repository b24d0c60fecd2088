/** @typedef {import('../harness/server.mjs').ServerAddress} ServerAddress */
/** @typedef {import('./ours.mjs').LimitTask} LimitTask */
/** @typedef {import('./ours.mjs').OpenLimiter} OpenLimiter */

/** What nobody reaches while it is measured. */
const AMPLE = 1_000_000_000;
/** What everybody has to reach before. */
const SMALL = 10;
const CALLS = 50;

/**
 * Opens limiters that admit whatever is measured, after each has proved that it limits.
 *
 * @param {ServerAddress} server
 * @param {readonly ((task: LimitTask) => Promise<OpenLimiter>)[]} openers
 * @returns {Promise<{ limiters: readonly OpenLimiter[], close: () => Promise<void> }>}
 */
export async function openLimiters(server, openers) {
  /** @type {OpenLimiter[]} */
  const limiters = [];
  const close = async () => {
    await Promise.all(limiters.map((limiter) => limiter.close()));
  };
  try {
    for (const [index, open] of openers.entries()) {
      await prove(open, { server, limit: SMALL, space: `proof-${index}` });
      limiters.push(await open({ server, limit: AMPLE, space: `limit-${index}` }));
    }
    return { limiters, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A fast wrong answer is no result: two instances of a limiter, which know of each other through the server only, admit
 * exactly the limit of each of two subjects, with everything asked at once.
 *
 * @param {(task: LimitTask) => Promise<OpenLimiter>} open
 * @param {LimitTask} task
 */
async function prove(open, task) {
  const pair = await Promise.all([open(task), open(task)]);
  try {
    for (const subject of ['one', 'other']) {
      const asked = Array.from({ length: CALLS }, (_, call) => isAdmitted(pair[call % 2].client, subject));
      const admitted = (await Promise.all(asked)).filter(Boolean).length;
      if (admitted !== task.limit) throw new Error(`${pair[0].name} admitted ${admitted} calls of ${task.limit}`);
    }
  } finally {
    await Promise.all(pair.map(({ close }) => close()));
  }
}

/**
 * @param {import('./ours.mjs').BenchLimiter} limiter
 * @param {string} subject
 */
export function isAdmitted(limiter, subject) {
  return limiter.isAdmitted(limiter.ask(subject));
}
