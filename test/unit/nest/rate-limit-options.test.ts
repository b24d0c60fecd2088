import { jest } from '@jest/globals';
import { Body, Controller, Get, Injectable, Module, Post } from '@nestjs/common';
import type { ExecutionContext, Type } from '@nestjs/common';
import {
  RATE_LIMITER,
  RateLimit,
  RateLimiter,
  rateLimiterToken,
  SkipRateLimit,
  ValkeyModule,
} from '../../../lib/index.js';
import type { RateLimitModuleOptions, RateLimitOptions } from '../../../lib/index.js';
import { TestValkeyModule, testClientToken } from '../../../lib/testing/index.js';
import type { TestClient } from '../../../lib/testing/index.js';
import { closeApplications, start, startFailure } from './application.js';
import { get, listIn } from './rate-limit-application.js';

afterEach(closeApplications);

/** What is said of options when a class is defined. */
function refusal(options: object): string {
  try {
    class Shop {
      @RateLimit(options as RateLimitOptions)
      async buy(): Promise<void> {
        // Never called.
      }
    }
    return `${Shop.name} is fine`;
  } catch (error) {
    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID' });
    return (error as Error).message;
  }
}

const planA = (): string => 'a';
const minute = { limit: 5, window: '1m' } as const;

describe('options of @RateLimit()', () => {
  it.each([
    [
      'nothing',
      {},
      'the limits are missing: give one of limit (with window), tiers, preset, plans (with plan), limits',
    ],
    ['two ways', { ...minute, preset: 'default' }, 'the limits are said 2 times (limit, preset)'],
    ['tiers and a window', { tiers: [minute], window: '1m' }, 'window belongs to a single limit'],
    ['plans without plan', { plans: { a: minute } }, 'plan and plans belong together'],
    ['no plans', { plans: {}, plan: planA }, 'plans is an object: it must be an object with the limits of each plan'],
    ['no tiers', { tiers: [] }, 'has 0 tiers: give 1 to 8'],
    ['limit 0', { limit: 0, window: '1m' }, 'limit is 0: it must be a whole number of at least 1'],
    ['a negative limit', { limit: -1, window: '1m' }, 'limit is -1'],
    ['NaN', { limit: NaN, window: '1m' }, 'limit is NaN'],
    ['no window', { limit: 1 }, 'window is missing'],
    ['a window of more than a year', { limit: 1, window: '367d' }, 'window is "367d"'],
    ['a burst of a window', { ...minute, burst: 9 }, "burst is for algorithm 'token-bucket' only"],
    ['an unknown algorithm', { ...minute, algorithm: 'leaky' }, 'algorithm is "leaky"'],
    ['a plan with a wrong limit', { plans: { a: minute, b: { limit: 0, window: 1 } }, plan: planA }, 'plan "b"'],
    ['an unknown preset', { preset: 'gentle' }, 'preset is "gentle": it must be one of default, aggressive, relaxed'],
    ['an unknown option', { ...minute, limits: undefined, byy: 'ip' }, "byy is not an option. Did you mean 'by'?"],
    ['an unknown by', { ...minute, by: 'address' }, 'by is "address": it must be \'ip\''],
    ['a by with two headers', { ...minute, by: { header: 'a', other: 'b' } }, 'by is an object'],
    ['a by with no header name', { ...minute, by: { header: 'a b' } }, 'by is an object'],
    ['a cost that is too high', { ...minute, cost: 6 }, 'cost is 6, but never more than 5 are admitted at once'],
    [
      'a cost that is too high for a plan',
      { plans: { a: minute, b: { limit: 1, window: '1m' } }, plan: planA, cost: 2 },
      'cost (plan "b") is 2, but never more than 1',
    ],
    ['a negative cost', { ...minute, cost: -1 }, 'cost is -1'],
    ['a skip that is no function', { ...minute, skip: true }, 'skip is true: it must be a function'],
    ['headers by name', { ...minute, headers: 'none' }, 'headers is "none": it must be false or'],
    ['an unknown header', { ...minute, headers: { draft: true } }, 'headers is an object'],
    ['a wrong name', { ...minute, name: 'a b' }, 'name is "a b"'],
    ['no client', { ...minute, client: '' }, 'client is ""'],
    ['limits that are none', { limits: 5 }, 'limits is 5: it must be a function, or { load'],
    ['limits without load', { limits: { ttl: '1m' } }, 'limits.load is missing'],
    ['limits with a wrong ttl', { limits: { load: () => minute, ttl: 'long' } }, 'ttl is "long"'],
    ['limits with an unknown option', { limits: { load: () => minute, tll: 1 } }, 'tll is not an option'],
    ['no object', 'often', 'it must be an object'],
  ])('[RLM-2] refuse %s', (_what, options, message) => {
    expect(refusal(options as object)).toContain(message);
    expect(refusal(options as object)).toContain('Shop.buy');
  });

  it.each([
    ['a tier', minute],
    ['a bucket', { ...minute, algorithm: 'token-bucket', burst: 9, cost: 9 }],
    ['tiers', { tiers: [minute, { limit: 9, window: '1h' }] }],
    ['a preset', { preset: 'relaxed', by: { header: 'X-Api-Key' } }],
    ['plans', { plans: { a: minute, b: [minute] }, plan: planA }],
    ['a function', { limits: () => minute, cost: 1_000 }],
    ['fetched limits', { limits: { load: () => minute, key: () => 'a', ttl: '5m' } }],
  ])('[RLM-2] take %s', (_what, options) => {
    expect(refusal(options)).toBe('Shop is fine');
  });

  it('are refused on what is no method of instances', () => {
    expect(() => {
      class Shop {
        @RateLimit(minute)
        static async buy(): Promise<void> {
          // Never called.
        }
      }
      return Shop;
    }).toThrow('Shop.buy, which is static');
  });

  it('compile where they should, and only there', () => {
    interface Known {
      readonly account: string;
    }
    class Shop {
      @RateLimit({ limit: 20, window: '1m', by: (request) => request.user.tenantId })
      usual(): void {}

      @RateLimit({ ...minute, by: (request: Known, context: ExecutionContext) => request.account + context.getType() })
      own(): void {}

      @RateLimit({
        ...minute,
        by: (sku: string, count: number) => sku + count,
        cost: (_sku: string, count: number) => count,
      })
      async plain(_sku: string, _count: number): Promise<void> {}

      @RateLimit({ plans: { a: minute }, plan: async ({ headers }) => String(headers['x-plan']) })
      plan(): void {}
    }
    const decorators: readonly MethodDecorator[] = [
      // @ts-expect-error tiers and a single limit
      RateLimit({ ...minute, tiers: [minute] }),
      // @ts-expect-error plans without plan
      RateLimit({ plans: { a: minute } }),
      // @ts-expect-error an unknown preset
      RateLimit({ preset: 'gentle' }),
      // @ts-expect-error a window with two tiers
      RateLimit({ tiers: [minute], window: '1m' }),
      // @ts-expect-error a name that is none
      RateLimit({ ...minute, by: 'address' }),
    ];
    const method = { value: Shop.prototype.plain };
    for (const decorate of decorators) expect(() => decorate(Shop.prototype, 'plain', method)).toThrow('Shop.plain');
    // @ts-expect-error a function that names nobody
    RateLimit({ ...minute, by: () => ({}) });
  });
});

