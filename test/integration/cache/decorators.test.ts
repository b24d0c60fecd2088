import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { TestingModule } from '@nestjs/testing';
import {
  Cacheable,
  CacheableMany,
  CacheEvict,
  CachePut,
  CACHE_SERVICE,
  CacheService,
  ValkeyModule,
} from '../../../lib/index.js';
import { describeWithServers, startServer, until, watchUnhandled } from '../../support/index.js';
import type { Server } from '../../support/index.js';

@Injectable()
class Prices {
  calls = 0;

  @Cacheable({ key: 'price:{0}', ttl: '5m', tags: (sku: string) => [`sku:${sku}`] })
  async find(sku: string): Promise<string> {
    this.calls += 1;
    return `${sku}-${this.calls}`;
  }

  @CacheableMany({ key: 'price:{0}', tags: (sku: string) => [`sku:${sku}`] })
  async findMany(skus: readonly string[]): Promise<string[]> {
    this.calls += 1;
    return skus.map((sku) => `${sku}-${this.calls}`);
  }

  @CachePut({ key: 'price:{0}', tags: (sku: string) => [`sku:${sku}`] })
  async set(_sku: string, price: string): Promise<string> {
    return price;
  }

  @CacheEvict({ tags: (sku: string) => [`sku:${sku}`] })
  async change(sku: string): Promise<string> {
    return `${sku} changed`;
  }
}

describeWithServers('[CAC-1] [CAC-7] decorated methods of two applications on one server', () => {
  let server: Server;
  let modules: TestingModule[];

  beforeEach(async () => {
    server = await startServer();
    modules = [];
  });
  afterEach(async () => {
    await Promise.all(modules.map((module) => module.close()));
    await server.stop();
  });

  const open = async (): Promise<{ readonly prices: Prices; readonly caching: CacheService }> => {
    const { host, port } = server;
    const client = ValkeyModule.forRoot({ host, port, logLevel: 'silent', resilience: { timeout: '300ms' } });
    const module = await Test.createTestingModule({ imports: [client], providers: [Prices] }).compile();
    modules.push(await module.init());
    return { prices: module.get(Prices), caching: module.get<CacheService>(CACHE_SERVICE) };
  };

  it('share what is kept, and what is evicted, put and invalidated', async () => {
    const [here, there] = [await open(), await open()];

    expect(await here.prices.find('a')).toBe('a-1');
    await here.caching.idle();
    expect(await there.prices.findMany(['b', 'a'])).toEqual(['b-1', 'a-1']);
    await there.caching.idle();
    expect(await here.prices.findMany(['a', 'b'])).toEqual(['a-1', 'b-1']);

    await there.prices.change('a');
    await until(async () => (await here.prices.find('a')) === 'a-2', { what: 'the other application hears of it' });
    expect(await here.prices.findMany(['b'])).toEqual(['b-1']);

    await there.prices.set('b', 'b-put');
    await until(async () => (await here.prices.find('b')) === 'b-put', { what: 'the other application hears of it' });
    expect([here.prices.calls, there.prices.calls]).toEqual([2, 1]);
  });

  it('[C3] run, once each, when the server is frozen or gone', async () => {
    const { prices } = await open();
    await prices.find('a');
    const unhandled = watchUnhandled();
    server.pause();
    expect(await prices.find('b')).toBe('b-2');
    expect(await prices.findMany(['c', 'd'])).toEqual(['c-3', 'd-3']);
    expect(await prices.change('b')).toBe('b changed');
    expect(await prices.set('b', 'x')).toBe('x');
    server.resume();
    await server.kill();
    expect(await prices.find('e')).toBe('e-4');
    expect(prices.calls).toBe(4);
    expect(await unhandled.stop()).toEqual([]);
  });
});
