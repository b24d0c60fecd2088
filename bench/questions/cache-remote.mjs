import { openCaches } from '../caches/comparison.mjs';
import { openOurs } from '../caches/ours.mjs';
import { openBentocache, openCacheManager, openIovalkeyByHand } from '../caches/peers.mjs';
import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';

export const name = 'cache-remote';
export const description =
  'a hit at the server of a 130-byte object, each caller on keys of its own; nothing is kept near';

const IDS = Array.from({ length: 8_192 }, (_, index) => `remote-${index}`);
const OPENERS = [openOurs, openIovalkeyByHand, openBentocache, openCacheManager];
const CALLERS = [256];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  try {
    const { caches, close } = await openCaches({ server, near: false, ids: IDS, openers: OPENERS });
    try {
      const plan = { question: name, contenders: caches, operation: find, keys: IDS, callers, ratios: 'of-first' };
      for await (const comparison of compare({ ...plan, pace: quick ? QUICK : FULL })) emit(comparison);
    } finally {
      await close();
    }
  } finally {
    await clearCaches(server);
  }
}

/** @param {import('../caches/ours.mjs').BenchCache} cache @param {string} id */
function find(cache, id) {
  return cache.find(id);
}
