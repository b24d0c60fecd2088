import { jest } from '@jest/globals';
import { type CacheClient, events, type TopologyEvent, type TopologyFailureEvent } from '../../lib/index.js';
import { slotOf } from '../../lib/core/slot.js';
import { type Cluster, describeWithServers, leftovers, type Server, startCluster, until } from '../support/index.js';
import { closeClients, ending, newClient, openClient } from '../integration/open-client.js';
import { callsOf, tagOf } from './shards.js';

/** How far a replica has come is said every second, not every ten; before, no map names it. */
const PROMPT = ['repl-ping-replica-period 1'];

describeWithServers('the map of a cluster', () => {
  let cluster: Cluster;
  const changes: TopologyEvent[] = [];
  const failures: TopologyFailureEvent[] = [];
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1, nodeTimeout: 600, server: { config: PROMPT } });
    const [first] = cluster.nodes as [Server];
    // A replica is not named before its primary has heard how far it has come.
    const isNamed = (map: string): boolean => cluster.nodes.every(({ port }) => map.includes(`,${port},`));
    await until(async () => isNamed(JSON.stringify(await first.command('CLUSTER', 'SLOTS'))), {
      what: 'all replicas are named',
    });
    stops.push(events.topology.subscribe((event) => changes.push(event)));
    stops.push(events.topologyFailure.subscribe((event) => failures.push(event)));
  });

  beforeEach(() => {
    changes.length = failures.length = 0;
  });

  afterEach(async () => {
    jest.useRealTimers();
    await closeClients();
  });

  afterAll(async () => {
    for (const stop of stops) stop();
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[CLU-3] [CLU-5] is read again every half minute, so that a move nobody stumbled over is noticed', async () => {
    // Nothing but the period's timer stands still; what it starts is real.
    const doNotFake = [
      'setTimeout',
      'clearTimeout',
      'setImmediate',
      'clearImmediate',
      'nextTick',
      'queueMicrotask',
      'performance',
      'Date',
      'hrtime',
    ] as const;
    jest.useFakeTimers({ doNotFake: [...doNotFake] });
    const client = newClient({ mode: 'cluster', nodes: cluster.addrs });
    await client.connect();
    changes.length = 0;
    const tag = tagOf(0);
    const [from, to] = cluster.nodes as [Server, Server];
    await cluster.migrateSlot(slotOf(tag), from, to);
    const asked = await questions();

    jest.advanceTimersByTime(29_000);
    expect(await questions()).toBe(asked);
    jest.advanceTimersByTime(1_500);
    await until(() => changes.length > 0, { what: 'the change is told' });

    expect(await questions()).toBe(asked + 1);
    expect(changes[0]).toMatchObject({
      client: 'default',
      primaries: expect.arrayContaining(cluster.addrs.slice(0, 3)),
      replicas: expect.arrayContaining(cluster.addrs.slice(3)),
    });
    const redirected: unknown[] = [];
    const stop = events.redirection.subscribe((event) => redirected.push(event));
    await client.get(`a${tag}`);
    stop();
    expect(redirected).toEqual([]);
    await cluster.migrateSlot(slotOf(tag), to, from);
  });

  it('[CLU-3] [CLU-5] is read again after a redirection, but no more than once a second', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const [from, to] = cluster.nodes as [Server, Server];
    const tags = tagsOf(0, 12);
    const redirected: unknown[] = [];
    const stop = events.redirection.subscribe((event) => redirected.push(event));
    const openedAt = performance.now();
    // The connect itself has read the map.
    await until(() => performance.now() - openedAt > 1_000, { what: 'it may be read again' });
    const asked = await questions();
    const startedAt = performance.now();
    for (const tag of tags) {
      await cluster.migrateSlot(slotOf(tag), from, to);
      expect(await client.get(`a${tag}`)).toBeNull();
    }
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    stop();

    await until(async () => (await questions()) > asked, { what: 'it has been read again' });
    expect(await questions()).toBeLessThanOrEqual(asked + 1 + seconds);
    expect(redirected.length).toBeGreaterThan(3 + seconds);
    expect(redirected).toContainEqual({
      client: 'default',
      clientId: expect.any(Number),
      kind: 'moved',
      command: 'GET',
      slot: slotOf(tags[0] as string),
      from: from.addr,
      to: to.addr,
    });
    for (const tag of tags) await cluster.migrateSlot(slotOf(tag), to, from);
  }, 30_000);

  it('[CLU-3] is learned from others while a node is frozen, and loses a node that has vanished', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, timeouts: { read: 500, write: 500 } });
    const victim = cluster.nodes[2] as Server;
    const [heir] = (await cluster.replicasOf(victim)) as [Server];
    expect(names(client)).toContain(victim.addr);

    victim.pause();
    await cluster.failover(heir, 'TAKEOVER');
    const key = `a${tagOf(2)}`;
    // The first call pays with its deadline; what it finds out helps the next.
    await until(async () => (await ending(client.get(key))) === null, { what: 'the heir answers', timeout: 4_000 });
    const isGone = (): boolean => !names(client).includes(victim.addr);
    await until(
      async () => {
        await client.get(key);
        return roleOf(client, heir) === 'primary' && (isGone() || roleOf(client, victim) === 'replica');
      },
      { what: 'the map is right' },
    );

    await victim.kill();
    const others = cluster.nodes.filter((node) => node !== victim);
    const forgotten = async (node: Server): Promise<boolean> =>
      !JSON.stringify(await node.command('CLUSTER', 'SLOTS')).includes(`,${victim.port},`);
    await until(async () => (await Promise.all(others.map(forgotten))).every(Boolean), { what: 'nobody names it' });
    // Its lost connection makes the client look, as often as an attempt to reopen it fails.
    await until(isGone, { what: 'the client has dropped it' });
    expect(await client.get(key)).toBeNull();
  }, 30_000);

  it('[CLU-5] says of each node why it could not be read', async () => {
    const client = await openClient({
      mode: 'cluster',
      nodes: cluster.addrs.slice(0, 2),
      timeouts: { read: 300, write: 300 },
    });
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await ending(client.get('a'));
    await until(() => failures.length > 0, { what: 'the failure is told' });

    expect(failures[0]?.reasons).toEqual(
      expect.arrayContaining(cluster.addrs.slice(0, 2).map((node) => ({ node, code: 'VALKEY_CONNECTION_FAILED' }))),
    );
    await until(() => client.status().state === 'down', { what: 'the client says so' });
  });

  /** How often any node has been asked for the map. */
  async function questions(): Promise<number> {
    const running = cluster.nodes.filter(({ state }) => state === 'running');
    const counts = await Promise.all(running.map((node) => callsOf(node, 'cluster|slots')));
    return counts.reduce((sum, count) => sum + count, 0);
  }
});

function names(client: CacheClient): readonly string[] {
  return client.nodes().map(({ route }) => route.id);
}

function roleOf(client: CacheClient, { addr }: Server): string | undefined {
  return client.nodes().find(({ route }) => route.id === addr)?.role;
}

/** Tags of `count` different slots of one shard. */
function tagsOf(shard: number, count: number): readonly string[] {
  const [lowest, highest] = [0, 1].map((part) => Math.round(((shard + part) * 16_384) / 3)) as [number, number];
  const tags: string[] = [];
  for (let attempt = 0; tags.length < count; attempt += 1) {
    const slot = slotOf(`{s${attempt}}`);
    if (slot >= lowest && slot < highest) tags.push(`{s${attempt}}`);
  }
  return tags;
}
