import { createHash } from 'node:crypto';
import { apiKeyHash, ApiKeyCache } from '../../../../lib/index.js';
import { closeStores, openBeside, openStore, sent } from './failing-store.js';

const KEY = 'ak_live_8c1f0e5b7d2a4936';

afterEach(closeStores);

interface Owner {
  readonly name: string;
}

/** Where keys are issued: it knows their hashes. */
class Issued {
  readonly asked: string[] = [];
  readonly owners = new Map<string, Owner>([[apiKeyHash(KEY), { name: 'anne' }]]);

  readonly load = async (hash: string): Promise<Owner | null> => {
    this.asked.push(hash);
    return this.owners.get(hash) ?? null;
  };
}

describe('[ACC-1] the cache of API keys', () => {
  it('finds a key by its SHA-256, once for all processes', async () => {
    const issued = new Issued();
    const store = await openStore();
    const here = new ApiKeyCache(store.caching.cache('api-keys'), { load: issued.load });
    const there = new ApiKeyCache((await openBeside(store)).cache('api-keys'), { load: issued.load });

    expect(await here.find(KEY)).toEqual({ name: 'anne' });
    await store.caching.idle();
    expect(await there.find(KEY)).toEqual({ name: 'anne' });
    expect(issued.asked).toEqual([createHash('sha256').update(KEY).digest('hex')]);
  });

  it('stores no key, and names none in an error', async () => {
    const store = await openStore();
    const load = (): never => {
      throw new Error('the database is away');
    };
    const keys = new ApiKeyCache<Owner>(store.caching.cache('api-keys'), { load: new Issued().load });
    const failing = new ApiKeyCache<Owner>(store.caching.cache('failing'), { load });

    await keys.find(KEY);
    await keys.find(`${KEY}?`);
    await store.caching.idle();
    await keys.evict(KEY);
    const errors = await Promise.allSettled([failing.find(KEY), keys.evictHashes(KEY)]);

    expect(sent(store)).toContain(apiKeyHash(KEY));
    expect(sent(store)).not.toContain(KEY);
    expect(errors.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    for (const error of errors) expect(String((error as PromiseRejectedResult).reason)).not.toContain(KEY);
  });

  it('keeps a minute what belongs to a key, and ten seconds that a guess was wrong', async () => {
    const issued = new Issued();
    const { caching, clock } = await openStore();
    const keys = new ApiKeyCache(caching.cache('api-keys'), { load: issued.load });
    const ask = async (): Promise<number> => {
      await Promise.all([keys.find(KEY), keys.find('guess')]);
      await caching.idle();
      return issued.asked.length;
    };

    expect(await ask()).toBe(2);
    clock.advance('9s');
    expect(await ask()).toBe(2);
    clock.advance('2s');
    expect(await ask()).toBe(3);
    clock.advance('50s');
    expect(await ask()).toBe(5);
  });

  it('asks nobody for a key that is not given', async () => {
    const issued = new Issued();
    const keys = new ApiKeyCache((await openStore()).caching.cache('api-keys'), { load: issued.load });
    expect(await keys.find(undefined)).toBeUndefined();
    expect(await keys.find('')).toBeUndefined();
    expect(issued.asked).toEqual([]);
    await expect(keys.evict('')).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it.each(['key', 'hash', 'all'])('no longer knows a revoked key in any process, told by %s', async (by) => {
    const issued = new Issued();
    const store = await openStore();
    const here = new ApiKeyCache(store.caching.cache('api-keys'), { load: issued.load });
    const there = new ApiKeyCache((await openBeside(store)).cache('api-keys'), { load: issued.load });
    await there.find(KEY);
    await here.find(KEY);

    issued.owners.clear();
    if (by === 'key') await here.evict(KEY);
    else if (by === 'hash') await here.evictHashes(apiKeyHash(KEY));
    else await here.clear();

    expect([await here.find(KEY), await there.find(KEY)]).toEqual([undefined, undefined]);
  });

  it('asks the source when the store is away, once for a key at a time', async () => {
    const issued = new Issued();
    const { caching, recording } = await openStore();
    const keys = new ApiKeyCache(caching.cache('api-keys'), { load: issued.load });
    recording.goDown();

    const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(KEY)));

    expect(found).toEqual(found.map(() => ({ name: 'anne' })));
    expect(issued.asked).toHaveLength(1);
    await expect(keys.evict(KEY)).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
  });
});