@Injectable()
@RateLimit(minute)
class LimitedService {
  async buy(): Promise<void> {}
}

@Injectable()
class ByAddress {
  @RateLimit({ ...minute, by: 'ip' })
  async ip(): Promise<void> {}

  @RateLimit({ ...minute, by: { header: 'x-key' } })
  async header(): Promise<void> {}
}

@Injectable()
class Skipping {
  @SkipRateLimit()
  async buy(): Promise<void> {}
}

@Controller()
class Both {
  @Get()
  @SkipRateLimit()
  @RateLimit(minute)
  both(): void {}
}

@Controller()
class Elsewhere {
  @Get()
  @RateLimit({ ...minute, client: 'elsewhere' })
  get(): void {}
}

@Injectable()
class Costly {
  @RateLimit({ preset: 'aggressive', cost: 101 })
  async buy(): Promise<void> {}
}

function twin(): Type {
  @Controller()
  class Twin {
    @Post()
    @RateLimit(minute)
    create(@Body() _body: unknown): void {}
  }
  return Twin;
}

@Controller()
@RateLimit({ ...minute, name: 'shared' })
class Sharing {
  @Get()
  @RateLimit({ ...minute, name: 'shared' })
  get(): void {}
}

const embedded = { mode: 'embedded', logLevel: 'silent' } as const;

