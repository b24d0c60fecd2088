import { RateLimiter } from '../../../lib/index.js';
import type { CacheClient, Limit } from '../../../lib/index.js';
import { tagOf } from '../../faults/shards.js';
import { ALGORITHMS } from '../../unit/features/rate-limit/arrivals.js';
import {
  describeWithServers,
  leftovers,
  startCluster,
  startFaultProxy,
  startServer,
  until,
} from '../../support/index.js';
import type { Cluster, FaultProxy, Server } from '../../support/index.js';
import { slotOf } from '../../../lib/core/slot.js';
import { closeClients, codeOf, ending, openClient } from '../open-client.js';

const TIMEOUT = 2_000;
/** What a busy machine may add. */
const SLACK = 3_000;

/** A server behind a proxy, and how to get there. */
interface Site {
  readonly proxy: FaultProxy;
  readonly options: Readonly<Record<string, unknown>>;
  /** Whose counters are behind the proxy. */
  readonly subject: string;
  stop(): Promise<void>;
}

const SITES = {
  'a server': async (): Promise<Site> => {
    const server = await startServer();
    const proxy = await startFaultProxy(server);
    return {
      proxy,
      options: { host: proxy.host, port: proxy.port },
      subject: 's',
      stop: async () => {
        await proxy.close();
        await server.stop();
      },
    };
  },
  'a cluster': async (): Promise<Site> => {
    const cluster: Cluster = await startCluster({ primaries: 3, replicas: 0 });
    const node = cluster.nodes[1] as Server;
    const proxy = await startFaultProxy(node);
    // From now the cluster tells clients to go through the proxy.
    await node.command('CONFIG', 'SET', 'cluster-announce-port', proxy.port);
    const isAnnounced = async (server: Server): Promise<boolean> =>
      JSON.stringify(await server.command('CLUSTER', 'SLOTS')).includes(`,${proxy.port},`);
    await until(async () => (await Promise.all(cluster.nodes.map(isAnnounced))).every(Boolean), {
      what: 'all nodes know the announced port',
    });
    return {
      proxy,
      options: { mode: 'cluster', nodes: cluster.addrs },
      subject: subjectOfShard(1),
      stop: async () => {
        await proxy.close();
        await cluster.stop();
      },
    };
  },
};

/** A subject whose counters are on the shard number `index` of three. */
function subjectOfShard(index: number): string {
  const wanted = Math.floor((slotOf(tagOf(index)) * 3) / 16_384);
  for (let attempt = 0; ; attempt += 1) {
    if (Math.floor((slotOf(`{:s${attempt}}`) * 3) / 16_384) === wanted) return `s${attempt}`;
  }
}

describe.each(Object.keys(SITES) as (keyof typeof SITES)[])('on %s', (name) => {
  describeWithServers('a lost reply to a count', () => {
    let site: Site;
    let client: CacheClient;

    beforeAll(async () => {
      site = await SITES[name]();
    });
    beforeEach(async () => {
      client = await openClient(site.options);
    });
    afterEach(closeClients);
    afterAll(async () => {
      await site.stop();
      expect(leftovers()).toEqual([]);
    });

    it.each(ALGORITHMS)('[L5] is counted once, and the call ends in time: %s', async (algorithm) => {
      const limit: Limit = { limit: 10, window: '1h', algorithm };
      const limiter = new RateLimiter(client, { timeout: TIMEOUT, blockList: 0 });
      await limiter.reset(site.subject, limit);
      await limiter.peek(site.subject, limit);
      await limiter.consume('warm', limit);
      const before = site.proxy.dropped;
      site.proxy.dropReply(
        (command) => command[0]?.toUpperCase() === 'EVALSHA' && command.join(' ').includes(`{:${site.subject}}`),
      );
      const startedAt = performance.now();
      const decision = await limiter.consume(site.subject, limit);
      expect(performance.now() - startedAt).toBeLessThan(TIMEOUT + SLACK);
      expect(site.proxy.dropped).toBe(before + 1);
      // This process decides in the store's place, and has seen one call as well.
      expect(decision).toMatchObject({ admitted: true, by: 'local', tiers: [{ remaining: 9 }] });
      const after = await limiter.peek(site.subject, limit);
      expect(after).toMatchObject({ by: 'store', tiers: [{ remaining: 9 }] });
      await limiter.close();
    });

    it('[L5] is told as such where nothing is admitted without the store', async () => {
      const limit: Limit = { limit: 10, window: '1h' };
      const limiter = new RateLimiter(client, { timeout: TIMEOUT, onStoreDown: 'closed' });
      await limiter.reset(site.subject, limit);
      await limiter.consume(site.subject, limit);
      site.proxy.dropReply('EVALSHA');
      const end = await ending(limiter.consume(site.subject, limit));
      expect([codeOf(end), codeOf((end as Error).cause)]).toEqual([
        'VALKEY_RATE_LIMIT_UNAVAILABLE',
        'VALKEY_OUTCOME_UNKNOWN',
      ]);
      expect((await limiter.peek(site.subject, limit)).tiers[0]?.remaining).toBe(8);
    });

    it('[L5] of many that travel together counts each of them once', async () => {
      const limit: Limit = { limit: 1_000, window: '1h' };
      const limiter = new RateLimiter(client, { timeout: TIMEOUT });
      await limiter.reset(site.subject, limit);
      await limiter.consume(site.subject, limit);
      site.proxy.dropReply('EVALSHA');
      const many = await Promise.all(Array.from({ length: 100 }, () => limiter.consume(site.subject, limit)));
      expect(many.map(({ admitted, by }) => `${admitted} ${by}`)).toEqual(Array(100).fill('true local'));
      expect((await limiter.peek(site.subject, limit)).tiers[0]?.remaining).toBe(1_000 - 101);
      await limiter.close();
    });

    it('a look whose reply is lost is asked again', async () => {
      const limit: Limit = { limit: 10, window: '1h' };
      const limiter = new RateLimiter(client, { timeout: TIMEOUT, onStoreDown: 'closed' });
      await limiter.reset(site.subject, limit);
      await limiter.peek(site.subject, limit);
      const before = site.proxy.dropped;
      site.proxy.dropReply((command) => /^EVALSHA/i.test(command[0] ?? ''));
      expect(await limiter.peek(site.subject, limit)).toMatchObject({ by: 'store', tiers: [{ remaining: 10 }] });
      expect(site.proxy.dropped).toBe(before + 1);
    });
  });
});
