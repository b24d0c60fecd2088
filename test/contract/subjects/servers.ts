import { createClient, resolveSettings, type CacheClient, type Settings, type ValkeyOptions } from 'nestjs-valkey';
import type { DriverUnderTest } from 'nestjs-valkey/testing';

import { type Server, startCluster, startSentinel, startServer } from '../../support/index.js';
import { SECRETS, type Subject } from './discreet.js';
import { DRAIN } from './embedded.js';
import type { Emissions } from './emissions.js';

/** Names the client's table does not hold: what it has to ask the server about. */
const renamed = { GETSET: 'x.getset', EVAL_RO: 'x.eval' } as const;
const { username, password, sentinelPassword } = SECRETS;
const server = {
  config: Object.entries(renamed).map(([name, other]) => `rename-command ${name} ${other}`),
  users: ['default off', `${username} on >${password} ~* &* +@all`],
};

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
  const started = await startSentinel({ server, replicas: 1, sentinelPassword });
  const { name, addrs, servers } = started;
  return {
    options: { mode: 'sentinel', sentinel: { name, nodes: addrs, password: sentinelPassword } },
    primaries: servers,
    stop: () => started.stop(),
  };
});

function subjectOf(start: () => Promise<Running>): Subject {
  return (emissions) => ({
    capabilities: { renamed },
    async open(): ReturnType<DriverUnderTest['open']> {
      const { options, primaries, stop } = await start();
      const settingsFor = (keyPrefix: string, secret: string = password): Settings =>
        resolveSettings(
          { ...options, keyPrefix, drain: DRAIN, credentials: { username, password: secret } } as ValkeyOptions,
          {},
        ).settings;
      if (emissions) await beRefused(settingsFor('', SECRETS.wrongPassword), emissions);
      return {
        async connect({ keyPrefix }): Promise<CacheClient> {
          const settings = settingsFor(keyPrefix);
          const client = createClient(settings, { interceptors: emissions?.interceptors ?? [] });
          await client.connect();
          return emissions ? emissions.attend(client, settings) : client;
        },
        async blocked() {
          const infos = await Promise.all(primaries.map((node) => node.info('clients')));
          return infos.reduce((sum, info) => sum + Number(info['blocked_clients']), 0);
        },
        close: stop,
      };
    },
  });
}

/** Nothing tempts to tell a password like one that is wrong. */
async function beRefused(settings: Settings, emissions: Emissions): Promise<void> {
  const client = createClient(settings, { interceptors: emissions.interceptors });
  for (const attempt of [client.connect(), client.get('a')])
    await attempt.catch((error: unknown) => emissions.error(error));
  await emissions.attend(client, settings);
  await client.close();
}
