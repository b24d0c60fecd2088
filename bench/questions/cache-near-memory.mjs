import { openCaching } from '../caches/ours.mjs';
import { isProductOf, productOf } from '../caches/products.mjs';
import { forEach } from '../harness/callers.mjs';
import { clearCaches } from '../harness/dataset.mjs';
import { garbageCollector } from '../harness/garbage.mjs';
import { becomes } from '../harness/proof.mjs';

export const name = 'cache-near-memory';
export const description = 'many more keys than fit into the process: whether the near cache stays within its bytes';

const MEBIBYTE = 2 ** 20;
const FULL = { operations: 10_000_000, keys: 1_000_000, maxBytes: 32 * MEBIBYTE, minutes: 15 };
const QUICK = { operations: 300_000, keys: 30_000, maxBytes: 8 * MEBIBYTE, minutes: 0.6 };
const CALLERS = 256;
/** So that the bytes are what bounds it, and not the number of entries. */
const MAX_ENTRIES = 1_000_000;

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, server, tell }) {
  const { operations, keys, maxBytes, minutes } = quick ? QUICK : FULL;
  const { caching, close } = await openCaching(server, { maxEntries: MAX_ENTRIES, maxBytes });
  const cache = caching.cache();
  const find = (id) => cache.getOrLoad(id, () => productOf(id), { ttl: '1h' });
  const collectGarbage = garbageCollector();
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  try {
    // Before the heap is looked at, all code has run.
    await forEach(picked(keys, CALLERS * 40), CALLERS, find);
    const heapBefore = await emptied(cache, heap);
    const endsAt = performance.now() + minutes * 60_000;
    let done = 0;
    let nearBytes = 0;
    await forEach(picked(keys, operations), CALLERS, async (id) => {
      if (performance.now() > endsAt) return;
      if (!isProductOf(await find(id), id)) throw new Error('the cache did not give what was loaded');
      done += 1;
      nearBytes = Math.max(nearBytes, cache.near.bytes);
    });
    await caching.idle();
    if (nearBytes > maxBytes) throw new Error(`the near cache counted ${nearBytes} of ${maxBytes} bytes`);
    const nearEntries = cache.near.entries;
    const heapFull = heap();
    const heapAfter = await emptied(cache, heap);
    const figures = {
      operations: done,
      keys,
      nearEntries,
      limitBytes: maxBytes,
      countedBytes: nearBytes,
      // What emptying the cache gives back, and what it does not.
      heldBytes: heapFull - heapAfter,
      leftBytes: heapAfter - heapBefore,
    };
    const circumstances = `${operations.toLocaleString('en')} operations by ${CALLERS} callers, within ${minutes} minutes`;
    tell({ question: name, circumstances, rows: [{ subject: 'nestjs-valkey', figures }] });
  } finally {
    await close();
    await clearCaches(server);
  }
}

/**
 * The heap without what the near cache holds.
 *
 * @param {import('nestjs-valkey').Cache} cache
 * @param {() => number} heap
 */
async function emptied(cache, heap) {
  await cache.clear();
  await becomes(async () => cache.near.entries === 0, 'the near cache was not emptied');
  return heap();
}

/**
 * Ids in an order nothing can guess, the same in each run.
 *
 * @param {number} keys
 * @param {number} count
 */
function* picked(keys, count) {
  let state = 1;
  for (let index = 0; index < count; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield `memory-${Math.floor((state / 2 ** 32) * keys)}`;
  }
}
