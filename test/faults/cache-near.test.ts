import { CacheService, events } from '../../lib/index.js';
import type { CacheClient, CachingOptions } from '../../lib/index.js';
import { closeClients, newClient, openClient } from '../integration/open-client.js';
import {
  describeWithServers,
  leftovers,
  startCluster,
  startFaultProxy,
  startSentinel,
  startServer,
  until,
} from '../support/index.js';
import type { Server } from '../support/index.js';

/** Milliseconds; the lease holds up nobody for long. */
const CACHING: CachingOptions = { lease: 300 };

describeWithServers('the near cache, when something breaks', () => {
  const stops: (() => Promise<unknown>)[] = [];

  /** Stopped after the test, in reverse order. */
  function kept<T>(started: T, stop: (started: T) => Promise<unknown>): T {
    stops.push(() => stop(started));
    return started;
  }

  afterEach(async () => {
    await closeClients();
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  afterAll(() => expect(leftovers()).toEqual([]));

  const single = async (): Promise<Server> => kept(await startServer(), (one) => one.stop());
  const at = ({ host, port }: Server): Promise<CacheClient> => openClient({ host, port });

  it('[C6] is empty as soon as the tracking connection is lost, and comes back', async () => {
    const server = await single();
    const client = await at(server);
    const caching = new CacheService(client, CACHING);
    await keepNear(caching, 'k', 'v');
    const off = lossOf(client, caching);
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    expect(await off).toBe(0);
    // While nobody tells about changes, a read asks the server.
    await keepNear(caching, 'k', 'v');
  });

  it('[C6] does not serve what was changed while the tracking connection was away', async () => {
    const server = await single();
    const proxy = kept(await startFaultProxy(server), (one) => one.close());
    const client = await openClient({ host: proxy.host, port: proxy.port });
    const here = new CacheService(client, CACHING);
    const there = new CacheService(await at(server), CACHING);
    await keepNear(here, 'k', 'old');
    const off = lossOf(client, here);
    await proxy.refuse();
    proxy.cut();
    expect(await off).toBe(0);
    await there.set('k', 'new');
    await proxy.accept();
    await until(async () => (await here.get('k')) !== undefined, { what: 'the server answers' });
    expect(await here.get('k')).toBe('new');
    await keepNear(here, 'k', 'new');
  });

  it.each([
    ['FLUSHALL', ['FLUSHALL']],
    ['FLUSHDB', ['FLUSHDB']],
  ])('[C6] is empty after %s', async (_title, command) => {
    const server = await single();
    const caching = new CacheService(await at(server), CACHING);
    await keepNear(caching, 'k', 'v');
    await server.command(...command);
    await until(() => caching.cache().near.entries === 0, { what: 'the near cache is empty' });
    expect(await caching.getOrLoad('k', () => 'loaded anew')).toBe('loaded anew');
  });

  it('[C6] forgets what foreign clients delete, overwrite or let expire, and what the server evicts', async () => {
    const server = await single();
    const caching = new CacheService(await at(server), CACHING);
    const name = 'cache:default:1{:k}';
    const changes: readonly (readonly (string | number)[])[] = [
      ['DEL', name],
      ['SET', name, 'foreign'],
      ['PEXPIRE', name, 1],
      ['RENAME', name, 'elsewhere'],
    ];
    for (const change of changes) {
      await caching.evict('k');
      await keepNear(caching, 'k', 'v');
      await server.command(...change);
      // An expired key is told of when somebody looks, or when the server comes round to it.
      await server.command('EXISTS', name);
      await until(() => caching.cache().near.entries === 0, { what: `it is forgotten after ${change[0]}` });
    }
    await keepNear(caching, 'k', 'v');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
    await server.command('CONFIG', 'SET', 'maxmemory', '1mb');
    await until(() => caching.cache().near.entries === 0, { what: 'it is forgotten after an eviction' });
  });

  it('[C6] does not keep a reply that raced an invalidation', async () => {
    const server = await single();
    // What is asked goes through the second proxy, which holds the replies back; the news of changes does not.
    const slow = kept(await startFaultProxy(server), (one) => one.close());
    const proxy = kept(await startFaultProxy(slow), (one) => one.close());
    const client = newClient({ host: proxy.host, port: proxy.port, timeouts: { read: '10s', write: '10s' } });
    await client.connect();
    await client.get('connected');
    proxy.retarget(server);
    const here = new CacheService(client, CACHING);
    const there = new CacheService(await at(server), CACHING);
    // Generations and the server's time are known: the entry is the only thing that is asked for.
    await keepNear(here, 'warm', 'up');
    const told = new Set<string>();
    const stop = client.track('cache:default', { changed: (key) => told.add(key), covered: () => undefined });
    const isTold = (): Promise<unknown> =>
      until(() => told.delete('cache:default:1{:k}'), { what: 'the change is told', interval: 1 });
    await there.set('k', 'old');
    await isTold();

    slow.delay(60_000);
    const asked = Number((await server.info('stats'))['keyspace_hits']);
    const first = here.get('k');
    await until(async () => Number((await server.info('stats'))['keyspace_hits']) > asked, { what: 'it is answered' });
    await there.set('k', 'new');
    await isTold();
    slow.heal();
    // It was true when it was asked for; but it is not kept.
    expect(await first).toBe('old');
    expect(await here.get('k')).toBe('new');
    stop();
  });

  it('[C6] does not keep an entry for longer than the server does', async () => {
    const server = await single();
    const here = new CacheService(await at(server), CACHING);
    const there = new CacheService(await at(server), CACHING);
    await keepNear(here, 'warm', 'up');
    await there.set('k', 'v', { ttl: 300 });
    const storedAt = performance.now();
    await until(() => performance.now() - storedAt > 200, { what: 'most of its time is over', interval: 1 });
    // Its own news of the end must not be what ends it.
    await server.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    let lastSeen = 0;
    let lookedAt = performance.now();
    await until(
      async () => {
        const askedAt = performance.now();
        // Hits are judged by a clock that stands still while this process gets no time.
        const stoodStill = askedAt - lookedAt;
        lookedAt = askedAt;
        const seen = await here.get('k');
        if (seen !== undefined) lastSeen = askedAt - stoodStill - storedAt;
        return seen === undefined;
      },
      { what: 'its time is over', interval: 1 },
    );
    expect(lastSeen).toBeLessThan(300);
  });

  it('[C6] behind sentinels is empty after a failover, and true again with the new primary', async () => {
    const group = kept(await startSentinel({ replicas: 1, downAfter: 700 }), (one) => one.stop());
    const sentinel = { name: group.name, nodes: group.addrs };
    const options = { mode: 'sentinel', sentinel, timeouts: { read: '10s', write: '10s' } };
    const client = await openClient(options);
    const here = new CacheService(client, CACHING);
    await keepNear(here, 'k', 'old');
    const off = lossOf(client, here);
    const old = await group.primary();
    await old.kill();
    expect(await off).toBe(0);
    const primary = await group.replaced(old);
    const there = new CacheService(await at(primary), CACHING);
    await there.set('k', 'new');
    expect(await here.get('k')).toBe('new');
    await keepNear(here, 'k', 'new');
    await there.set('k', 'newer');
    await until(async () => (await here.get('k')) === 'newer', { what: 'changes at the new primary are told' });
  }, 60_000);

  it('[C6] in a cluster is empty after a failover, by agreement and by death', async () => {
    const cluster = kept(await startCluster({ primaries: 3, replicas: 1, nodeTimeout: 600 }), (one) => one.stop());
    const options = { mode: 'cluster', nodes: cluster.addrs, timeouts: { read: '10s', write: '10s' } };
    const client = await openClient(options);
    const here = new CacheService(client, CACHING);
    const there = new CacheService(await openClient(options), CACHING);
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const keepAll = async (value: string): Promise<void> => {
      await Promise.all(keys.map((key) => there.set(key, value)));
      await until(
        async () => {
          await Promise.all(keys.map((key) => here.get(key)));
          return here.cache().near.entries === keys.length;
        },
        { what: 'all are kept near', timeout: 20_000 },
      );
    };
    const expectAll = async (value: string): Promise<void> => {
      await Promise.all(keys.map((key) => there.set(key, value)));
      await until(async () => (await Promise.all(keys.map((key) => here.get(key)))).every((one) => one === value), {
        what: 'all changes are told',
      });
    };
    await keepAll('first');
    const [old] = cluster.nodes as [Server];
    const [heir] = (await cluster.replicasOf(old)) as [Server];
    const agreed = lossOf(client, here);
    await cluster.failover(heir);
    await expectAll('second');
    expect(await agreed).toBe(0);
    await cluster.healthy();
    await keepAll('third');
    const died = lossOf(client, here);
    await heir.kill();
    expect(await died).toBe(0);
    await expectAll('fourth');
    await keepAll('fifth');
  }, 90_000);
});

/** Reads until the value is kept in this process. */
async function keepNear(caching: CacheService, key: string, value: string): Promise<true> {
  const before = caching.cache().near.entries;
  await until(
    async () => {
      expect(await caching.getOrLoad(key, () => value)).toBe(value);
      return caching.cache().near.entries > 0;
    },
    { what: `${key} is kept near (there were ${before})`, timeout: 20_000 },
  );
  return true;
}

/** How many entries are kept when the next loss of coverage is told. */
function lossOf(client: CacheClient, caching: CacheService): Promise<number> {
  return new Promise((resolve) => {
    const stop = events.cache.subscribe(({ kind, clientId }) => {
      if (kind !== 'near-off' || clientId !== client.identity.clientId) return;
      stop();
      // The event is told on the way: the caches hear of it in the same turn.
      queueMicrotask(() => resolve(caching.cache().near.entries));
    });
  });
}
