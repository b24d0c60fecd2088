import { register } from 'node:module';

/**
 * Where the server of a run listens.
 *
 * @typedef {object} ServerAddress
 * @property {string} host
 * @property {number} port
 */

/**
 * A server, for as long as it is needed.
 *
 * @typedef {object} BenchServer
 * @property {ServerAddress} address
 * @property {() => Promise<void>} stop
 */

/**
 * Gives the server to measure against: the one named, or a fresh one on a free loopback port. The fresh one comes from
 * the tests' own harness, which finds the binary (`VALKEY_SERVER_BIN`, PATH, `.cache/valkey`) and ends the process by
 * its id however this one dies.
 *
 * @param {ServerAddress | undefined} given
 * @returns {Promise<BenchServer>}
 */
export async function openServer(given) {
  // Somebody else's server is not ours to stop.
  if (given) return { address: given, stop: async () => undefined };
  register('./typescript-hooks.mjs', import.meta.url);
  const { startServer } = await import('../../test/support/server.ts');
  const server = await startServer();
  return { address: { host: server.host, port: server.port }, stop: () => server.stop() };
}
