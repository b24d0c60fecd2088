import { openClients } from '../clients.mjs';
import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clear, fill } from '../harness/dataset.mjs';

export const name = 'client-get';
export const description = 'GET of 130-byte values, each caller on keys of its own, against the clients people use';

const KEYS = Array.from({ length: 8_192 }, (_, index) => `bench:client-get:${index}`);
const VALUE = 'v'.repeat(130);
const CALLERS = [1, 8, 32, 256];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  await fill(server, KEYS, VALUE);
  const { clients, close } = await openClients(server);
  try {
    for (const each of clients) await prove(each);
    const plan = { question: name, contenders: clients, operation: get, keys: KEYS, callers };
    for await (const comparison of compare({ ...plan, pace: quick ? QUICK : FULL })) emit(comparison);
  } finally {
    await close();
    await clear(server, KEYS);
  }
}

/** @param {import('../clients.mjs').BenchClient} client @param {string} key */
function get(client, key) {
  return client.get(key);
}

/**
 * A fast wrong answer is no result: every key, all at once and so through whatever merging there is.
 *
 * @param {import('../clients.mjs').OpenClient} open
 */
async function prove({ name: subject, client }) {
  const values = await Promise.all(KEYS.map((key) => client.get(key)));
  if (!values.every((value) => value === VALUE)) throw new Error(`${subject} did not read what was written`);
}
