import { openCaches } from '../caches/comparison.mjs';
import { openOurs } from '../caches/ours.mjs';
import { openAsyncCacheDedupe, openBentocache, openCacheManager, openNodeRedisTracking } from '../caches/peers.mjs';
import { Catalogue } from '../caches/products.mjs';
import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';

export const name = 'cache-near';
export const description =
  'a hit in the process, through @Cacheable, beside the same method undecorated and other caches';

const IDS = Array.from({ length: 8_192 }, (_, index) => `near-${index}`);
const OPENERS = [openOurs, openAsyncCacheDedupe, openNodeRedisTracking, openBentocache, openCacheManager];
/** Nobody waits for anything here, so more callers would only wait for each other. */
const CALLERS = [1];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  try {
    const { caches, close } = await openCaches({ server, near: true, ids: IDS, openers: OPENERS });
    try {
      const contenders = [...caches, { name: 'undecorated', client: undecorated() }];
      const plan = { question: name, contenders, operation: find, keys: IDS, callers, ratios: 'of-first' };
      // A call takes less than reading the clock does.
      for await (const comparison of compare({ ...plan, sampleEvery: 61, pace: quick ? QUICK : FULL }))
        emit(comparison);
    } finally {
      await close();
    }
  } finally {
    await clearCaches(server);
  }
}

/** What `@Cacheable()` stands on, without it. */
function undecorated() {
  const catalogue = new Catalogue(IDS);
  class Products {
    /** @param {string} id */
    async find(id) {
      return catalogue.take(id);
    }
  }
  return new Products();
}

/** @param {import('../caches/ours.mjs').BenchCache} cache @param {string} id */
function find(cache, id) {
  return cache.find(id);
}
