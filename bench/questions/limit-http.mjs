import { Pool } from 'undici';

import { startChild } from '../harness/child.mjs';
import { compare, FULL, QUICK, ROUTE_WARM_UP } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';

export const name = 'limit-http';
export const description =
  'a Fastify route of a Nest application: bare, with @RateLimit, and with ThrottlerGuard on Redis';

/** Subjects and where their routes are. */
const ROUTES = { bare: 'bare', 'nestjs-valkey': 'rate-limit', throttler: 'throttler' };
/** Enough to keep the application busy, each on a connection of its own. */
const CALLERS = [32];
const SMALL = 10;
const PROGRAM = new URL('../programs/limit-http.mjs', import.meta.url);

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
    const address = await application.ask('open', { server, small: SMALL });
    pool = new Pool(address, { connections: Math.max(...callers), pipelining: 1 });
    const contenders = Object.entries(ROUTES).map(([subject, path]) => ({ name: subject, client: { path, pool } }));
    for (const { name: subject, client } of contenders) await prove(subject, client);
    // Of the application: what asking costs is the same for everybody.
    const cpuUsage = () => application.ask('cpuUsage');
    // The address is who is limited, so everybody asks for the same.
    const keys = Array.from({ length: Math.max(...callers) }, () => 'ample');
    const plan = { question: name, contenders, operation: get, keys, callers, cpuUsage };
    for await (const comparison of compare({ ...plan, warmUp: ROUTE_WARM_UP, pace: quick ? QUICK : FULL }))
      emit(comparison);
  } finally {
    await pool?.close();
    await application.stop();
    await clearCaches(server);
  }
}

/** @param {Route} route @param {string} which */
async function get(route, which) {
  const { status, text } = await ask(route, which);
  if (status !== 200) throw new Error(`GET /${route.path}/${which} gave ${status}: ${text}`);
}

/** @param {Route} route @param {string} which */
async function ask({ path, pool }, which) {
  const { statusCode, body } = await pool.request({ path: `/${path}/${which}`, method: 'GET' });
  return { status: statusCode, text: await body.text() };
}

/**
 * A fast wrong answer is no result: what is said to be limited is, and exactly.
 *
 * @param {string} subject
 * @param {Route} route
 */
async function prove(subject, route) {
  const asked = await Promise.all(Array.from({ length: 5 * SMALL }, () => ask(route, 'small')));
  const admitted = asked.filter(({ status }) => status === 200).length;
  const expected = subject === 'bare' ? asked.length : SMALL;
  if (admitted !== expected) throw new Error(`${subject} admitted ${admitted} of ${asked.length}, not ${expected}`);
  const refused = asked.filter(({ status }) => status === 429).length;
  if (admitted + refused !== asked.length) throw new Error(`${subject} answered something else than 200 and 429`);
}
