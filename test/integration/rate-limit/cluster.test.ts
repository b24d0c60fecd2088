import { RateLimiter } from '../../../lib/index.js';
import type { CacheClient, Limit } from '../../../lib/index.js';
import { ALGORITHMS } from '../../unit/features/rate-limit/arrivals.js';
import { describeWithServers, leftovers, startCluster, until } from '../../support/index.js';
import type { Cluster, Server } from '../../support/index.js';
import { Random } from '../cache/random.js';
import { closeClients, openClient } from '../open-client.js';

const WINDOW = 3_600_000;

describeWithServers('a limiter on a cluster', () => {
  let cluster: Cluster;
  let client: CacheClient;
  let limiter: RateLimiter;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1 });
  });
  beforeEach(async () => {
    for (const primary of await cluster.primaries()) await primary.command('FLUSHALL');
    client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    limiter = new RateLimiter(client, { onStoreDown: 'closed', timeout: '10s', blockList: 0 });
  });
  afterEach(closeClients);
  afterAll(async () => {
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  async function everyKey(): Promise<readonly (readonly [key: string, ttl: number])[]> {
    const found: (readonly [string, number])[] = [];
    for (const primary of await cluster.primaries()) {
      const keys = (await primary.command('KEYS', 'limit:*')) as readonly string[];
      const script = `local ttls = {} for i, key in ipairs(redis.call('KEYS', 'limit:*')) do ttls[#ttls + 1] = { key, redis.call('PTTL', key) } end return ttls`;
      const ttls = (await primary.command('EVAL', script, 0)) as readonly unknown[] as readonly (readonly [
        unknown,
        unknown,
      ])[];
      expect(ttls.length).toBe(keys.length);
      found.push(...ttls.map(([key, ttl]) => [String(key), Number(ttl)] as const));
    }
    return found;
  }

  it('[L8] decides about 10,000 random subjects with several tiers, each in a slot of its own', async () => {
    const random = new Random(42);
    const alphabet = ['{', '}', ':', 'a', 'b', '!', '\r\n', '\0', 'ß', '😀', ' ', '{}', '}{', '{:', '*'];
    const subjects = new Set<string>();
    while (subjects.size < 10_000) {
      const length = 1 + random.below(12);
      subjects.add(Array.from({ length }, () => random.pick(alphabet)).join('') + subjects.size.toString(36));
    }
    const tiers: readonly Limit[] = ALGORITHMS.map((algorithm, index) => ({
      limit: 2,
      window: WINDOW + index,
      algorithm,
      ...(index === 0 ? { block: '2h' as const } : {}),
    }));
    for (const admitted of [true, true, false]) {
      const decisions = await Promise.all(Array.from(subjects, (subject) => limiter.consume(subject, tiers)));
      expect(decisions.filter((decision) => decision.admitted !== admitted || decision.by !== 'store')).toEqual([]);
    }
    const keys = await everyKey();
    expect(keys).toHaveLength(10_000 * 5);
    // The last two are the window of a block and of a sliding window.
    expect(keys.filter(([, ttl]) => !(ttl > 0 && ttl <= 2 * WINDOW + 10))).toEqual([]);
    const spread = await Promise.all((await cluster.primaries()).map((node) => node.command('DBSIZE')));
    for (const count of spread) expect(Number(count)).toBeGreaterThan(10_000);
  }, 120_000);

  it('[L7] counts the next call once after a failover to a node that does not know the script', async () => {
    const limit: Limit = { limit: 10, window: WINDOW };
    const subjects = Array.from({ length: 30 }, (_, index) => `s${index}`);
    await Promise.all(subjects.map((subject) => limiter.consume(subject, limit)));
    const [primary] = (await cluster.primaries()) as [Server];
    const [replica] = (await cluster.replicasOf(primary)) as [Server];
    await caughtUp(primary, replica);
    await replica.command('SCRIPT', 'FLUSH');
    await cluster.failover(replica);
    const decisions = await Promise.all(subjects.map((subject) => limiter.consume(subject, limit)));
    expect(decisions.map(({ by, tiers }) => [by, tiers[0]?.remaining])).toEqual(subjects.map(() => ['store', 8]));
    await cluster.healthy();
  }, 60_000);

  it('[L8] admits too many after the death of a primary by the unreplicated counts at the most', async () => {
    const limit: Limit = { limit: 100, window: WINDOW };
    const subjects = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const admitted = new Map<string, number>();
    const spend = async (times: number): Promise<void> => {
      for (const subject of subjects) {
        const decisions = await Promise.all(Array.from({ length: times }, () => limiter.consume(subject, limit)));
        const more = decisions.filter((decision) => decision.admitted).length;
        admitted.set(subject, (admitted.get(subject) ?? 0) + more);
      }
    };
    await spend(60);
    const [victim] = (await cluster.primaries()) as [Server];
    const [heir] = (await cluster.replicasOf(victim)) as [Server];
    await caughtUp(victim, heir);
    // What is counted now the heir never hears of, or late.
    heir.pause();
    await spend(10);
    await victim.kill();
    heir.resume();
    await cluster.failover(heir, 'TAKEOVER');
    await until(async () => (await limiter.consume('probe', limit, { cost: 0 })).by === 'store', { what: 'it works' });
    await until(
      async () => {
        await spend(10);
        const last = await Promise.all(subjects.map((subject) => limiter.consume(subject, limit)));
        for (const [index, decision] of last.entries()) {
          const subject = subjects[index] as string;
          if (decision.admitted) admitted.set(subject, (admitted.get(subject) ?? 0) + 1);
        }
        return last.every((decision) => !decision.admitted);
      },
      { what: 'all of them are refused', timeout: 30_000 },
    );
    for (const [subject, count] of admitted) {
      expect([subject, count >= 100, count <= 110]).toEqual([subject, true, true]);
    }
    await victim.restart();
    await cluster.healthy();
  }, 90_000);
});

/** Waits until a replica has all that its primary has. */
async function caughtUp(primary: Server, replica: Server): Promise<void> {
  const at = Number((await primary.info('replication'))['master_repl_offset']);
  await until(async () => Number((await replica.info('replication'))['slave_repl_offset']) >= at, {
    what: 'the replica has everything',
  });
}
