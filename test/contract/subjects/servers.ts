import { createClient, resolveSettings, type CacheClient, type ValkeyOptions } from 'nestjs-valkey';
import type { DriverUnderTest } from 'nestjs-valkey/testing';

import { type Server, startCluster, startSentinel, startServer } from '../../support/index.js';
import { DRAIN } from './embedded.js';

/** Names the client's table does not hold: what it has to ask the server about. */
const renamed = { GETSET: 'x.getset', EVAL_RO: 'x.eval' } as const;
const server = { config: Object.entries(renamed).map(([name, other]) => `rename-command ${name} ${other}`) };

/** A topology that runs: what to connect to, and who may hold waiting callers. */
interface Running {
  readonly options: ValkeyOptions;
  readonly primaries: readonly Server[];
  stop(): Promise<void>;
}

export const single = subjectOf(async () => {
  const started = await startServer(server);
  const { host, port } = started;
  return { options: { mode: 'single', host, port }, primaries: [started], stop: () => started.stop() };
});

export const cluster = subjectOf(async () => {
  const started = await startCluster({ server });
  const { nodes, addrs } = started;
  return { options: { mode: 'cluster', nodes: addrs }, primaries: nodes, stop: () => started.stop() };
});

export const sentinel = subjectOf(async () => {
  const started = await startSentinel({ server, replicas: 1 });
  const { name, addrs, servers } = started;
  return {
    options: { mode: 'sentinel', sentinel: { name, nodes: addrs } },
    primaries: servers,
    stop: () => started.stop(),
  };
});

function subjectOf(start: () => Promise<Running>): DriverUnderTest {
  return {
    capabilities: { renamed },
    async open() {
      const { options, primaries, stop } = await start();
      return {
        async connect({ keyPrefix }): Promise<CacheClient> {
          const client = createClient(resolveSettings({ ...options, keyPrefix, drain: DRAIN }, {}).settings);
          await client.connect();
          return client;
        },
        async blocked() {
          const infos = await Promise.all(primaries.map((node) => node.info('clients')));
          return infos.reduce((sum, info) => sum + Number(info['blocked_clients']), 0);
        },
        close: stop,
      };
    },
  };
}
