import { Controller, Get, Module, UseInterceptors } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { Test } from '@nestjs/testing';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import type { KeyvStoreAdapter } from 'keyv';
import request from 'supertest';
import { CACHE_CLIENT, ValkeyModule } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import { KeyvValkey, typedValues } from '../../lib/keyv/index.js';
import { describeWithServers, startCluster, startServer, until, watchUnhandled } from '../support/index.js';
import type { Server } from '../support/index.js';
import { codeOf, closeClients, ending, openClient } from './open-client.js';

afterAll(closeClients);

interface Site {
  readonly options: Record<string, unknown>;
  readonly servers: readonly Server[];
  stop(): Promise<void>;
}

const SITES: Record<string, () => Promise<Site>> = {
  embedded: () => Promise.resolve({ options: { mode: 'embedded' }, servers: [], stop: () => Promise.resolve() }),
  single: async () => {
    const server = await startServer();
    return { options: { host: server.host, port: server.port }, servers: [server], stop: () => server.stop() };
  },
  cluster: async () => {
    const cluster = await startCluster({ replicas: 0 });
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
    return { options: { mode: 'cluster', nodes }, servers: cluster.nodes, stop: () => cluster.stop() };
  },
};

for (const [site, start] of Object.entries(SITES)) {
  describeWithServers(`[CAC-10] Keyv on ${site}`, () => {
    let place: Site;
    let client: CacheClient;
    const errors: unknown[] = [];

    beforeAll(async () => {
      place = await start();
      // A prefix that would match far too much if it were taken for a pattern.
      client = await openClient({ ...place.options, keyPrefix: 'a[b]*:' });
    });
    afterEach(async () => {
      expect(errors.splice(0)).toEqual([]);
      for await (const key of client.scan()) await client.del(key);
    });
    afterAll(() => place.stop());

    const keyv = (namespace?: string, options: object = {}): Keyv => {
      const made = new Keyv({
        store: new KeyvValkey(client),
        ...(namespace === undefined ? {} : { namespace }),
        ...options,
      });
      return made.on('error', (error: unknown) => errors.push(error));
    };
    const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

    it('stores, finds and removes', async () => {
      const store = keyv('shop');
      expect(await store.set('a', { name: 'Anne' })).toBe(true);
      expect(await store.get('a')).toEqual({ name: 'Anne' });
      expect(await store.has('a')).toBe(true);
      expect(await store.delete('a')).toBe(true);
      expect(await store.delete('a')).toBe(false);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.has('a')).toBe(false);
    });

    it('lets the server remove what has a ttl, whole milliseconds or not, and keeps what has none', async () => {
      const store = keyv('shop');
      await store.set('short', 1, 20.5);
      await store.set('long', 2, 3_600_000);
      await store.set('always', 3);
      expect(await client.pttl('keyv:shop:shop:long')).toBeGreaterThan(3_000_000);
      expect(await client.pttl('keyv:shop:shop:always')).toBe(-1);
      await until(async () => (await client.exists('keyv:shop:shop:short')) === 0, { what: 'it expires' });
      await store.set('long', 4, -1);
      expect(await store.get('long')).toBeUndefined();
    });

    it('[C7] many are complete and in order', async () => {
      const store = keyv('shop');
      const keys = numbered(1_200);
      const stored = await store.setMany(keys.map((key, index) => ({ key, value: index })));
      expect(stored).toEqual(keys.map(() => true));
      expect(await store.getMany([...keys, 'none'])).toEqual([...keys.keys(), undefined]);
      expect(await store.hasMany(['none', ...keys])).toEqual([false, ...keys.map(() => true)]);
      expect(await store.deleteMany(keys.slice(1))).toBe(true);
      expect(await store.deleteMany(keys.slice(1))).toBe(false);
      expect(await store.getMany(keys)).toEqual([0, ...keys.slice(1).map(() => undefined)]);
      expect(await store.getMany([])).toEqual([]);
    });

    it('[CAC-5] [C7] clears its namespace on every primary, and nothing else', async () => {
      const others = ['users', 'user:a', 'user:', 'us*', 'u?er', 'use[r]', 'user%3Aa', undefined].map((namespace) =>
        keyv('', { namespace }),
      );
      for (const other of others) await other.set('a', 'kept');
      await client.set('own', 'kept');
      for (const namespace of ['user', 'us*r', 'u[s]er', 'us\\er']) {
        const store = keyv(namespace);
        const keys = numbered(1_100);
        await store.setMany(keys.map((key) => ({ key, value: 1 })));
        await store.clear();
        expect((await store.getMany(keys)).filter((value) => value !== undefined)).toEqual([]);
        for (const other of others) expect(await other.get('a')).toBe('kept');
      }
      await others[7]?.clear();
      expect(await Promise.all(others.map((other) => other.get('a')))).toEqual([...Array(7).fill('kept'), undefined]);
      expect(await client.get('own')).toBe('kept');
      for (const server of place.servers) {
        const used = Object.keys(await server.info('commandstats'));
        expect(used.filter((name) => /^cmdstat_(keys|flushall|flushdb)$/.test(name))).toEqual([]);
      }
    });

    it('goes through its entries', async () => {
      const store = keyv('shop');
      const keys = numbered(1_100);
      await store.setMany(keys.map((key) => ({ key, value: key.toUpperCase() })));
      await keyv('shops').set('other', 1);
      // Found by the scan, and no text when it is read: as one that expired in between.
      await client.rpush('keyv:shop:shop:list', 'x');
      const seen = new Map<string, unknown>();
      for await (const [key, value] of store.iterator?.(undefined) ?? []) seen.set(key as string, value);
      expect(seen).toEqual(new Map(keys.map((key) => [key, key.toUpperCase()])));
    });

    it('[C8] gives back what it was given with typedValues, and takes what is damaged for a miss', async () => {
      const store = keyv('shop', typedValues);
      const value = { at: new Date(5), m: new Map([[1n, new Set([Buffer.from('x')])]]), u: undefined, n: Number.NaN };
      await store.set('a', value);
      expect(await store.get('a')).toEqual(value);
      expect(await store.getMany(['a'])).toEqual([value]);
      await client.set('keyv:shop:shop:a', '{"value":');
      expect(await store.get('a')).toBeUndefined();
    });

    it('serves cache-manager', async () => {
      const cache = createCache({ stores: [keyv('manager')], ttl: 60_000 });
      let loads = 0;
      const load = (): Promise<number> => Promise.resolve((loads += 1));
      expect(await cache.wrap('w', load)).toBe(1);
      expect(await cache.wrap('w', load)).toBe(1);
      await cache.mset([
        { key: 'a', value: 1 },
        { key: 'b', value: null },
      ]);
      expect(await cache.mget(['a', 'none', 'b'])).toEqual([1, undefined, null]);
      expect(await cache.ttl('a')).toBeGreaterThan(Date.now());
      await cache.mdel(['a']);
      expect(await cache.get('a')).toBeUndefined();
      await cache.clear();
      expect(await cache.get('b')).toBeUndefined();
      await cache.disconnect();
      expect(await client.ping()).toBe('PONG');
    });
  });
}

