import { Pool } from 'undici';

import { forEach } from '../harness/callers.mjs';
import { startChild } from '../harness/child.mjs';
import { compare, FULL, QUICK, ROUTE_WARM_UP } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';

export const name = 'idempotency-http';
export const description =
  'POST of a Fastify route of a Nest application: bare, and with an idempotency key, for the first time and repeated';

const IDS = Array.from({ length: 2_048 }, (_, index) => `order-${index}`);
/** Enough to keep the application busy, each on a connection of its own. */
const CALLERS = [32];
const PROGRAM = new URL('../programs/idempotency.mjs', import.meta.url);

/** Subjects, where their routes are, and whether each request is a new one. */
const SUBJECTS = [
  { name: 'bare', path: 'bare', isNew: true },
  { name: 'nestjs-valkey first', path: 'nestjs-valkey', isNew: true },
  { name: 'nestjs-valkey replay', path: 'nestjs-valkey', isNew: false },
  { name: 'node-idempotency first', path: 'node-idempotency', isNew: true },
  { name: 'node-idempotency replay', path: 'node-idempotency', isNew: false },
];

let requests = 0;

/**
 * A route, with the connections of whoever asks.
 *
 * @typedef {object} Route
 * @property {string} path
 * @property {boolean} isNew
 * @property {Pool} pool
 */

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  const application = startChild(PROGRAM);
  /** @type {Pool | undefined} */
  let pool;
  try {
    const address = await application.ask('open', { server });
    pool = new Pool(address, { connections: Math.max(...callers), pipelining: 1 });
    const contenders = SUBJECTS.map(({ name: subject, path, isNew }) => ({
      name: subject,
      client: { path, isNew, pool },
    }));
    for (const { name: subject, client } of contenders) await prove(subject, client, application);
    // Of the application: what asking costs is the same for everybody.
    const cpuUsage = () => application.ask('cpuUsage');
    const plan = { question: name, contenders, operation: post, keys: IDS, callers, cpuUsage };
    for await (const comparison of compare({ ...plan, warmUp: ROUTE_WARM_UP, pace: quick ? QUICK : FULL }))
      emit(comparison);
  } finally {
    await pool?.close();
    await application.stop();
    await clearCaches(server);
  }
}

/** @param {Route} route @param {string} id @returns {Promise<string>} */
async function post({ path, isNew, pool }, id) {
  const key = isNew ? `${id}-${(requests += 1)}` : id;
  const { statusCode, body } = await pool.request({
    path: `/${path}`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: `{"productId":"${id}","quantity":2}`,
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`POST /${path} gave ${statusCode}: ${text}`);
  return text;
}

/**
 * A fast wrong answer is no result: every response is right, a new key runs the method, and a known one does not.
 *
 * @param {string} subject
 * @param {Route} route
 * @param {import('../harness/child.mjs').Child} application
 */
async function prove(subject, route, application) {
  const postAll = () =>
    forEach(IDS, CALLERS[0], async (id) => {
      const { orderId, quantity } = JSON.parse(await post(route, id));
      if (orderId !== id || quantity !== 2) throw new Error(`${subject} did not answer right`);
    });
  if (!route.isNew) await postAll();
  const before = await application.ask('runs', route.path);
  await postAll();
  const runs = (await application.ask('runs', route.path)) - before;
  if (runs !== (route.isNew ? IDS.length : 0))
    throw new Error(`${subject} ran ${runs} times for ${IDS.length} requests`);
}
