import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from '../../lib/client/create-client.ts';
import { resolveSettings } from '../../lib/options/resolve.ts';
import { startCluster } from '../../test/support/cluster.ts';
import { startFaultProxy } from '../../test/support/fault-proxy.ts';
import { startSentinel } from '../../test/support/sentinel.ts';
import { startServer } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';

/**
 * Servers with a client and what can happen to them.
 *
 * @typedef {object} Deployment
 * @property {string} name
 * @property {import('../../lib/index.js').CacheClient} client
 * @property {Readonly<Record<string, import('./faults.mjs').Fault>>} faults
 * @property {() => Promise<void>} recover - everything runs and is connected again
 * @property {() => Promise<void>} stop
 */

/** @returns {Promise<Deployment[]>} one of each topology */
export function deploy() {
  return Promise.all([single(), sentinel(), cluster()]);
}

/** @returns {Promise<Deployment>} */
async function single() {
  const server = await startServer();
  const proxy = await startFaultProxy(server);
  const client = await connect({ name: 'single', host: proxy.host, port: proxy.port });
  return {
    name: 'single',
    client,
    faults: {
      ...serverFaults(async () => server),
      crash: async (random) => {
        await server.kill();
        await pause(random() * 1_500);
        await server.restart();
      },
      cut: async () => proxy.cut(),
      'black hole': async (random) => {
        proxy.blackHole();
        await pause(300 + random() * 4_000);
        proxy.heal();
      },
      'lost reply': async (random) => {
        proxy.dropReply(['INCR', 'EXEC', 'EVALSHA', 'GET'][Math.floor(random() * 4)]);
        await pause(300);
        proxy.heal();
      },
      slowness: async (random) => {
        proxy.delay(50 + random() * 500);
        await pause(500 + random() * 1_000);
        proxy.heal();
      },
      refusal: async (random) => {
        await proxy.refuse();
        proxy.cut();
        await pause(random() * 1_500);
        await proxy.accept();
      },
    },
    recover: async () => proxy.heal(),
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
  };
}

/** @returns {Promise<Deployment>} */
async function sentinel() {
  const group = await startSentinel({ replicas: 1, downAfter: 1_000 });
  const client = await connect({ name: 'sentinel', sentinel: { name: group.name, nodes: group.addrs } });
  const linked = () => allLinked(group);
  return {
    name: 'sentinel',
    client,
    faults: {
      ...serverFaults(() => group.primary()),
      failover: async () => {
        await linked();
        await group.failover();
      },
      crash: async () => {
        await linked();
        const old = await group.primary();
        await old.kill();
        await group.replaced(old);
        await old.restart();
      },
    },
    recover: linked,
    stop: () => group.stop(),
  };
}

/** @returns {Promise<Deployment>} */
async function cluster() {
  const running = await startCluster({ primaries: 3, replicas: 1 });
  const client = await connect({ name: 'cluster', nodes: running.addrs });
  const anyPrimary = async (random) => {
    const primaries = await running.primaries();
    return primaries[Math.floor(random() * primaries.length)];
  };
  return {
    name: 'cluster',
    client,
    faults: {
      ...serverFaults(anyPrimary),
      failover: async (random) => {
        await running.healthy();
        const [replica] = await running.replicasOf(await anyPrimary(random));
        await running.failover(replica);
      },
      crash: async (random) => {
        await running.healthy();
        const primary = await anyPrimary(random);
        const [replica] = await running.replicasOf(primary);
        await primary.kill();
        await until(async () => (await replica.info('replication')).role === 'master', {
          what: `${replica.addr} is promoted`,
          timeout: 20_000,
        });
        await primary.restart();
      },
      resharding: async (random) => {
        await running.healthy();
        const slot = Math.floor(random() * 16_384);
        const from = await running.nodeOfSlot(slot);
        const to = (await running.primaries()).find((node) => node !== from);
        await running.openSlot(slot, from, to);
        await pause(random() * 300);
        await running.moveKeys(slot, from, to);
        await running.closeSlot(slot, from, to);
      },
    },
    recover: () => running.healthy(),
    stop: () => running.stop(),
  };
}

/**
 * What can happen to any server.
 *
 * @param {(random: () => number) => Promise<import('../support/server.js').Server>} choose
 * @returns {Readonly<Record<string, import('./faults.mjs').Fault>>}
 */
function serverFaults(choose) {
  return {
    freeze: async (random) => {
      const server = await choose(random);
      server.pause();
      await pause(200 + random() * 1_500);
      server.resume();
    },
    'client kill': async (random) => void (await (await choose(random)).command('CLIENT', 'KILL', 'TYPE', 'normal')),
    'script flush': async (random) => void (await (await choose(random)).command('SCRIPT', 'FLUSH')),
    'slow command': async (random) =>
      void (await (await choose(random)).command('DEBUG', 'SLEEP', random().toFixed(2))),
  };
}

/** @param {Record<string, unknown>} options */
async function connect(options) {
  const client = createClient(resolveSettings({ drain: 1_000, ...options }, {}).settings);
  await client.connect();
  return client;
}

async function allLinked(group) {
  const primary = await group.primary();
  await until(async () => Number((await primary.info('replication')).connected_slaves) === group.servers.length - 1, {
    what: 'the replica follows',
    timeout: 20_000,
  });
}