describe('[L15] a start with decorators', () => {
  const failure = async (...providers: readonly Type[]): Promise<string> => {
    const error = await startFailure({ imports: [ValkeyModule.forRoot(embedded)], providers });
    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID' });
    return error.message;
  };

  it('fails for a class without handlers', async () => {
    expect(await failure(LimitedService)).toContain(
      'LimitedService is neither a controller, a gateway nor a resolver, so @RateLimit() on the class does nothing',
    );
  });

  it('fails for a plain method that is to be limited by what only requests have', async () => {
    const message = await failure(ByAddress);

    expect(message).toContain("ByAddress.ip is no handler and has no request, so it cannot be limited by 'ip'");
    expect(message).toContain('cannot be limited by header x-key');
  });

  it('fails for a plain method that is to be skipped', async () => {
    expect(await failure(Skipping)).toContain('Skipping.buy is no handler, so @SkipRateLimit() does nothing');
  });

  it('fails for what is limited and skipped', async () => {
    expect(await failure(Both)).toContain('Both.both has @RateLimit() and @SkipRateLimit()');
  });

  it('fails for a client that is not there', async () => {
    expect(await failure(Elsewhere)).toContain('is limited by the client "elsewhere", which is not there');
  });

  it('fails for a cost no preset admits', async () => {
    expect(await failure(Costly)).toContain('cost (preset aggressive) is 101, but never more than 100');
  });

  it('fails for two classes of one name, whose counters would be the same', async () => {
    expect(await failure(twin(), twin())).toContain('Twin.create has the name of another rate limit');
  });

  it('takes names that are shared on purpose', async () => {
    await start({ imports: [ValkeyModule.forRoot(embedded)], controllers: [Sharing] });
  });

  it('fails without ValkeyModule', async () => {
    const error = await startFailure({ imports: [], controllers: [Sharing] });

    expect(error.message).toContain('ApplicationLimits');
  });
});

describe('rateLimit of the module', () => {
  const failure = async (rateLimit: object, environment: Readonly<Record<string, string>> = {}): Promise<string> => {
    const options = { ...embedded, rateLimit: rateLimit as RateLimitModuleOptions };
    const error = await startFailure({ imports: [ValkeyModule.forRoot(options)], environment });
    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID' });
    return error.message;
  };

  it.each([
    ['an unknown option', { onStoreDwn: 'open' }, "onStoreDwn is not an option. Did you mean 'onStoreDown'?"],
    ['a wrong option of the limiter', { onStoreDown: 'shut' }, 'rateLimit.onStoreDown is "shut"'],
    ['a wrong timeout', { timeout: 0 }, 'rateLimit.timeout is 0'],
    ['limits and a preset', { limits: minute, preset: 'default' }, 'has limits and preset'],
    ['wrong limits', { limits: { limit: 0, window: '1m' } }, 'limit is 0'],
    ['by without limits', { by: 'user' }, 'rateLimit.by is for handlers without a decorator'],
    ['a wrong switch', { enabled: 'yes' }, 'enabled is "yes"'],
    ['wrong headers', { headers: { standard: 1 } }, 'headers is an object'],
    ['no object', 'often', 'rateLimit is "often"'],
  ])('[RLM-4] fails the start for %s', async (_what, rateLimit, message) => {
    expect(await failure(rateLimit as object)).toContain(message);
  });

  it('[RLM-4] fails the start for wrong variables', async () => {
    const message = await failure({}, { RATE_LIMIT_MAX: 'many', RATE_LIMIT_ENABLED: 'perhaps' });

    expect(message).toContain('RATE_LIMIT_MAX is "many"');
    expect(message).toContain('RATE_LIMIT_ENABLED is "perhaps"');
  });

  it('[RLM-5] fails the start for two defaults', async () => {
    const rateLimit = { limits: minute };
    const imports = [
      ValkeyModule.forRoot({ ...embedded, rateLimit }),
      ValkeyModule.forRoot({ ...embedded, name: 'second', rateLimit }),
    ];

    expect((await startFailure({ imports })).message).toContain('says again what handlers without a decorator admit');
  });

  it('[RLM-1] gives each client a limiter, of forRootAsync() too', async () => {
    @Injectable()
    class Second {
      @RateLimit({ limit: 1, window: '1m', client: 'second' })
      async buy(): Promise<void> {}
    }
    const application = await start({
      imports: [
        ValkeyModule.forRoot(embedded),
        ValkeyModule.forRootAsync({
          name: 'second',
          useFactory: () => ({ ...embedded, rateLimit: { onStoreDown: 'open' } as const }),
        }),
      ],
      providers: [Second],
    });
    await application.get(Second).buy();

    await expect(application.get(Second).buy()).rejects.toMatchObject({ code: 'VALKEY_RATE_LIMITED' });
    const [first, second] = [
      application.get<object>(RATE_LIMITER),
      application.get<object>(rateLimiterToken('second')),
    ];
    expect(first).not.toBe(second);
  });
});

