import { Pool } from 'undici';

import { isProductOf } from '../caches/products.mjs';
import { forEach } from '../harness/callers.mjs';
import { startChild } from '../harness/child.mjs';
import { compare, FULL, QUICK, ROUTE_WARM_UP } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';
import { becomes, hitsAtServer } from '../harness/proof.mjs';

export const name = 'cache-http';
export const description =
  'a Fastify route of a Nest application: bare, with an empty interceptor, @Cacheable, @HttpCache, and CacheInterceptor';

const IDS = Array.from({ length: 4_096 }, (_, index) => `http-${index}`);
/** Subjects and where their routes are. */
const ROUTES = {
  bare: 'bare',
  'empty interceptor': 'interceptor',
  'nestjs-valkey': 'cacheable',
  'nestjs-valkey-http': 'http-cache',
  'cache-manager': 'cache-interceptor',
};
/** Enough to keep the application busy, each on a connection of its own. */
const CALLERS = [32];
/** Those that load each time. */
const UNCACHED = new Set(['bare', 'empty interceptor']);
const PROGRAM = new URL('../programs/http.mjs', import.meta.url);

/**
 * A route, with the connections of whoever asks.
 *
 * @typedef {object} Route
 * @property {string} path
 * @property {Pool} pool
 */

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  const application = startChild(PROGRAM);
  /** @type {Pool | undefined} */
  let pool;
  try {
    const address = await application.ask('open', { server, ids: IDS });
    pool = new Pool(address, { connections: Math.max(...callers), pipelining: 1 });
    const contenders = Object.entries(ROUTES).map(([subject, path]) => ({ name: subject, client: { path, pool } }));
    for (const { name: subject, client } of contenders) await prove(subject, client, application, server);
    // Of the application: what asking costs is the same for everybody.
    const cpuUsage = () => application.ask('cpuUsage');
    const plan = { question: name, contenders, operation: get, keys: IDS, callers, cpuUsage };
    for await (const comparison of compare({ ...plan, warmUp: ROUTE_WARM_UP, pace: quick ? QUICK : FULL }))
      emit(comparison);
  } finally {
    await pool?.close();
    await application.stop();
    await clearCaches(server);
  }
}

/** @param {Route} route @param {string} id @returns {Promise<string>} */
async function get({ path, pool }, id) {
  const { statusCode, body } = await pool.request({ path: `/${path}/${id}`, method: 'GET' });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`GET /${path}/${id} gave ${statusCode}: ${text}`);
  return text;
}

/**
 * A fast wrong answer is no result: every response is right, and what is said to be cached is neither loaded nor read
 * from the server.
 *
 * @param {string} subject
 * @param {Route} route
 * @param {import('../harness/child.mjs').Child} application
 * @param {import('../harness/server.mjs').ServerAddress} server
 */
async function prove(subject, route, application, server) {
  const readAll = () =>
    forEach(IDS, CALLERS[0], async (id) => {
      if (!isProductOf(JSON.parse(await get(route, id)), id)) throw new Error(`${subject} did not answer right`);
    });
  await readAll();
  const isAsMeant = async () => {
    const before = await application.ask('loads');
    const hits = await hitsAtServer(server, readAll);
    const loads = (await application.ask('loads')) - before;
    return hits === 0 && loads === (UNCACHED.has(subject) ? IDS.length : 0);
  };
  await becomes(isAsMeant, `${subject} does not answer out of the process`);
}
