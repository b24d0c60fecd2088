import { createClient, resolveSettings } from 'nestjs-valkey';
import { PrometheusMetrics } from 'nestjs-valkey/prometheus';
import { Registry } from 'prom-client';

import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clear, fill } from '../harness/dataset.mjs';

export const name = 'client-overhead';
export const description =
  'GET of 130-byte values: what retry and breaker, and metrics, cost beside a client without them';

const KEYS = Array.from({ length: 8_192 }, (_, index) => `bench:client-overhead:${index}`);
const VALUE = 'v'.repeat(130);
/** What the question is about: one caller alone, and so many that their reads are merged. */
const CALLERS = [1, 256];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  await fill(server, KEYS, VALUE);
  const metrics = new PrometheusMetrics({ register: new Registry() });
  const off = { resilience: { retry: false, breaker: false } };
  const contenders = [];
  try {
    contenders.push({ name: 'resilience-off', client: await open(server, off) });
    contenders.push({ name: 'nestjs-valkey', client: await open(server) });
    contenders.push({ name: 'metrics-interceptor', client: await open(server, {}, { interceptors: [metrics] }) });
    for (const { name: subject, client } of contenders) await prove(subject, client);
    const plan = { question: name, contenders, operation: get, keys: KEYS, callers };
    for await (const comparison of compare({ ...plan, pace: quick ? QUICK : FULL })) emit(comparison);
  } finally {
    await Promise.all(contenders.map(({ client }) => client.close()));
    metrics.close();
    await clear(server, KEYS);
  }
}

/**
 * @param {import('../harness/server.mjs').ServerAddress} server
 * @param {object} options
 * @param {import('nestjs-valkey').ClientParts} parts
 */
async function open(server, options = {}, parts = {}) {
  const client = createClient(resolveSettings({ ...server, ...options }, {}).settings, parts);
  await client.connect();
  return client;
}

/** @param {import('nestjs-valkey').CacheClient} client @param {string} key */
function get(client, key) {
  return client.get(key);
}

/**
 * A fast wrong answer is no result.
 *
 * @param {string} subject
 * @param {import('nestjs-valkey').CacheClient} client
 */
async function prove(subject, client) {
  const values = await Promise.all(KEYS.map((key) => client.get(key)));
  if (!values.every((value) => value === VALUE)) throw new Error(`${subject} did not read what was written`);
}
