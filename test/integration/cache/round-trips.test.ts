import { CacheService } from '../../../lib/index.js';
import type { CachingOptions } from '../../../lib/index.js';
import { callsOf } from '../../faults/shards.js';
import { describeWithServers, leftovers, startCluster, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { closeClients, openClient } from '../open-client.js';
import { startRecorder } from './trips.js';
import type { Recorder } from './trips.js';

const GENERATION = 'cache:#space{:cache:default:1}';
const TAG = 'cache:#tag{:t}';
const entry = (key: string): string => `cache:default:1{:${key}}`;
const lease = (key: string): string => `${entry(key)}!lease`;
const ENTRIES = 1_000;

describeWithServers('how often a cache asks its server', () => {
  let server: Server;
  let recorder: Recorder;

  beforeAll(async () => {
    server = await startServer();
    recorder = await startRecorder(server);
  });
  afterEach(async () => {
    await closeClients();
    await server.command('FLUSHALL');
  });
  afterAll(async () => {
    await recorder.close();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  /** A cache that has been used: the server knows the scripts, and the cache the server's time. */
  const used = async (options: CachingOptions): Promise<CacheService> => {
    const caching = new CacheService(await openClient({ host: '127.0.0.1', port: recorder.port }), options);
    await caching.getOrLoad('first', () => 'v', { tags: ['t'] });
    await caching.idle();
    await caching.invalidateTags('other');
    await caching.clear();
    await caching.set('warm', 'v', { tags: ['t'] });
    if (options.near !== false) {
      await until(async () => (await caching.get('warm')) !== undefined && caching.cache().near.entries > 0, {
        what: 'it is kept near',
      });
    }
    recorder.take();
    return caching;
  };
  /** The round trips of some work, each with its commands in alphabetical order. */
  const tripsOf = async (caching: CacheService, work: () => Promise<unknown>): Promise<string[][]> => {
    recorder.take();
    await work();
    await caching.idle();
    return recorder.take().map((trip) => trip.toSorted());
  };
  const never = (): never => {
    throw new Error('It was to be a hit.');
  };

  it('[CAC-6] not at all for a near hit', async () => {
    const caching = await used({});
    expect(await tripsOf(caching, () => caching.getOrLoad('warm', never, { tags: ['t'] }))).toEqual([]);
  });

  it('[CAC-6] for one GET once the generations are known near', async () => {
    const caching = await used({});
    const other = new CacheService(await openClient({ host: server.host, port: server.port }), { near: false });
    await other.set('k', 'v', { tags: ['t'] });
    expect(await tripsOf(caching, () => caching.getOrLoad('k', never, { tags: ['t'] }))).toEqual([
      [`GET ${entry('k')}`],
    ]);
    // Also where the tags follow from the result.
    await other.set('l', 'v', { tags: ['t'] });
    expect(await tripsOf(caching, () => caching.getOrLoad('l', never))).toEqual([[`GET ${entry('l')}`]]);
  });

  it('[CAC-5] for the entry and its generations at once without a near cache', async () => {
    const caching = await used({ near: false });
    expect(await tripsOf(caching, () => caching.getOrLoad('warm', never, { tags: ['t'] }))).toEqual([
      [`MGET ${entry('warm')} ${GENERATION} ${TAG}`],
    ]);
  });

  it('[CAC-5] once more without a near cache where only the entry tells the tags', async () => {
    const caching = await used({ near: false });
    const trips = await tripsOf(caching, () => caching.getOrLoad('warm', never));
    expect(trips).toHaveLength(2);
    expect(trips[0]).toEqual([`MGET ${entry('warm')} ${GENERATION}`]);
    expect(trips[1]).toContain(`GET ${TAG}`);
  });

  it('[CAC-4] three times for a cold load: reads, takes the lease, stores', async () => {
    const caching = await used({ near: false });
    expect(await tripsOf(caching, () => caching.getOrLoad('cold', () => 'v', { tags: ['t'] }))).toEqual([
      [`MGET ${entry('cold')} ${GENERATION} ${TAG}`],
      [`EVALSHA ${entry('cold')} ${lease('cold')}`, `EVALSHA ${GENERATION}`, `EVALSHA ${TAG}`].toSorted(),
      [`EVALSHA ${entry('cold')} ${lease('cold')}`],
    ]);
  });

  it('[CAC-4] three times for a cold load with the near cache, and nothing but the entry', async () => {
    const caching = await used({});
    expect(await tripsOf(caching, () => caching.getOrLoad('cold', () => 'v', { tags: ['t'] }))).toEqual([
      [`GET ${entry('cold')}`],
      [`EVALSHA ${entry('cold')} ${lease('cold')}`],
      [`EVALSHA ${entry('cold')} ${lease('cold')}`],
    ]);
  });

  it('[CAC-5] with one command to invalidate a tag, however many entries carry it', async () => {
    const caching = await used({});
    const keys = Array.from({ length: ENTRIES }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => caching.set(key, 'v', { tags: ['t'] })));
    const trips = await tripsOf(caching, () => caching.invalidateTags('t'));
    expect(trips).toHaveLength(1);
    expect(trips[0]).toHaveLength(1);
    expect(trips[0]?.[0]).toMatch(/^EVALSHA cache:#epoch\{:\}\d+ cache:#tag\{:t\}$/);
    expect(await tripsOf(caching, () => caching.invalidateTags('t', 'u', 'v'))).toHaveLength(1);
    const found = await Promise.all(keys.map((key) => caching.lookup(key)));
    expect(found.every((hit) => hit === undefined)).toBe(true);
  });

  it('[CAC-5] with one command to clear a cache', async () => {
    const caching = await used({});
    expect(await tripsOf(caching, () => caching.clear())).toEqual([[`EVALSHA ${GENERATION}`]]);
  });

  it('[CAC-7] with one command to read many', async () => {
    const caching = await used({ near: false });
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => caching.set(key, key)));
    const trips = await tripsOf(caching, () => caching.getOrLoadMany(keys, never));
    expect(trips).toHaveLength(1);
    expect(trips[0]).toHaveLength(1);
  });

  it('[CAC-5] in a cluster with one command for each tag and one for all, beforehand', async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 0 });
    try {
      const caching = new CacheService(await openClient({ mode: 'cluster', nodes: cluster.addrs }), { near: false });
      // So that the scripts are known everywhere.
      await caching.invalidateTags(...Array.from({ length: 50 }, (_, index) => `t${index}`));
      await Promise.all(cluster.nodes.map((node) => node.command('CONFIG', 'RESETSTAT')));
      await caching.invalidateTags('t1', 't2', 't3');
      const calls = await Promise.all(cluster.nodes.map((node) => callsOf(node, 'evalsha')));
      expect(calls.reduce((sum, each) => sum + each, 0)).toBe(1 + 3);
    } finally {
      await closeClients();
      await cluster.stop();
    }
  });
});
