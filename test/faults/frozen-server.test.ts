import { type CacheClient, events } from '../../lib/index.js';
import {
  type Cluster,
  describeWithServers,
  leftovers,
  type Server,
  startCluster,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import { closeClients, ending, openClient } from '../integration/open-client.js';
import { codesOf, startLoad } from './load.js';
import { callsOf, tagOf } from './shards.js';

const DEADLINE = 250;
/** Milliseconds after a deadline in which it is noticed: 20 on a quiet machine, which this one need not be. */
const SLACK = 250;
const HALF_OPEN_AFTER = 500;

describeWithServers('a frozen server', () => {
  afterEach(closeClients);

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[F8] [RES-3] keeps none of 256 callers beyond the deadline, and is used again soon after it thaws', async () => {
    const server = await startServer();
    const watch = watchUnhandled();
    const client = await openClient({
      host: server.host,
      port: server.port,
      timeouts: { read: DEADLINE, write: DEADLINE },
      resilience: { breaker: { failures: 5, halfOpenAfter: HALF_OPEN_AFTER } },
    });
    const load = startLoad(256, (caller, turn) =>
      turn % 4 === 0 ? client.set(`a:${caller}`, 'x') : client.get(`a:${caller}`),
    );
    await until(() => load.succeeded > 2_000, { what: 'the load runs' });

    server.pause();
    await until(() => client.circuits()[0]?.state === 'open', { what: 'the circuit opens', timeout: 5_000 });
    // Refused at once now, so every caller has been through both: waiting and refusal.
    const refused = load.errors.length;
    await until(() => load.errors.length > refused + 256, { what: 'callers are refused' });
    const { longest } = load;
    const before = load.succeeded;
    const thawedAt = performance.now();
    server.resume();
    await until(() => load.succeeded > before + 256, { what: 'the client is back' });
    const backAfter = performance.now() - thawedAt;
    await load.stop();

    process.stdout.write(
      `frozen server, 256 callers: slowest call ${longest.toFixed(1)} ms with a deadline of ${DEADLINE}, back ${backAfter.toFixed(0)} ms after it thawed\n`,
    );
    expect(longest).toBeGreaterThan(DEADLINE - 1);
    expect(longest).toBeLessThan(DEADLINE + SLACK);
    expect(backAfter).toBeLessThan(1_000 + HALF_OPEN_AFTER + SLACK);
    const { VALKEY_DEADLINE_EXCEEDED: late, VALKEY_CIRCUIT_OPEN: open, ...others } = codesOf(load.errors);
    expect(late).toBeGreaterThanOrEqual(256);
    expect(open).toBeGreaterThanOrEqual(256);
    expect(others).toEqual({});
    expect(await watch.stop()).toEqual([]);
    await closeClients();
    await server.stop();
  });
});

describeWithServers('a frozen server that takes no more bytes', () => {
  it('[F8] loses its connection all the same, and the client comes back', async () => {
    const server = await startServer();
    const client = await openClient({
      host: server.host,
      port: server.port,
      timeouts: { read: DEADLINE, write: DEADLINE },
      resilience: { breaker: { failures: 5, halfOpenAfter: HALF_OPEN_AFTER } },
    });
    await client.set('a', 'x');
    server.pause();
    // More than fits into the buffers between us: part of it cannot even leave this process.
    const big = 'x'.repeat(2 ** 20);
    await Promise.all(Array.from({ length: 32 }, (_, index) => ending(client.set(`big:${index}`, big))));
    const left = (): boolean => client.status().state !== 'ready';
    await until(left, { what: 'the connection is given up', timeout: 3_000 });
    server.resume();

    const works = async (): Promise<boolean> => (await ending(client.get('a'))) === 'x';
    await until(works, { what: 'the client is back', timeout: 5_000 });
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });
});

describeWithServers('a broken shard', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0, requireFullCoverage: false });
  });

  afterEach(closeClients);

  afterAll(async () => {
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each(['frozen', 'dead'])(
    '[RES-2] that is %s opens its own circuit only; the others work on at full speed',
    async (how) => {
      const client = await openClient({
        mode: 'cluster',
        nodes: cluster.addrs,
        timeouts: { read: DEADLINE, write: DEADLINE },
        resilience: { breaker: { failures: 5, halfOpenAfter: '1m' } },
      });
      const [broken, ...well] = [0, 1, 2].map((index) => `${tagOf(index)}k`) as [string, string, string];
      const shard = cluster.nodes[0] as Server;
      await Promise.all([broken, ...well].map((key) => client.set(key, 'x')));
      const retried: string[] = [];
      const stop = events.retry.subscribe(({ route }) => retried.push(route));
      const calls = await readsOf(cluster, shard);

      if (how === 'frozen') shard.pause();
      else await shard.kill();
      // Of one tick: whoever asks the others does not wait for those who ask the broken one.
      const settled: string[] = [];
      const unlucky = ending(client.get(broken)).then(() => settled.push('unlucky'));
      await Promise.all(well.map((key) => client.get(key).then(() => settled.push('well'))));
      expect(settled).toEqual(['well', 'well']);
      // Before the circuit opens, while it does, and behind it.
      const persistent = startLoad(8, () => client.get(broken));
      const others = startLoad(8, (caller) => client.get(well[caller % 2] as string));
      await until(() => circuit(client, shard) === 'open', { what: 'the circuit of the broken shard opens' });
      const { succeeded } = others;
      await until(() => others.succeeded >= succeeded + 1_000, { what: 'the others go on' });
      await Promise.all([persistent.stop(), others.stop(), unlucky]);
      stop();

      expect(codesOf(others.errors)).toEqual({});
      // One call, one command, on its own shard: nothing was repeated, and nothing went elsewhere.
      expect(retried.filter((route) => route !== shard.addr)).toEqual([]);
      expect(await readsOf(cluster, shard)).toBe(calls + well.length + others.succeeded);
      const states = Object.fromEntries(client.circuits().map(({ route, state }) => [route, state]));
      expect(states).toEqual(
        Object.fromEntries(cluster.nodes.map((node) => [node.addr, node === shard ? 'open' : 'closed'])),
      );
      expect(codesOf([await ending(client.get(broken))])).toEqual({ VALKEY_CIRCUIT_OPEN: 1 });
      if (how === 'frozen') shard.resume();
      else await shard.restart();
      await cluster.healthy();
    },
    30_000,
  );
});

function circuit(client: CacheClient, { addr }: Server): string | undefined {
  return client.circuits().find(({ route }) => route === addr)?.state;
}

/** How often the primaries but `broken` have run GET. */
async function readsOf({ nodes }: Cluster, broken: Server): Promise<number> {
  const counts = await Promise.all(nodes.filter((node) => node !== broken).map((node) => callsOf(node, 'get')));
  return counts.reduce((sum, count) => sum + count, 0);
}
