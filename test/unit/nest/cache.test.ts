import { Controller, Get, HttpCode, Inject, Injectable, Param, Scope, SetMetadata } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  Cacheable,
  CacheableMany,
  CACHE_SERVICE,
  CacheService,
  events,
  Resilient,
  ValkeyModule,
  withCacheMode,
} from '../../../lib/index.js';
import type { CacheEvent, CacheMode } from '../../../lib/index.js';
import { testClientToken, TestValkeyModule } from '../../../lib/testing/index.js';
import type { TestClient } from '../../../lib/testing/index.js';
import { closeApplications, start } from './application.js';

const embedded = ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent' });
let calls = 0;

beforeEach(() => (calls = 0));
afterEach(closeApplications);

/** What happened in the caches while `work` ran. */
async function happened(work: () => Promise<unknown>): Promise<string[]> {
  const kinds: string[] = [];
  const stop = events.cache.subscribe((event: CacheEvent) => kinds.push(event.kind));
  try {
    await work();
  } finally {
    stop();
  }
  return kinds;
}

@Injectable()
class Products {
  @Cacheable({ key: (id: string) => `product:${id}`, ttl: '5m', tags: (id) => [`product:${id}`, 'all'] })
  async find(id: string): Promise<{ readonly id: string; readonly call: number }> {
    calls += 1;
    return { id, call: calls };
  }

  @Cacheable()
  async search(_filter: object, _page?: number): Promise<number> {
    calls += 1;
    return calls;
  }

  @Cacheable()
  async other(_filter: object): Promise<string> {
    return 'other';
  }
}

