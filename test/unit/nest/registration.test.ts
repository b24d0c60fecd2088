import { Inject, Injectable, Module } from '@nestjs/common';
import { CACHE_CLIENT, CacheClient, clientToken, InjectClient, ValkeyModule, ValkeyOptions } from 'nestjs-valkey';

import { closeApplications, start, startFailure } from './application.js';

afterEach(closeApplications);

@Injectable()
class Shelf {
  constructor(@Inject(CACHE_CLIENT) readonly client: CacheClient) {}
}

@Module({ providers: [Shelf], exports: [Shelf] })
class ShelfModule {}

const embedded = { mode: 'embedded' } as const;

/** How many of `count` commands at once the client takes on: that shows its option `maxQueue`. */
async function acceptedOf(count: number, client: CacheClient): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: count }, () => client.get('key')));
  return results.filter(({ status }) => status === 'fulfilled').length;
}

describe('forRoot()', () => {
  it('without options gives a client that works', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot()] });
    const client = application.get<CacheClient>(CACHE_CLIENT);

    await client.set('greeting', 'hello');

    expect(client).toBeInstanceOf(CacheClient);
    expect(await client.get('greeting')).toBe('hello');
  });

  it('hands its options to the client', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot({ ...embedded, maxQueue: 1 })] });

    expect(await acceptedOf(2, application.get(CACHE_CLIENT))).toBe(1);
  });

  it('[CFG-4] takes what the builder built, its name included', async () => {
    const built = ValkeyOptions.builder().name('built').embedded().keyPrefix('shop:').build();
    const application = await start({ imports: [ValkeyModule.forRoot(built)] });

    expect(application.get<CacheClient>(clientToken('built')).name).toBe('built');
  });

  it('serves modules that do not import it', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot(embedded), ShelfModule] });

    expect(application.get(Shelf, { strict: false }).client).toBe(application.get(CACHE_CLIENT));
  });

  it('with isGlobal: false serves only modules that import it', async () => {
    const registration = ValkeyModule.forRoot({ ...embedded, isGlobal: false });

    @Module({ imports: [registration], providers: [Shelf] })
    class ImportingModule {}

    const application = await start({ imports: [registration, ImportingModule] });
    const error = await startFailure({ imports: [registration, ShelfModule] });

    expect(application.get(Shelf, { strict: false }).client).toBeInstanceOf(CacheClient);
    expect(error.message).toContain("can't resolve dependencies of the Shelf (?)");
    expect(error.message).toContain('CACHE_CLIENT');
  });
});

describe('forRootAsync()', () => {
  @Injectable()
  class Source {
    readonly maxQueue = 2;

    createValkeyOptions(): ValkeyOptions {
      return { ...embedded, maxQueue: this.maxQueue };
    }
  }

  @Module({ providers: [Source], exports: [Source] })
  class SourceModule {}

  it.each([
    [
      'a factory with what it injects',
      ValkeyModule.forRootAsync({
        imports: [SourceModule],
        inject: [Source],
        useFactory: (source: Source) => source.createValkeyOptions(),
      }),
    ],
    [
      'an async factory',
      ValkeyModule.forRootAsync({
        imports: [SourceModule],
        inject: [Source],
        useFactory: async (source: Source) => Promise.resolve(source.createValkeyOptions()),
      }),
    ],
    ['a class', ValkeyModule.forRootAsync({ useClass: Source })],
    ['an existing provider', ValkeyModule.forRootAsync({ imports: [SourceModule], useExisting: Source })],
  ])('takes the options from %s', async (_from, registration) => {
    const application = await start({ imports: [registration] });

    expect(await acceptedOf(3, application.get(CACHE_CLIENT))).toBe(2);
  });

  it('is global unless it says otherwise', async () => {
    const options = { useFactory: () => embedded };
    const application = await start({ imports: [ValkeyModule.forRootAsync(options), ShelfModule] });
    const error = await startFailure({
      imports: [ValkeyModule.forRootAsync({ ...options, isGlobal: false }), ShelfModule],
    });

    expect(application.get(Shelf, { strict: false }).client).toBeInstanceOf(CacheClient);
    expect(error.message).toContain('CACHE_CLIENT');
  });

  it('[CFG-1] checks what the factory gives', async () => {
    const error = await startFailure({
      imports: [ValkeyModule.forRootAsync({ useFactory: () => ({ host: 'cache.internal', port: 70_000 }) })],
    });

    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID', subject: 'port' });
    expect(error.message).toContain('port is 70000');
  });

  it('fails the start with what the factory throws', async () => {
    const useFactory = (): never => {
      throw new Error('no such secret');
    };

    expect((await startFailure({ imports: [ValkeyModule.forRootAsync({ useFactory })] })).message).toBe(
      'no such secret',
    );
  });
});

describe('named clients', () => {
  @Injectable()
  class Counter {
    constructor(
      @InjectClient() readonly unnamed: CacheClient,
      @InjectClient('sessions') readonly sessions: CacheClient,
      @Inject(clientToken('products')) readonly products: CacheClient,
    ) {}
  }

  it('[CFG-9] stand side by side, each with its own token, options and data', async () => {
    const application = await start({
      imports: [
        ValkeyModule.forRoot(embedded),
        ValkeyModule.forRoot({ name: 'sessions', ...embedded, maxQueue: 1 }),
        ValkeyModule.forRootAsync({ name: 'products', useFactory: () => embedded }),
      ],
      providers: [Counter],
    });
    const { unnamed, sessions, products } = application.get(Counter);

    await Promise.all([
      unnamed.set('key', 'unnamed'),
      sessions.set('key', 'sessions'),
      products.set('key', 'products'),
    ]);

    expect([unnamed.name, sessions.name, products.name]).toEqual(['default', 'sessions', 'products']);
    expect(await Promise.all([unnamed.get('key'), sessions.get('key'), products.get('key')])).toEqual([
      'unnamed',
      'sessions',
      'products',
    ]);
    expect(await Promise.all([unnamed, sessions, products].map((client) => acceptedOf(2, client)))).toEqual([2, 1, 2]);
  });

  it('[CFG-9] have tokens that are readable and the same for the same name', () => {
    expect(clientToken('sessions')).toBe(clientToken('sessions'));
    expect(clientToken()).toBe(CACHE_CLIENT);
    expect(clientToken('default')).toBe(CACHE_CLIENT);
    expect([CACHE_CLIENT, clientToken('sessions')].map(String)).toEqual([
      'Symbol(CACHE_CLIENT)',
      'Symbol(CACHE_CLIENT(sessions))',
    ]);
  });

  it.each([
    ['sessions', { name: 'sessions' }],
    ['default', {}],
  ])('[CFG-9] are refused when two are called "%s"', async (name, extras) => {
    const register = () => ValkeyModule.forRoot({ ...embedded, ...extras });
    const error = await startFailure({ imports: [register(), register()] });

    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID', subject: 'name' });
    expect(error.message).toContain(`"${name}"`);
  });

  it('may have the same name in two applications', async () => {
    const [one, other] = await Promise.all([
      start({ imports: [ValkeyModule.forRoot(embedded)] }),
      start({ imports: [ValkeyModule.forRoot(embedded)] }),
    ]);

    expect(one.get(CACHE_CLIENT)).not.toBe(other.get(CACHE_CLIENT));
  });

  it('[CFG-1] are refused with a name that is none', async () => {
    const error = await startFailure({ imports: [ValkeyModule.forRoot({ ...embedded, name: 'my sessions' })] });

    expect(error.message).toContain('name is "my sessions"');
  });
});
