import { CacheService } from '../../../../lib/index.js';
import type { CachingOptions } from '../../../../lib/index.js';
import { resolveCaching } from '../../../../lib/options/cache-options.js';
import { createTestClient } from '../../../../lib/testing/index.js';

const WRONG: readonly [options: unknown, path: string][] = [
  [{ ttl: 0 }, 'cache.ttl'],
  [{ ttl: '5 minutes' }, 'cache.ttl'],
  [{ jitter: 2 }, 'cache.jitter'],
  [{ staleFor: -1 }, 'cache.staleFor'],
  [{ hardTimeout: '30d' }, 'cache.hardTimeout'],
  [{ nullTtl: true }, 'cache.nullTtl'],
  [{ version: 'a b' }, 'cache.version'],
  [{ lease: 5 }, 'cache.lease'],
  [{ codec: {} }, 'cache.codec'],
  [{ compressAbove: Number.NaN }, 'cache.compressAbove'],
  [{ near: { maxEntries: 0 } }, 'cache.near.maxEntries'],
  [{ near: { size: 1 } }, 'cache.near.size'],
  [{ share: 'yes' }, 'cache.share'],
  [{ tll: '5m' }, 'cache.tll'],
  [{ caches: { 'a:b': {} } }, 'cache.caches.a:b'],
  [{ caches: { a: { ttl: -1 } } }, 'cache.caches.a.ttl'],
  [{ caches: { a: { caches: {} } } }, 'cache.caches.a.caches'],
  [[], 'cache'],
];

describe('options of caches', () => {
  it.each(WRONG)('[CFG-1] %j is refused with its path', (options, path) => {
    expect(() => resolveCaching(options as CachingOptions)).toThrow(
      expect.objectContaining({ code: 'VALKEY_CONFIGURATION_INVALID', message: expect.stringContaining(`- ${path} `) }),
    );
  });

  it('[CAC-1] those of a named cache win over those of all, which win over the defaults', () => {
    const { of } = resolveCaching({ ttl: '1m', jitter: 0.1, caches: { products: { ttl: '2m', near: false } } });
    expect(of('products')).toMatchObject({ ttl: 120_000, jitter: 0.1, near: undefined, hardTimeout: 30_000 });
    expect(of('other')).toMatchObject({ ttl: 60_000, near: { maxEntries: 10_000, maxBytes: 33_554_432 } });
  });

  it('[CAC-2] another version is a cold cache', async () => {
    const { client } = await createTestClient();
    await new CacheService(client, { version: 1 }).set('k', 'old');
    expect(await new CacheService(client, { version: 2 }).get('k')).toBeUndefined();
    expect(await new CacheService(client, { version: 1 }).get('k')).toBe('old');
    await client.close();
  });

  it('[CAC-3] entries live by the clock of a test', async () => {
    const { client, clock } = await createTestClient();
    const caching = new CacheService(client, { ttl: '1m', staleFor: '1h' });
    await caching.set('k', 'v');
    for (let hit = 0; hit < 3; hit += 1) expect(await caching.get('k')).toBe('v');
    clock.advance('59s');
    expect(await caching.get('k')).toBe('v');
    clock.advance('2s');
    expect(await caching.get('k')).toBeUndefined();
    const down = (): never => {
      throw new Error('down');
    };
    expect(await caching.getOrLoad('k', down)).toBe('v');
    clock.advance('1h');
    await expect(caching.getOrLoad('k', down)).rejects.toThrow('down');
    await client.close();
  });
});
