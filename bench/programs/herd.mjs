import { setTimeout as pause } from 'node:timers/promises';

import { openOurs } from '../caches/ours.mjs';
import { openCacheManager, openSharedBentocache } from '../caches/peers.mjs';
import { isProductOf, productOf } from '../caches/products.mjs';
import { answer } from '../harness/child.mjs';

/** One of the processes that all want the same values at once. */

/** @type {Map<string, import('../caches/ours.mjs').BenchCache>} */
const caches = new Map();
let loads = 0;

answer({
  open: async ({ server, loadMillis }) => {
    const load = async (id) => {
      loads += 1;
      await pause(loadMillis);
      return productOf(id);
    };
    for (const open of [openOurs, openSharedBentocache, openCacheManager]) {
      const { name, client } = await open({ server, near: true, load });
      caches.set(name, client);
    }
    return [...caches.keys()];
  },
  rush: async ({ subject, ids, callers }) => {
    const cache = caches.get(subject);
    loads = 0;
    const wanted = ids.flatMap((id) => Array.from({ length: callers }, () => id));
    const products = await Promise.all(wanted.map((id) => cache.find(id)));
    if (!products.every((product, index) => isProductOf(product, wanted[index]))) {
      throw new Error(`${subject} did not give what was loaded`);
    }
    return loads;
  },
});
