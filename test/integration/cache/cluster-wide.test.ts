import { CacheService } from '../../../lib/index.js';
import type { CachingOptions } from '../../../lib/index.js';
import { describeWithServers, leftovers, startCluster } from '../../support/index.js';
import type { Cluster } from '../../support/index.js';
import { closeClients, codeOf, ending, openClient } from '../open-client.js';

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
/** Milliseconds; a busy machine needs more than the default for a thousand commands. */
const PATIENT = { timeouts: { read: '10s', write: '10s' } };

describeWithServers('1,000 entries over 3 primaries', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0 });
  }, 40_000);
  beforeEach(() => everywhere('CONFIG', 'RESETSTAT'));
  afterEach(async () => {
    await closeClients();
    await everywhere('FLUSHALL');
  });
  afterAll(async () => {
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  const everywhere = async (...words: string[]): Promise<void> => {
    await Promise.all(cluster.nodes.map((node) => node.command(...words)));
  };
  const open = async (options: CachingOptions): Promise<CacheService> =>
    new CacheService(await openClient({ mode: 'cluster', nodes: cluster.addrs, ...PATIENT }), options);
  /** Stores all, and makes sure that every primary has some. */
  const filled = async (options: CachingOptions): Promise<CacheService> => {
    const caching = await open(options);
    await Promise.all(KEYS.map((key) => caching.set(key, key.toUpperCase(), { tags: ['all', `of ${key}`] })));
    for (const node of cluster.nodes) expect(Number(await node.command('DBSIZE'))).toBeGreaterThan(100);
    return caching;
  };
  const found = async (caching: CacheService): Promise<number> => {
    const hits = await Promise.all(KEYS.map((key) => caching.lookup(key)));
    return hits.filter((hit) => hit !== undefined).length;
  };
  /** What no cache may send, and what no node may have answered. */
  const expectNoScan = async (): Promise<void> => {
    for (const node of cluster.nodes) {
      const sent = Object.keys(await node.info('commandstats'));
      expect(sent.filter((name) => /^cmdstat_(keys|scan|flushall|flushdb|randomkey)$/.test(name))).toEqual([]);
      const errors = Object.keys(await node.info('errorstats'));
      expect(errors.filter((name) => /CROSSSLOT|CLUSTERDOWN|^errorstat_ERR/.test(name))).toEqual([]);
    }
  };

  describe.each([
    ['kept near too', {}],
    ['without a near cache', { near: false }],
  ] as [string, CachingOptions][])('%s', (_title, options) => {
    it('[C7] [CAC-7] reads many, and loads what is missing in one call', async () => {
      const caching = await filled(options);
      const missing = KEYS.filter((_key, index) => index % 10 === 0);
      await caching.evict(...missing);
      const asked: string[][] = [];
      const values = await caching.getOrLoadMany(KEYS, (keys) => {
        asked.push([...keys]);
        return keys.map((key) => `loaded ${key}`);
      });
      expect(values).toEqual(KEYS.map((key, index) => (index % 10 === 0 ? `loaded ${key}` : key.toUpperCase())));
      expect(asked).toEqual([missing]);
      await caching.idle();
      const other = await open(options);
      expect(await found(other)).toBe(KEYS.length);
      await expectNoScan();
    });

    it('[C7] evicts many, and only those', async () => {
      const caching = await filled(options);
      const other = await open(options);
      await caching.evict(...KEYS.slice(0, 900));
      expect(await found(caching)).toBe(100);
      expect(await found(other)).toBe(100);
      await expectNoScan();
    });

    it('[C7] [CAC-5] invalidates by tag, all of them or one', async () => {
      const caching = await filled(options);
      await caching.invalidateTags('of key 7');
      expect(await found(await open(options))).toBe(KEYS.length - 1);
      await caching.invalidateTags('all');
      expect(await found(caching)).toBe(0);
      expect(await found(await open(options))).toBe(0);
      await expectNoScan();
    });

    it('[C7] [CAC-5] clears one cache, and no other', async () => {
      const caching = await filled(options);
      await caching.cache('defaults').set('key', 'stays');
      await caching.clear();
      expect(await found(caching)).toBe(0);
      const other = await open(options);
      expect(await found(other)).toBe(0);
      expect(await other.cache('defaults').get('key')).toBe('stays');
      await expectNoScan();
    });

    it('[C7] takes characters of globs and hash tags for what they are', async () => {
      const caching = await open(options);
      const odd = [
        '*',
        'a*',
        'ab',
        '[a]',
        'a',
        '?',
        '{x}y',
        'x',
        '}{',
        '{}',
        '\\*',
        '!lease',
        'a!lease',
        ':',
        '#tag{:t}',
      ];
      await Promise.all(odd.map((key) => caching.set(key, key, { tags: [key] })));
      expect(await Promise.all(odd.map((key) => caching.get(key)))).toEqual(odd);
      await caching.evict('*');
      await caching.invalidateTags('a*', '?');
      const left = await Promise.all(odd.map((key) => caching.get(key)));
      expect(left).toEqual(odd.map((key) => (['*', 'a*', '?'].includes(key) ? undefined : key)));
      expect(codeOf(await ending(caching.evict('')))).toBe('VALKEY_ARGUMENT_INVALID');
      await expectNoScan();
    });
  });
});
