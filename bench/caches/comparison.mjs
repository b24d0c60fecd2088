import { forEach } from '../harness/callers.mjs';
import { becomes, hitsAtServer } from '../harness/proof.mjs';
import { Catalogue, isProductOf } from './products.mjs';

/** @typedef {import('../harness/server.mjs').ServerAddress} ServerAddress */
/** @typedef {import('./ours.mjs').CacheTask} CacheTask */
/** @typedef {import('./ours.mjs').OpenCache} OpenCache */

/** Reads under way while a cache is filled and proves itself. */
const AT_ONCE = 256;

/**
 * Opens caches, each with a catalogue of its own to load from, and lets every one of them prove that it is one.
 *
 * @param {object} plan
 * @param {ServerAddress} plan.server
 * @param {boolean} plan.near
 * @param {readonly string[]} plan.ids
 * @param {readonly ((task: CacheTask) => Promise<OpenCache>)[]} plan.openers
 * @returns {Promise<{ caches: readonly OpenCache[], close: () => Promise<void> }>}
 */
export async function openCaches({ server, near, ids, openers }) {
  /** @type {OpenCache[]} */
  const caches = [];
  const close = async () => {
    await Promise.all(caches.map((cache) => cache.close()));
  };
  try {
    for (const open of openers) {
      const catalogue = new Catalogue(ids);
      const cache = await open({ server, near, load: (id) => catalogue.take(id) });
      caches.push(cache);
      await prove(cache, catalogue, { server, near, ids });
    }
    return { caches, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A fast wrong answer is no result: every value is right, comes out of the cache and not from where it is loaded, and from
 * that tier the question is about.
 *
 * @param {OpenCache} cache
 * @param {Catalogue} catalogue
 * @param {{ server: ServerAddress, near: boolean, ids: readonly string[] }} plan
 */
async function prove({ name, client }, catalogue, { server, near, ids }) {
  const read = async (id) => {
    if (!isProductOf(await client.find(id), id)) throw new Error(`${name} did not give what was loaded`);
  };
  const readAll = () => forEach(ids, AT_ONCE, read);
  await readAll();
  if (catalogue.loads !== ids.length) throw new Error(`${name} loaded ${catalogue.loads} of ${ids.length} values`);
  const isAsMeant = async () => {
    const hits = await hitsAtServer(server, readAll);
    return near ? hits === 0 : hits >= ids.length;
  };
  await becomes(isAsMeant, `${name} does not answer out of ${near ? 'the process' : 'the server'}`);
  if (catalogue.loads !== ids.length) throw new Error(`${name} loaded again what it had`);
}