describeWithServers('[CAC-10] Keyv while the server is away', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  const open = (): Promise<CacheClient> =>
    openClient({ host: server.host, port: server.port, resilience: { timeout: 300 } });
  const throughout = async (run: () => Promise<void>): Promise<void> => {
    await server.kill();
    try {
      await run();
    } finally {
      await server.restart();
    }
  };

  it('[C3] every call ends, with an error event and no unhandled rejection', async () => {
    const watch = watchUnhandled();
    const store = new Keyv({ store: new KeyvValkey(await open()), namespace: 'x' });
    const errors: unknown[] = [];
    store.on('error', (error: unknown) => errors.push(error));
    await store.set('a', 1);
    await throughout(async () => {
      const calls: Record<string, [Promise<unknown>, unknown]> = {
        get: [store.get('a'), undefined],
        getMany: [store.getMany(['a', 'b']), [undefined, undefined]],
        set: [store.set('a', 2), false],
        setMany: [store.setMany([{ key: 'a', value: 2 }]), [false]],
        delete: [store.delete('a'), false],
        deleteMany: [store.deleteMany(['a']), false],
        has: [store.has('a'), false],
        hasMany: [store.hasMany(['a']), [false]],
        clear: [store.clear(), undefined],
      };
      for (const [call, [ended, expected]] of Object.entries(calls)) {
        expect({ call, result: await ended }).toEqual({ call, result: expected });
      }
      // One event for each, of whichever of us tells it.
      expect(errors).toHaveLength(Object.keys(calls).length);
      for (const error of errors) expect(codeOf(error)).toMatch(/^VALKEY_/);
    });
    await until(() => store.set('a', 1), { what: 'the server is back' });
    expect(await watch.stop()).toEqual([]);
  });

  it('[C3] rejects where it is told to', async () => {
    const store = new Keyv({ store: new KeyvValkey(await open(), { throwOnErrors: true }), throwOnErrors: true });
    await throughout(async () => {
      const calls = [
        store.get('a'),
        store.getMany(['a']),
        store.setMany([{ key: 'a', value: 1 }]),
        store.has('a'),
        store.hasMany(['a']),
      ];
      for (const outcome of await Promise.all(calls.map(ending))) expect(codeOf(outcome)).toMatch(/^VALKEY_/);
    });
  });

  it("[C3] cache-manager goes on with the loader's result, also when it does not wait for the store", async () => {
    const watch = watchUnhandled();
    for (const nonBlocking of [false, true]) {
      const cache = createCache({ stores: [new Keyv({ store: new KeyvValkey(await open()) })], nonBlocking });
      await throughout(async () => {
        expect(await cache.wrap('w', () => 'loaded')).toBe('loaded');
        await cache.set('a', 1);
        await cache.mset([{ key: 'a', value: 1 }]);
        await cache.mget(['a']);
        await cache.del('a');
        await cache.mdel(['a']);
        await cache.clear();
      });
    }
    expect(await watch.stop()).toEqual([]);
  });
});

