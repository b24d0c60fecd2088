import type { CacheClient } from '../../lib/index.js';
import {
  type Cluster,
  describeWithServers,
  leftovers,
  type SentinelGroup,
  type Server,
  startCluster,
  startSentinel,
  until,
  watchUnhandled,
} from '../support/index.js';
import { closeClients, openClient } from '../integration/open-client.js';
import { Counters } from './counters.js';
import { codesOf, type Load, startLoad } from './load.js';
import { tagOf } from './shards.js';

/** The breaker is on, as it is by default. */
const PATIENT = { timeouts: { read: '15s', write: '15s' } };

/** How many increment at the same time, shared out among the counters. */
const CALLERS = 24;

describeWithServers('kill -9 of a primary under load', () => {
  let servers: Cluster | SentinelGroup | undefined;

  afterEach(async () => {
    await closeClients();
    await servers?.stop();
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[F2] of a cluster costs no call that may be repeated, and applies no INCR twice', async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 1, nodeTimeout: 600 });
    servers = cluster;
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, ...PATIENT });
    const tags = [0, 1, 2].map((index) => tagOf(index));
    const [victim] = cluster.nodes as [Server];
    const [heir] = (await cluster.replicasOf(victim)) as [Server];

    await survive(client, tags, async (load, counters) => {
      await killBusy(victim, counters[0] as Counters, CALLERS / tags.length);
      await until(() => isPromoted(heir), { what: 'the replica is promoted', timeout: 15_000 });
      await goOn(load, 500);
    });
  }, 45_000);

  it('[F2] behind sentinels costs no call that may be repeated, and applies no INCR twice', async () => {
    const group = await startSentinel({ replicas: 1, downAfter: 700 });
    servers = group;
    const sentinel = { name: group.name, nodes: group.addrs };
    const client = await openClient({ mode: 'sentinel', sentinel, ...PATIENT });

    await survive(client, ['{a}', '{b}'], async (load, counters) => {
      const old = await group.primary();
      await killBusy(old, counters[0] as Counters, CALLERS / 2);
      await group.replaced(old);
      await goOn(load, 500);
    });
  }, 45_000);
});

/** Calls of every kind go on while `fail` happens. */
async function survive(
  client: CacheClient,
  tags: readonly string[],
  fail: (load: Load, counters: readonly Counters[]) => Promise<void>,
): Promise<void> {
  const watch = watchUnhandled();
  const counters = tags.map((tag) => new Counters(client, `n${tag}`));
  const tagFor = (caller: number): string => tags[caller % tags.length] as string;
  const load = startLoad(24, async (caller, turn) => {
    const key = `${tagFor(caller)}:${caller}`;
    if (turn % 2 === 0) await client.set(key, String(turn));
    else await client.get(key);
  });
  const increments = startLoad(CALLERS, (caller) => (counters[caller % tags.length] as Counters).next());
  await until(() => load.succeeded > 200 && increments.succeeded > 200, { what: 'the load runs' });

  await fail(load, counters);
  await Promise.all([load.stop(), increments.stop()]);

  expect(codesOf(load.errors)).toEqual({});
  for (const counter of counters) {
    const { applied, twice } = await counter.tally();
    expect(codesOf(counter.errors)).toEqual({});
    expect(counter.wrong).toEqual([]);
    expect(twice).toEqual([]);
    // Replication is asynchronous: what was confirmed in the last moment may be gone, more than was sent cannot be there.
    expect(applied).toBeLessThanOrEqual(counter.acknowledged + counter.unknown);
    expect(counter.calls).toBe(counter.acknowledged + counter.unknown);
  }
  // The kill was felt, by increments that were on the wire: otherwise nothing of this proves anything.
  expect(counters[0]?.unknown).toBeGreaterThanOrEqual(CALLERS / tags.length);
  expect(load.longest).toBeGreaterThan(300);
  expect(client.circuits().map(({ state }) => state)).not.toContain('open');
  expect(await watch.stop()).toEqual([]);
}

/** Frozen first, until every caller of the counter waits for an answer that will not come; then it dies. */
async function killBusy(server: Server, counter: Counters, callers: number): Promise<void> {
  server.pause();
  let acknowledged = -1;
  const allWait = (): boolean => {
    // Answers it gave before may still be on their way to us.
    const isQuiet = counter.acknowledged === acknowledged;
    acknowledged = counter.acknowledged;
    return isQuiet && counter.underWay === callers;
  };
  await until(allWait, { what: 'every increment waits', interval: 50 });
  await server.kill();
}

async function isPromoted(server: Server): Promise<boolean> {
  return (await server.info('replication'))['role'] === 'master';
}

async function goOn(load: Load, calls: number): Promise<void> {
  const before = load.succeeded;
  await until(() => load.succeeded > before + calls, { what: 'calls succeed again', timeout: 15_000 });
}