describe('[CAC-1] @Cacheable() on a provider', () => {
  it('runs the method once for each key, and keeps the result for later calls', async () => {
    const products = (await start({ imports: [embedded], providers: [Products] })).get(Products);

    expect(await products.find('a')).toEqual({ id: 'a', call: 1 });
    expect(await products.find('a')).toEqual({ id: 'a', call: 1 });
    expect(await products.find('b')).toEqual({ id: 'b', call: 2 });
  });

  it('asks a hit in this process for nothing but its key, and sends nothing', async () => {
    let asked = 0;
    @Injectable()
    class Asking {
      @Cacheable({
        key: (id: string) => id,
        tags: (id) => {
          asked += 1;
          return [id];
        },
      })
      async find(id: string): Promise<{ readonly id: string }> {
        return { id };
      }
    }
    const application = await start({ imports: [embedded], providers: [Asking] });
    const asking = application.get(Asking);
    await asking.find('a');
    await application.get<CacheService>(CACHE_SERVICE).idle();
    await asking.find('a');
    asked = 0;
    let commands = 0;
    const stop = events.command.subscribe(() => (commands += 1));
    const kinds = await happened(async () => {
      const [first, second] = [asking.find('a'), asking.find('a')];
      // One promise and one value for all: a hit makes nothing of its own.
      expect(first).toBe(second);
      expect(await first).toEqual({ id: 'a' });
    });
    stop();
    expect([kinds, asked, commands]).toEqual([['near-hit', 'near-hit'], 0, 0]);
  });

  it('runs it once for many who ask at once', async () => {
    const products = (await start({ imports: [embedded], providers: [Products] })).get(Products);

    const found = await Promise.all(Array.from({ length: 50 }, () => products.find('a')));
    expect(new Set(found.map(({ call }) => call))).toEqual(new Set([1]));
    expect(calls).toBe(1);
  });

  it('uses what is stored under its keys and tags by hand', async () => {
    const application = await start({ imports: [embedded], providers: [Products] });
    const [products, caching] = [application.get(Products), application.get<CacheService>(CACHE_SERVICE)];
    await products.find('a');

    expect(await caching.get('product:a')).toEqual({ id: 'a', call: 1 });
    await caching.invalidateTags('product:a');
    expect(await products.find('a')).toMatchObject({ call: 2 });
    await caching.set('product:a', { id: 'a', call: 99 });
    expect(await products.find('a')).toMatchObject({ call: 99 });
  });

  it('[CAC-2] makes keys of class, method and arguments when it is given none', async () => {
    const application = await start({ imports: [embedded], providers: [Products] });
    const products = application.get(Products);

    expect(await products.search({ a: 1, b: 2 })).toBe(1);
    expect(await products.search({ b: 2, a: 1 }, undefined)).toBe(1);
    expect(await products.search({ a: 1, b: 2 }, 2)).toBe(2);
    expect(await products.other({ a: 1, b: 2 })).toBe('other');
    const caching = application.get<CacheService>(CACHE_SERVICE);
    expect(await caching.get('Products.search({"a":1,"b":2})')).toBe(1);
    await expect(products.search({ go: () => 1 })).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it('[CAC-2] refuses keys of the class when two classes have one name, or none', async () => {
    const Namesake = { Products: class Products extends Object {} }.Products;
    Object.defineProperty(Namesake.prototype, 'search', { value: async () => 2, configurable: true, writable: true });
    const descriptor = Object.getOwnPropertyDescriptor(Namesake.prototype, 'search') as PropertyDescriptor;
    Cacheable()(Namesake.prototype, 'search', descriptor as TypedPropertyDescriptor<() => Promise<number>>);
    Object.defineProperty(Namesake.prototype, 'search', descriptor);
    const nameless = ((): typeof Products => class extends Products {})();
    Injectable()(nameless);
    const application = await start({ imports: [embedded], providers: [Products, Namesake, nameless] });
    await application.get(Products).search({});

    const other = application.get<{ search(filter: object): Promise<number> }>(Namesake);
    await expect(other.search({})).rejects.toThrow(
      'Products.search cannot make keys of class, method and arguments: another',
    );
    await expect(application.get(nameless).search({})).rejects.toThrow('its class has no name. Give it a key.');
  });

  it('takes a method that fails as a failure, and runs it again', async () => {
    @Injectable()
    class Failing {
      @Cacheable({ key: 'one' })
      async find(): Promise<number> {
        calls += 1;
        if (calls === 1) throw new TypeError('broken');
        return calls;
      }
    }
    const failing = (await start({ imports: [embedded], providers: [Failing] })).get(Failing);

    await expect(failing.find()).rejects.toThrow(new TypeError('broken'));
    expect(await failing.find()).toBe(2);
  });

  it('rejects, and does not throw, when a function of its options does', async () => {
    @Injectable()
    class Broken {
      @Cacheable({ key: (): string => oops() })
      async byKey(): Promise<number> {
        return 1;
      }

      @Cacheable({ key: 'tags', tags: (): string[] => oops() })
      async byTags(): Promise<number> {
        return 1;
      }

      @Cacheable({ key: 'when', when: (): boolean => oops() })
      async byWhen(): Promise<number> {
        return 1;
      }

      @Cacheable({ key: (id: string) => id })
      async empty(_id: string): Promise<number> {
        return 1;
      }
    }
    const broken = (await start({ imports: [embedded], providers: [Broken] })).get(Broken);
    await expect(broken.byKey()).rejects.toThrow('oops');
    await expect(broken.byTags()).rejects.toThrow('oops');
    await expect(broken.byWhen()).rejects.toThrow('oops');
    await expect(broken.empty('')).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it('just runs on an instance made with new', async () => {
    const products = new Products();
    expect([await products.find('a'), await products.find('a')]).toMatchObject([{ call: 1 }, { call: 2 }]);
  });

  it('fails the start when there is no client for it', async () => {
    await expect(start({ imports: [], providers: [Products] })).rejects.toThrow('CACHE_SERVICE');
  });

  it('works with the module for tests, by its clock', async () => {
    const application = await start({ imports: [TestValkeyModule.forRoot()], providers: [Products] });
    const products = application.get(Products);
    const { clock } = application.get<TestClient>(testClientToken());
    await products.find('a');
    await products.find('a');
    await application.get<CacheService>(CACHE_SERVICE).idle();
    expect(calls).toBe(1);
    clock.advance('5m');
    await products.find('a');
    expect(calls).toBe(2);
  });
});

describe('[CAC-3] @Cacheable() by condition', () => {
  @Injectable()
  class Conditional {
    mode: CacheMode = 'use';

    @Cacheable({ key: 'when', when: (id: string) => id !== '' })
    async whenGiven(_id: string): Promise<number> {
      return (calls += 1);
    }

    @Cacheable({ key: '{0}', unless: (found: number | null, id: string) => found === null && id === 'skip' })
    async unlessNull(_id: string): Promise<number | null> {
      calls += 1;
      return null;
    }

    @Cacheable({ key: 'nothing', nullTtl: false })
    async nothing(): Promise<undefined> {
      calls += 1;
    }

    @Cacheable({ key: 'ttl:{0}', ttl: (found: number, id: string) => (id === 'short' ? '1s' : found * 60_000) })
    async byResult(_id: string): Promise<number> {
      calls += 1;
      return 5;
    }

    @Cacheable({
      key: 'mode',
      mode(this: Conditional) {
        return this.mode;
      },
    })
    async byMode(): Promise<number> {
      return (calls += 1);
    }

    @Cacheable({
      key: 'tags:{0}',
      tagsFrom: (found: { readonly owner: string }, id: string) => [found.owner, `id-${id}`],
    })
    async tagged(_id: string): Promise<{ owner: string; call: number }> {
      return { owner: 'anne', call: (calls += 1) };
    }
  }

  it('runs the method, and neither reads nor stores, when `when` says no', async () => {
    const application = await start({ imports: [embedded], providers: [Conditional] });
    const conditional = application.get(Conditional);
    const kinds = await happened(async () => {
      expect([await conditional.whenGiven(''), await conditional.whenGiven('')]).toEqual([1, 2]);
    });
    expect(kinds).toEqual([]);
    expect([await conditional.whenGiven('a'), await conditional.whenGiven('a')]).toEqual([3, 3]);
    expect(await conditional.whenGiven('')).toBe(4);
  });

  it('does not store what `unless` or `nullTtl` refuse', async () => {
    const conditional = (await start({ imports: [embedded], providers: [Conditional] })).get(Conditional);
    await conditional.unlessNull('skip');
    await conditional.unlessNull('skip');
    expect(calls).toBe(2);
    await conditional.unlessNull('a');
    expect([await conditional.unlessNull('a'), calls]).toEqual([null, 3]);
    await conditional.nothing();
    await conditional.nothing();
    expect(calls).toBe(5);
  });

  it('keeps a result for as long as the result says', async () => {
    const application = await start({ imports: [TestValkeyModule.forRoot()], providers: [Conditional] });
    const conditional = application.get(Conditional);
    const { clock } = application.get<TestClient>(testClientToken());
    await conditional.byResult('short');
    await conditional.byResult('long');
    await application.get<CacheService>(CACHE_SERVICE).idle();
    clock.advance('1s');
    await conditional.byResult('long');
    expect(calls).toBe(2);
    await conditional.byResult('short');
    expect(calls).toBe(3);
    clock.advance('5m');
    await conditional.byResult('long');
    expect(calls).toBe(4);
  });

  it('[CAC-4] bypasses and refreshes as its option says, or whoever calls', async () => {
    const conditional = (await start({ imports: [embedded], providers: [Conditional] })).get(Conditional);
    expect(await conditional.byMode()).toBe(1);
    conditional.mode = 'bypass';
    expect([await conditional.byMode(), await conditional.byMode()]).toEqual([2, 3]);
    conditional.mode = 'use';
    expect(await conditional.byMode()).toBe(1);
    conditional.mode = 'refresh';
    expect(await conditional.byMode()).toBe(4);
    conditional.mode = 'use';
    expect(await conditional.byMode()).toBe(4);

    expect(await withCacheMode('refresh', () => conditional.byMode())).toBe(5);
    expect(await conditional.byMode()).toBe(5);
    expect(await withCacheMode('bypass', async () => conditional.byMode())).toBe(6);
    conditional.mode = 'bypass';
    expect(await withCacheMode('use', () => conditional.byMode())).toBe(5);
    expect(() => withCacheMode('none' as CacheMode, () => 1)).toThrow("The mode must be 'use', 'bypass' or 'refresh'.");
  });

  it('[CAC-5] takes tags from the result', async () => {
    const application = await start({ imports: [embedded], providers: [Conditional] });
    const conditional = application.get(Conditional);
    const caching = application.get<CacheService>(CACHE_SERVICE);
    await Promise.all([conditional.tagged('a'), conditional.tagged('b')]);
    await caching.invalidateTags('id-a');
    expect(await conditional.tagged('a')).toMatchObject({ call: 3 });
    await conditional.tagged('b');
    expect(calls).toBe(3);
    await caching.invalidateTags('anne');
    expect(await conditional.tagged('b')).toMatchObject({ call: 4 });
  });
});

describe('[CAC-11] @Cacheable() wherever a method can be', () => {
  it('on instances of request scope, which share what is kept', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Products {}
    const application = await start({ imports: [embedded], providers: [PerRequest] });
    const [first, second] = [await application.resolve(PerRequest), await application.resolve(PerRequest)];
    expect(first).not.toBe(second);
    expect([await first.find('a'), await second.find('a')]).toMatchObject([{ call: 1 }, { call: 1 }]);
  });

  it('on subclasses: own keys where class and arguments make them, decorators of their own', async () => {
    abstract class Repository {
      abstract readonly name: string;

      @Cacheable()
      async find(id: string): Promise<string> {
        calls += 1;
        return `${this.name}-${id}`;
      }
    }
    @Injectable()
    class Orders extends Repository {
      readonly name = 'order';

      @Cacheable({ key: 'own' })
      async own(): Promise<number> {
        return (calls += 1);
      }
    }
    @Injectable()
    class Users extends Repository {
      readonly name = 'user';

      override async find(id: string): Promise<string> {
        return `${await super.find(id)}!`;
      }
    }
    const application = await start({ imports: [embedded], providers: [Orders, Users] });
    const [orders, users] = [application.get(Orders), application.get(Users)];
    for (let time = 0; time < 2; time += 1) {
      expect(await orders.find('1')).toBe('order-1');
      expect(await users.find('1')).toBe('user-1!');
      expect(await orders.own()).toBe(3);
    }
    expect(calls).toBe(3);
  });

  it('in several caches of several clients', async () => {
    @Injectable()
    class Several {
      @Cacheable({ key: 'same' })
      async one(): Promise<string> {
        return `one ${(calls += 1)}`;
      }

      @Cacheable({ key: 'same', cache: 'second' })
      async two(): Promise<string> {
        return `two ${(calls += 1)}`;
      }

      @Cacheable({ key: 'same', client: 'other' })
      async three(): Promise<string> {
        return `three ${(calls += 1)}`;
      }
    }
    const other = ValkeyModule.forRoot({ name: 'other', mode: 'embedded', logLevel: 'silent' });
    const several = (await start({ imports: [embedded, other], providers: [Several] })).get(Several);
    for (let time = 0; time < 2; time += 1) {
      expect([await several.one(), await several.two(), await several.three()]).toEqual(['one 1', 'two 2', 'three 3']);
    }
  });

  it('beside @Resilient(), above and below', async () => {
    const retry = { attempts: 1, backoff: 'none' } as const;
    @Injectable()
    class Both {
      @Cacheable({ key: 'above' })
      @Resilient({ retry })
      async above(): Promise<number> {
        return (calls += 1);
      }

      @Resilient({ retry })
      @Cacheable({ key: 'below' })
      async below(): Promise<number> {
        return (calls += 1);
      }
    }
    const both = (await start({ imports: [embedded], providers: [Both] })).get(Both);
    expect([await both.above(), await both.above(), await both.below(), await both.below()]).toEqual([1, 1, 2, 2]);
  });

  @Controller('products')
  class ProductController {
    @Get('above/:id')
    @HttpCode(203)
    @Cacheable({ key: 'above:{0}' })
    async above(@Param('id') id: string): Promise<string> {
      return `${id}${(calls += 1)}`;
    }

    @Cacheable({ key: 'below:{0}' })
    @SetMetadata('mark', 'kept')
    @Get('below/:id')
    @HttpCode(203)
    async below(@Param('id') id: string): Promise<string> {
      return `${id}${(calls += 1)}`;
    }
  }

  it.each(['above', 'below'])('on a handler of a controller under Express, its routes %s', async (place) => {
    const server = (await start({ imports: [embedded], controllers: [ProductController] })).getHttpServer() as never;
    const answers = [
      await request(server).get(`/products/${place}/a`),
      await request(server).get(`/products/${place}/a`),
    ];
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [203, 'a1'],
      [203, 'a1'],
    ]);
  });

  it('on a handler of a controller under Fastify', async () => {
    const module = await Test.createTestingModule({ imports: [embedded], controllers: [ProductController] }).compile();
    const application = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await application.listen(0, '127.0.0.1');
    const url = await application.getUrl();
    try {
      for (const place of ['above', 'below', 'above', 'below']) {
        const answer = await fetch(`${url}/products/${place}/a`);
        expect([answer.status, await answer.text()]).toEqual([203, place === 'above' ? 'a1' : 'a2']);
      }
    } finally {
      await application.close();
    }
  });

  it('keeps name, length and metadata of the method', () => {
    const { below } = ProductController.prototype;
    expect([below.name, below.length, Reflect.getMetadata('mark', below)]).toEqual(['below', 1, 'kept']);
  });

  it('on a service that takes its caches by constructor as well', async () => {
    @Injectable()
    class Mixed {
      constructor(@Inject(CACHE_SERVICE) readonly caching: CacheService) {}

      @Cacheable({ key: 'mixed' })
      async find(): Promise<number> {
        return (calls += 1);
      }
    }
    const mixed = (await start({ imports: [embedded], providers: [Mixed] })).get(Mixed);
    await mixed.find();
    expect(await mixed.caching.get('mixed')).toBe(1);
  });
});

describe('[CAC-1] @Cacheable() refuses, when the class is defined,', () => {
  it.each<[string, object, string]>([
    ['an unknown option', { unles: 'a' }, "- unles is not an option. Did you mean 'unless'?"],
    [
      'a wrong time',
      { ttl: 'soon', staleFor: -1 },
      '- ttl is "soon": it must be a duration such as \'5m\', at least 1 ms.',
    ],
    ['a wrong key', { key: 5 }, "- key is 5: it must be a function or a template such as 'product:{0}'."],
    ['a wrong template', { key: 'p:{id}' }, 'The key of Catalogue.price has a brace that belongs to no place.'],
    ['wrong tags', { tags: [''] }, '- tags is a list: it must be a list of texts that are not empty, or a function.'],
    ['a wrong mode', { mode: 'none' }, "- mode is \"none\": it must be 'use', 'bypass', 'refresh' or a function."],
    ['a wrong cache', { cache: 'a b' }, '- cache is "a b": it must be a name of 1 to 64'],
    ['a wrong client', { client: '' }, '- client is "": it must be the name of a client.'],
    ['what should be a function', { when: true, unless: 1, tagsFrom: [] }, '- when is true: it must be a function.'],
    ['no object', null as never, '- options is null: it must be an object'],
  ])('%s', (_what, options, text) => {
    class Catalogue {}
    const decorate = (): void => Cacheable(options)(Catalogue.prototype, 'price', { value: () => Promise.resolve(1) });
    expect(decorate).toThrow(text);
    expect(decorate).toThrow(expect.objectContaining({ code: 'VALKEY_CONFIGURATION_INVALID' }) as Error);
  });

  it('what is no method, or static', () => {
    class Catalogue {}
    expect(() => Cacheable()(Catalogue.prototype, 'price', {})).toThrow(
      '@Cacheable() stands on Catalogue.price, which is no method.',
    );
    const value = (): Promise<number> => Promise.resolve(1);
    expect(() => Cacheable()(Catalogue, 'price', { value })).toThrow('which is static: nothing can be injected there.');
    const many = { value: async (_ids: string[]) => [1] };
    expect(() => CacheableMany()(Catalogue, 'price', many)).toThrow('which is static');
  });
});

function oops(): never {
  throw new Error('oops');
}