describe('[CAC-10] a store for Keyv', () => {
  it('fits the types of Keyv', async () => {
    const store = new KeyvValkey(await openClient({ mode: 'embedded' }));
    // Keyv 5 declares that setMany() gives nothing, and uses what it gives.
    const adapter: Omit<KeyvStoreAdapter, 'setMany'> = store;
    expect(new Keyv({ store, ...typedValues }).store).toBe(store);
    expect(await adapter.get('none')).toBeUndefined();
  });

  it('belongs to one Keyv', async () => {
    const client = await openClient({ mode: 'embedded' });
    const store = new KeyvValkey(client);
    const users = new Keyv({ store, namespace: 'users' });
    expect(() => new Keyv({ store, namespace: 'orders' })).toThrow(
      /belongs to the namespace 'users'.*KeyvValkey for each/s,
    );
    expect(() => new Keyv({ store, ...{ namespace: undefined } } as object)).toThrow('the Keyv without a namespace');
    // What Keyv takes when nothing is said.
    expect(() => new Keyv({ store })).toThrow("namespace 'keyv'");
    expect(new Keyv({ store, namespace: 'users' }).namespace).toBe('users');
    await users.set('a', 1);
    expect(await client.get('keyv:users:users:a')).toContain('1');
  });

  it('refuses options and values it does not know', async () => {
    const client = await openClient({ mode: 'embedded' });
    expect(() => new KeyvValkey(client, { throwOnError: true } as object)).toThrow("no option 'throwOnError'");
    expect(() => new KeyvValkey(client, { throwOnErrors: 1 } as object)).toThrow('must be true or false');
    const store = new KeyvValkey(client);
    expect(codeOf(await ending(store.set('a', { value: 1 })))).toBe('VALKEY_ENCODE_FAILED');
    expect(codeOf(await ending(store.set('a', 'x', Number.NaN)))).toBe('VALKEY_ARGUMENT_INVALID');
  });
});

describe('[CAC-10] @nestjs/cache-manager', () => {
  let app: INestApplication;
  afterAll(() => app.close());

  it('caches responses on our client, and leaves it to us to close', async () => {
    let calls = 0;
    @Controller()
    @UseInterceptors(CacheInterceptor)
    class Products {
      @Get('products')
      all(): object {
        calls += 1;
        return { calls };
      }
    }
    @Module({
      imports: [
        ValkeyModule.forRoot({ mode: 'embedded' }),
        CacheModule.registerAsync({
          inject: [CACHE_CLIENT],
          useFactory: (client: CacheClient) => ({ stores: [new KeyvValkey(client)], namespace: 'http', ttl: 60_000 }),
        }),
      ],
      controllers: [Products],
    })
    class AppModule {}
    const module = await Test.createTestingModule({ imports: [AppModule] })

      .compile();
    app = module.createNestApplication({ logger: false });
    await app.init();
    const get = (): request.Test => request(app.getHttpServer() as never).get('/products');
    expect((await get()).headers['x-cache']).toBe('MISS');
    const client = app.get<CacheClient>(CACHE_CLIENT);
    await until(async () => (await client.exists('keyv:http:http:/products')) === 1, { what: 'it is stored' });
    const second = await get();
    expect(second.headers['x-cache']).toBe('HIT');
    expect(second.body).toEqual({ calls: 1 });
  });
});
