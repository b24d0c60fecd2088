import type { CacheClient, CachingOptions } from '../../../lib/index.js';
import { CacheService, createClient, resolveSettings } from '../../../lib/index.js';
import { FakeClock, TestStore } from '../../../lib/testing/index.js';
import { startCluster, startServer } from '../../support/index.js';

/** One application's caches with the client under them. */
export interface Instance {
  readonly client: CacheClient;
  readonly caching: CacheService;
}

/** Somewhere to keep things, with as many applications on it as a test wants. */
export interface Deployment {
  /** Opens one more application on the same data. */
  open(options?: CachingOptions): Promise<Instance>;
  /** Closes what was opened since the last time, and empties the store. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Who can serve as a store, by name. */
export const DEPLOYMENTS = {
  embedded: (): Promise<Deployment> => {
    // Time has to pass by itself here.
    const store = new TestStore({ clock: Object.assign(new FakeClock(), { now: () => Date.now() }) });
    const { settings } = resolveSettings({ mode: 'embedded' }, {});
    const open = async (): Promise<CacheClient> => {
      const client = createClient(settings, { driver: store.driver() });
      await client.connect();
      return client;
    };
    return Promise.resolve(deployment(open, () => Promise.resolve()));
  },
  single: async (): Promise<Deployment> => {
    const server = await startServer();
    const options = { host: server.host, port: server.port };
    return deployment(
      () => connected(options),
      () => server.stop(),
    );
  },
  cluster: async (): Promise<Deployment> => {
    const cluster = await startCluster();
    const options = { mode: 'cluster' as const, nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) };
    return deployment(
      () => connected(options),
      () => cluster.stop(),
    );
  },
};

async function connected(options: object): Promise<CacheClient> {
  const client = createClient(resolveSettings({ drain: 1_000, ...options }, {}).settings);
  await client.connect();
  return client;
}

function deployment(connect: () => Promise<CacheClient>, stop: () => Promise<void>): Deployment {
  const open = new Set<CacheClient>();
  const close = async (): Promise<void> => {
    const clients = [...open];
    open.clear();
    await Promise.all(clients.map((client) => client.close()));
  };
  return {
    open: async (options) => {
      const client = await connect();
      open.add(client);
      return { client, caching: new CacheService(client, options) };
    },
    reset: async () => {
      const [client] = open;
      if (client) for await (const key of client.scan()) await client.del(key);
      await close();
    },
    stop: async () => {
      await close();
      await stop();
    },
  };
}
