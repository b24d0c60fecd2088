import { Redis } from 'iovalkey';
import { createClient, resolveSettings } from 'nestjs-valkey';
import { createClient as createNodeRedis } from 'redis';

/** @typedef {import('./harness/server.mjs').ServerAddress} ServerAddress */

/**
 * A client as it is: questions call its own methods, with nothing in between that would cost time.
 *
 * @typedef {object} BenchClient
 * @property {(key: string) => Promise<string | null>} get
 */

/**
 * A client, each with the best settings its documentation names, connected.
 *
 * @typedef {object} OpenClient
 * @property {string} name
 * @property {BenchClient} client
 * @property {() => Promise<void>} close
 */

/**
 * Opens all clients, ours and its peers; iovalkey first, which is what the others are compared to.
 *
 * @param {ServerAddress} server
 * @returns {Promise<{ clients: readonly OpenClient[], close: () => Promise<void> }>}
 */
export async function openClients(server) {
  /** @type {OpenClient[]} */
  const clients = [];
  const close = async () => {
    await Promise.all(clients.map((open) => open.close()));
  };
  try {
    for (const open of [openIovalkey, openAutoPipelining, openNodeRedis, openOurs]) clients.push(await open(server));
    return { clients, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param {ServerAddress} server @returns {Promise<OpenClient>} */
async function openIovalkey(server) {
  const client = new Redis({ ...server, lazyConnect: true });
  await client.connect();
  return { name: 'iovalkey', client, close: async () => client.disconnect() };
}

/** @param {ServerAddress} server @returns {Promise<OpenClient>} */
async function openAutoPipelining(server) {
  const client = new Redis({ ...server, lazyConnect: true, enableAutoPipelining: true });
  await client.connect();
  return { name: 'iovalkey-autopipelining', client, close: async () => client.disconnect() };
}

/**
 * Without the 5 s timeout version 6 puts on every command: that is an AbortSignal each, and costs it most of its speed
 * with many callers. Its documentation gives 0 as the way to switch it off, so this is what it can do. The rest is fast
 * by default: RESP3, no Nagle delay, and one tick's commands pipelined. Client-side caching is another question.
 *
 * @param {ServerAddress} server
 * @returns {Promise<OpenClient>}
 */
async function openNodeRedis(server) {
  const client = createNodeRedis({ socket: server, commandOptions: { timeout: 0 } });
  // Without a listener an error would end the process; a call that fails tells by itself.
  client.on('error', () => undefined);
  await client.connect();
  return { name: 'node-redis', client, close: async () => client.destroy() };
}

/**
 * The defaults: with retry, breaker and deadlines. The environment is left out, so that everybody measures the same.
 *
 * @param {ServerAddress} server
 * @returns {Promise<OpenClient>}
 */
async function openOurs(server) {
  const client = createClient(resolveSettings(server, {}).settings);
  await client.connect();
  return { name: 'nestjs-valkey', client, close: () => client.close() };
}
