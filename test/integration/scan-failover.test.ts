import {
  type Cluster,
  describeWithServers,
  leftovers,
  type SentinelGroup,
  type Server,
  startCluster,
  startSentinel,
  until,
} from '../support/index.js';
import type { CacheClient } from '../../lib/index.js';
import { closeClients, openClient } from './open-client.js';

const KEYS = Array.from({ length: 3_200 }, (_, index) => `there:${index}`);
const PATIENT = { timeouts: { read: '20s', write: '20s' }, resilience: { breaker: false } };

describeWithServers('a scan during a failover', () => {
  let cluster: Cluster | undefined;
  let group: SentinelGroup | undefined;

  afterEach(async () => {
    await closeClients();
    await Promise.all([cluster?.stop(), group?.stop()]);
    cluster = undefined;
    group = undefined;
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[CMD-7] on a cluster misses no key that existed throughout, and gives none twice', async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1 });
    const running = cluster;
    const client = await openClient({ mode: 'cluster', nodes: running.addrs, ...PATIENT });
    await fill(client, running.nodes.slice(0, 3));

    const seen = await scan(client, async () => {
      const [primary] = await running.primaries();
      const [replica] = await running.replicasOf(primary as Server);
      await running.failover(replica as Server);
    });
    expect(seen).toHaveLength(KEYS.length);
    expect(new Set(seen)).toEqual(new Set(KEYS));
  }, 40_000);

  it('[CMD-7] behind sentinels misses no key that existed throughout, and gives none twice', async () => {
    group = await startSentinel({ replicas: 1 });
    const running = group;
    const sentinel = { name: running.name, nodes: running.addrs };
    const client = await openClient({ mode: 'sentinel', sentinel, ...PATIENT });
    await fill(client, [await running.primary()]);

    const seen = await scan(client, async () => void (await running.failover()));
    expect(seen).toHaveLength(KEYS.length);
    expect(new Set(seen)).toEqual(new Set(KEYS));
  }, 40_000);
});

async function fill(client: CacheClient, primaries: readonly Server[]): Promise<void> {
  await client.mset(Object.fromEntries(KEYS.map((key) => [key, 'x'])));
  // A key that never reached a replica is not one that existed throughout.
  for (const primary of primaries) {
    await until(async () => (await lag(primary)) === 0, { what: 'a replica that has everything' });
  }
}

/** Bytes of the primary's history its replica has not confirmed; everything as long as it is not even linked. */
async function lag(primary: Server): Promise<number> {
  const { master_repl_offset: offset, slave0 = '' } = await primary.info('replication');
  const confirmed = /state=online,offset=(\d+)/.exec(slave0)?.[1];
  return confirmed === undefined ? Infinity : Number(offset) - Number(confirmed);
}

/** All keys a scan gives while `fail` happens after its first thousand. */
async function scan(client: CacheClient, fail: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const key of client.scan({ count: 20 })) {
    seen.push(key);
    if (seen.length === 1_000) await fail();
  }
  return seen;
}
