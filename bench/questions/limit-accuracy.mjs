import { Redis } from 'iovalkey';
import { createClient, RateLimiter, resolveSettings } from 'nestjs-valkey';
import { createTestClient, FakeClock } from 'nestjs-valkey/testing';

import { clearCaches } from '../harness/dataset.mjs';
import { burstAndRetry, mostInAnyWindow, poisson, steady, twoBursts } from '../limiters/arrivals.mjs';

export const name = 'limit-accuracy';
export const description = 'what each algorithm admits at the worst, and what a subject costs at the server';

const ALGORITHMS = /** @type {const} */ (['fixed-window', 'sliding-window', 'token-bucket', 'sliding-log']);
/** So that what is counted is a percentage too. */
const LIMIT = 100;
const WINDOW = 10_000;
/** Windows that random and steady arrivals go on for. */
const FULL = 1_000;
const QUICK = 100;

/** Limits, and what the bytes of a subject are called that has used one up. */
const LIMITS = { bytesTen: 10, bytesHundred: 100, bytesThousand: 1_000 };
const SUBJECTS = 200;
/** Decisions are those of the script, and of nothing that remembers or stands in. */
const STRICT = /** @type {const} */ ({ blockList: 0, onStoreDown: 'closed', timeout: '10s' });
const PREFIX = 'bench:limit-accuracy:';

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, server, tell }) {
  const windows = quick ? QUICK : FULL;
  const arrivals = {
    twoBursts: twoBursts(LIMIT, WINDOW),
    burstAndRetry: burstAndRetry(LIMIT, WINDOW),
    poisson: poisson(1.2 * LIMIT, WINDOW, windows),
    steady: steady(LIMIT, WINDOW, windows),
  };
  const worst = [];
  const shares = [];
  for (const algorithm of ALGORITHMS) {
    const admitted = {};
    for (const [kind, times] of Object.entries(arrivals)) admitted[kind] = await admittedOf(algorithm, times);
    const most = Object.entries(admitted).map(([kind, times]) => [kind, mostInAnyWindow(times, WINDOW)]);
    worst.push({ subject: algorithm, figures: Object.fromEntries(most) });
    const share = (kind) => (100 * admitted[kind].length) / (windows * LIMIT);
    shares.push({ subject: algorithm, figures: { poissonPercent: share('poisson'), steadyPercent: share('steady') } });
  }
  const circumstances = `The most admitted in any window of a limit of ${LIMIT}; ${windows} windows of random and steady arrivals`;
  tell({ question: name, circumstances, rows: worst });
  tell({ question: name, circumstances: 'Admitted of the limit over all windows', rows: shares });
  tell({
    question: name,
    circumstances:
      'Bytes of a subject at the server that has used up a limit of 10, 100, 1,000; longest life of a key in % of its window',
    rows: await storedBytes(server),
  });
}

/**
 * When somebody was admitted who asked at these times, decided by the scripts' twins on a clock that is set: exact, and
 * years take seconds.
 *
 * @param {import('nestjs-valkey').LimitAlgorithm} algorithm
 * @param {readonly number[]} times
 */
async function admittedOf(algorithm, times) {
  const clock = new FakeClock(1_700_000_000_000);
  const { client } = await createTestClient({ clock });
  const limiter = new RateLimiter(client, STRICT);
  const limits = { algorithm, limit: LIMIT, window: WINDOW };
  try {
    const admitted = [];
    let now = 0;
    for (const time of times) {
      if (time > now) clock.advance(time - now);
      now = time;
      if ((await limiter.consume('subject', limits)).admitted) admitted.push(time);
    }
    return admitted;
  } finally {
    await limiter.close();
    await client.close();
  }
}

/**
 * What subjects that have used up their limit take, and how long their keys stay.
 *
 * @param {import('../harness/server.mjs').ServerAddress} server
 */
async function storedBytes(server) {
  const client = createClient(resolveSettings({ ...server, keyPrefix: PREFIX }, {}).settings);
  const redis = new Redis({ ...server, lazyConnect: true });
  await Promise.all([client.connect(), redis.connect()]);
  const limiter = new RateLimiter(client, STRICT);
  try {
    const rows = [];
    for (const algorithm of ALGORITHMS) {
      const figures = {};
      let longest = 0;
      for (const [figure, limit] of Object.entries(LIMITS)) {
        const limits = { algorithm, limit, window: WINDOW };
        const keys = await usedUp(limiter, redis, limits);
        const bytes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
        const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
        if (lives.some((life) => life < 0 || life > 2 * WINDOW)) throw new Error(`${algorithm}: a key stays too long`);
        longest = Math.max(longest, ...lives);
        figures[figure] = bytes.reduce((sum, each) => sum + each, 0) / SUBJECTS;
      }
      rows.push({ subject: algorithm, figures: { ...figures, lifePercent: (100 * longest) / WINDOW } });
    }
    return rows;
  } finally {
    await limiter.close();
    await client.close();
    redis.disconnect();
    await clearCaches(server);
  }
}

/**
 * Lets subjects use up their limits, and gives their keys.
 *
 * @param {RateLimiter} limiter
 * @param {Redis} redis
 * @param {import('nestjs-valkey').Limit} limits
 */
async function usedUp(limiter, redis, limits) {
  const space = `at-${limits.algorithm}-${limits.limit}`;
  const half = limits.limit / 2;
  for (let round = 0; round < 2; round += 1) {
    const subjects = Array.from({ length: SUBJECTS }, (_, index) => `10.0.0.${index}`);
    await Promise.all(subjects.map((subject) => limiter.consume(subject, limits, { name: space, cost: half })));
  }
  const keys = [];
  for await (const found of redis.scanStream({ match: `${PREFIX}limit:${space}{*`, count: 1_000 })) keys.push(...found);
  if (keys.length !== SUBJECTS)
    throw new Error(`${limits.algorithm} stored ${keys.length} keys for ${SUBJECTS} subjects`);
  return keys;
}
