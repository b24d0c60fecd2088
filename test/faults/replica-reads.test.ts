import { type CacheClient, UnsupportedError } from '../../lib/index.js';
import {
  type Cluster,
  describeWithServers,
  leftovers,
  type SentinelGroup,
  type Server,
  startCluster,
  startSentinel,
  startServer,
  until,
} from '../support/index.js';
import { closeClients, codeOf, ending, newClient, openClient } from '../integration/open-client.js';
import { codesOf, startLoad } from './load.js';
import { callsOf } from './shards.js';

const KEYS = Array.from({ length: 60 }, (_, index) => `key:${'x'.repeat(index % 7)}:${index}`);

/** How far a replica has come is said every second, not every ten; before, no map names it. */
const PROMPT = ['repl-ping-replica-period 1'];

/** A primary with two replicas, whatever keeps them together. */
interface Trio {
  readonly options: Record<string, unknown>;
  readonly primary: Server;
  readonly replicas: readonly Server[];
  stop(): Promise<void>;
}

async function clusterTrio(): Promise<Trio> {
  const cluster: Cluster = await startCluster({ primaries: 1, replicas: 2, server: { config: PROMPT } });
  const [primary, ...replicas] = cluster.nodes as [Server, ...Server[]];
  // A replica is not named before the primary has heard how far it has come.
  const isNamed = (map: string): boolean => replicas.every(({ port }) => map.includes(`,${port},`));
  await until(async () => isNamed(JSON.stringify(await primary.command('CLUSTER', 'SLOTS'))), {
    what: 'the replicas are named',
  });
  return { options: { mode: 'cluster', nodes: cluster.addrs }, primary, replicas, stop: () => cluster.stop() };
}

async function sentinelTrio(): Promise<Trio> {
  // Nobody fails over here.
  const group: SentinelGroup = await startSentinel({ replicas: 2, sentinels: 1, quorum: 1, downAfter: 30_000 });
  const sentinel = { name: group.name, nodes: group.addrs };
  const { replicas } = group;
  return {
    options: { mode: 'sentinel', sentinel },
    primary: await group.primary(),
    replicas,
    stop: () => group.stop(),
  };
}

describeWithServers('reading from replicas', () => {
  describe.each([
    ['of a cluster', clusterTrio],
    ['behind sentinels', sentinelTrio],
  ])('%s', (_, start) => {
    let trio: Trio;
    let client: CacheClient;

    beforeAll(async () => {
      trio = await start();
      client = await openClient({ ...trio.options, timeouts: { read: 600, write: 600 } });
      await client.mset(Object.fromEntries(KEYS.map((key) => [key, key])));
      const isComplete = async (one: Server): Promise<boolean> => (await one.command('DBSIZE')) === KEYS.length;
      await until(async () => (await Promise.all(trio.replicas.map(isComplete))).every(Boolean), {
        what: 'the replicas have everything',
      });
    });

    beforeEach(() => Promise.all([trio.primary, ...trio.replicas].map((one) => one.command('CONFIG', 'RESETSTAT'))));

    afterAll(async () => {
      await closeClients();
      await trio.stop();
      expect(leftovers()).toEqual([]);
    });

    it.each(['replica', 'preferReplica'] as const)(
      '[CLU-4] with route %s all reading calls go there, and writing ones to the primary',
      async (route) => {
        const scoped = client.with({ route });
        for (const key of KEYS) expect(await scoped.get(key)).toBe(key);
        await scoped.set('written', route);

        expect(await gets([trio.primary])).toBe(0);
        expect(await gets(trio.replicas)).toBe(KEYS.length);
        // Not all to the same one.
        for (const replica of trio.replicas) expect(await gets([replica])).toBeGreaterThan(0);
        expect(await trio.primary.command('GET', 'written')).toBe(route);
      },
    );

    it('[CLU-4] without a route, or with primary, no replica is asked', async () => {
      for (const key of KEYS) expect(await client.get(key)).toBe(key);
      expect(await client.with({ route: 'primary' }).get('key::0')).toBe('key::0');

      expect(await gets(trio.replicas)).toBe(0);
      expect(await gets([trio.primary])).toBe(KEYS.length + 1);
    });

    it('[CLU-4] with a replica frozen, preferReplica falls back after the first deadline and stays well', async () => {
      const scoped = client.with({ route: 'preferReplica' });
      for (const replica of trio.replicas) replica.pause();
      const load = startLoad(8, (caller, turn) => scoped.get(KEYS[(caller * 7 + turn) % KEYS.length] as string));
      let felt = 0;
      try {
        await until(() => load.succeeded > 500, { what: 'the primary answers', timeout: 5_000 });
        felt = load.errors.length;
        await until(() => load.succeeded > 1_500, { what: 'it goes on', timeout: 5_000 });
      } finally {
        for (const replica of trio.replicas) replica.resume();
        await load.stop();
      }

      expect(felt).toBeGreaterThan(0);
      expect(codesOf(load.errors.slice(felt))).toEqual({});
      expect(Object.keys(codesOf(load.errors))).toEqual(['VALKEY_DEADLINE_EXCEEDED']);
    }, 20_000);

    it('[CLU-4] with the replicas gone, preferReplica costs no call; replica says that there is none', async () => {
      const load = startLoad(4, (caller, turn) =>
        client.with({ route: 'preferReplica', timeout: '5s' }).get(KEYS[(caller + turn) % KEYS.length] as string),
      );
      await until(() => load.succeeded > 100, { what: 'the load runs' });
      await Promise.all(trio.replicas.map((replica) => replica.kill()));
      const before = load.succeeded;
      await until(() => load.succeeded > before + 200, { what: 'calls go on', timeout: 6_000 });
      await load.stop();
      const refused = await ending(client.with({ route: 'replica', timeout: 300 }).get('key::0'));

      expect(codesOf(load.errors)).toEqual({});
      expect(codeOf(refused)).toBe('VALKEY_DEADLINE_EXCEEDED');
      expect(codeOf((refused as Error).cause)).toBe('VALKEY_CONNECTION_FAILED');
    }, 20_000);
  });

  it('[CLU-4] of a single server is refused, at once and with the way out', async () => {
    const server = await startServer();
    const client = newClient({ host: server.host, port: server.port });

    expect(() => client.with({ route: 'replica' })).toThrow(UnsupportedError);
    expect(() => client.with({ route: 'replica' })).toThrow(/preferReplica/);
    expect(await client.with({ route: 'preferReplica' }).get('a')).toBeNull();
    await closeClients();
    await server.stop();
  });
});

async function gets(servers: readonly Server[]): Promise<number> {
  const counts = await Promise.all(servers.map((server) => callsOf(server, 'get')));
  return counts.reduce((sum, count) => sum + count, 0);
}