@Controller()
class Presets {
  @Get('default')
  @RateLimit({ preset: 'default' })
  usual(): void {}

  @Get('aggressive')
  @RateLimit({ preset: 'aggressive' })
  aggressive(): void {}

  @Get('relaxed')
  @RateLimit({ preset: 'relaxed' })
  relaxed(): void {}

  @Get('none')
  none(): void {}
}

describe('[RLM-4] presets of the environment', () => {
  const policies = async (
    environment: Readonly<Record<string, string>>,
    rateLimit: RateLimitModuleOptions = {},
  ): Promise<unknown> => {
    const imports = [ValkeyModule.forRoot({ ...embedded, rateLimit })];
    const application = await start({ imports, controllers: [Presets], environment });
    await application.listen(0, '127.0.0.1');
    const found: unknown[] = [];
    for (const path of ['default', 'aggressive', 'relaxed', 'none']) {
      found.push(...listIn(await get(application, `/${path}`), 'RateLimit-Policy'));
    }
    return found;
  };

  it('are 500, 100 and 1000 in 60 s', async () => {
    expect(await policies({})).toEqual([
      ['default', { q: 500, w: 60 }],
      ['aggressive', { q: 100, w: 60 }],
      ['relaxed', { q: 1_000, w: 60 }],
    ]);
  });

  it('are what the variables say, for handlers without a decorator too', async () => {
    const environment = { RATE_LIMIT_MAX: '7', RATE_LIMIT_WINDOW_SEC: '30', AGGRESSIVE_RATE_LIMIT_MAX: '3' };

    expect(await policies({ ...environment, RELAXED_RATE_LIMIT_WINDOW_SEC: '90' }, { preset: 'default' })).toEqual([
      ['default', { q: 7, w: 30 }],
      ['aggressive', { q: 3, w: 60 }],
      ['relaxed', { q: 1_000, w: 90 }],
      ['default', { q: 7, w: 30 }],
    ]);
  });

  it('are switched off by RATE_LIMIT_ENABLED, unless the options say otherwise', async () => {
    const environment = { RATE_LIMIT_ENABLED: 'false' };

    expect(await policies(environment, { preset: 'default' })).toEqual([]);
    expect(await policies(environment, { enabled: true })).toHaveLength(3);
  });
});

describe('the end of an application', () => {
  it.each([ValkeyModule.forRoot(embedded), TestValkeyModule.forRoot()])('closes the limiter (%#)', async (module) => {
    const application = await start({ imports: [module] });
    const close = jest.spyOn(application.get<RateLimiter>(RATE_LIMITER), 'close');
    await closeApplications();

    expect(close).toHaveBeenCalledTimes(1);
  });
});

describe('TestValkeyModule', () => {
  @Injectable()
  class Shop {
    @RateLimit({ limit: 1, window: '1m', algorithm: 'fixed-window' })
    async buy(): Promise<string> {
      return 'bought';
    }
  }

  @Module({ providers: [Shop] })
  class ShopModule {}

  it('[RLM-1] limits by the clock of the test', async () => {
    const application = await start({ imports: [TestValkeyModule.forRoot(), ShopModule] });
    const shop = application.get(Shop, { strict: false });
    await shop.buy();

    await expect(shop.buy()).rejects.toMatchObject({ code: 'VALKEY_RATE_LIMITED' });
    application.get<TestClient>(testClientToken()).clock.advance('1m');
    expect(await shop.buy()).toBe('bought');
  });

  it('[RLM-4] takes rateLimit, and refuses what is wrong in it', async () => {
    const application = await start({
      imports: [TestValkeyModule.forRoot({ rateLimit: { enabled: false } }), ShopModule],
    });
    const shop = application.get(Shop, { strict: false });

    expect([await shop.buy(), await shop.buy()]).toEqual(['bought', 'bought']);
    const wrong = { enabld: false } as RateLimitModuleOptions;
    expect((await startFailure({ imports: [TestValkeyModule.forRoot({ rateLimit: wrong })] })).message).toContain(
      'enabld',
    );
  });
});
