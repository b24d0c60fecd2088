import { Controller, Get, HttpException, Post, Req, UseGuards } from '@nestjs/common';
import type { CanActivate, DynamicModule, ExecutionContext, INestApplication } from '@nestjs/common';
import { HttpCache, RATE_LIMITER, RateLimit, RateLimiter, SkipRateLimit, ValkeyModule } from '../../../lib/index.js';
import type { RateLimitModuleOptions, RateLimitRefusal } from '../../../lib/index.js';
import { ask, closeHttp, FRAMEWORKS, get, listIn, serve, statuses } from './rate-limit-application.js';

const embedded = (rateLimit?: RateLimitModuleOptions): DynamicModule =>
  ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', ...(rateLimit && { rateLimit }) });

/** Puts a user there, as an application's own guard would. */
class Login implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    const { 'x-user': id, 'x-tenant': tenantId } = request.headers;
    if (id !== undefined) request.user = { id, tenantId };
    return true;
  }
}

let runs = 0;
let refusals: RateLimitRefusal[] = [];
let loads: string[] = [];
let loadFails = false;

@Controller('shop')
class ShopController {
  @Get('plain')
  @RateLimit({ limit: 2, window: '1m', algorithm: 'fixed-window' })
  plain(): object {
    runs += 1;
    return { runs };
  }

  @Get('tiers')
  @RateLimit({
    tiers: [
      { limit: 2, window: '10s', name: 'burst' },
      { limit: 100, window: '1h', name: 'hourly' },
    ],
  })
  tiers(): string {
    return 'fine';
  }

  @Get('user')
  @UseGuards(Login)
  @RateLimit({ limit: 1, window: '1m', by: 'user' })
  tooEarly(): string {
    return 'fine';
  }

  @Get('tenant')
  @RateLimit({ limit: 1, window: '1m', by: (request) => request.user.tenantId })
  @UseGuards(Login)
  tenant(): string {
    return 'fine';
  }

  @Get('tenant-by-name')
  @RateLimit({ limit: 1, window: '1m', by: 'tenant' })
  @UseGuards(Login)
  tenantByName(): string {
    return 'fine';
  }

  @Get('known')
  @RateLimit({ limit: 1, window: '1m', by: 'user' })
  @UseGuards(Login)
  known(): string {
    return 'fine';
  }

  @Get('key')
  @RateLimit({ limit: 1, window: '1m', by: { header: 'X-Api-Key' } })
  key(): string {
    return 'fine';
  }

  @Get('all')
  @RateLimit({ limit: 1, window: '1m', by: 'global' })
  all(): string {
    return 'fine';
  }

  @Get('odd')
  @RateLimit({ limit: 1, window: '1m', by: () => ({}) as string })
  odd(): string {
    return 'fine';
  }

  @Get('priced')
  @RateLimit({ limit: 5, window: '1m', cost: async ({ headers }) => Number(headers['x-cost'] ?? 1) })
  priced(): string {
    return 'fine';
  }

  @Get('skipped')
  @RateLimit({ limit: 1, window: '1m', skip: ({ headers }) => headers['x-probe'] === 'yes' })
  skipped(): string {
    return 'fine';
  }

  @Get('plans')
  @RateLimit({
    plans: { free: { limit: 1, window: '1m' }, pro: [{ limit: 3, window: '1m' }] },
    plan: async ({ headers }) => String(headers['x-plan']),
  })
  plans(): string {
    return 'fine';
  }

  @Get('asked')
  @RateLimit({ limits: async ({ headers }) => ({ limit: Number(headers['x-limit']), window: '1m' }) })
  asked(): string {
    return 'fine';
  }

  @Get('loaded')
  @RateLimit({
    by: { header: 'x-api-key' },
    limits: {
      load: ({ headers }) => {
        loads.push(String(headers['x-api-key']));
        if (loadFails) throw new Error('the plans are away');
        return Promise.resolve({ limit: 2, window: '1m' });
      },
      ttl: '1h',
    },
  })
  loaded(): string {
    return 'fine';
  }

  @Get('several')
  @RateLimit({ limit: 3, window: '1m', by: 'global' })
  @RateLimit({ limit: 2, window: '1m', by: { header: 'x-api-key' } })
  several(): string {
    return 'fine';
  }

  @Get('legacy')
  @RateLimit({
    tiers: [
      { limit: 9, window: '10s' },
      { limit: 2, window: '1m' },
    ],
    headers: { legacy: true, standard: false },
  })
  legacy(): string {
    return 'fine';
  }

  @Get('bare')
  @RateLimit({ limit: 1, window: '1m', headers: false })
  bare(): string {
    return 'fine';
  }

  @Get('replaced')
  @RateLimit({
    limit: 1,
    window: '1m',
    error: (refusal) => {
      refusals.push(refusal);
      return new HttpException({ slow: 'down' }, 420, { cause: refusal.error });
    },
  })
  replaced(): string {
    return 'fine';
  }

  @Get('cached')
  @HttpCache({ ttl: '1m' })
  @RateLimit({ limit: 3, window: '1m', algorithm: 'fixed-window' })
  cached(): object {
    runs += 1;
    return { runs };
  }

  @Get('bucket')
  @RateLimit({ limit: 1, window: '1s', algorithm: 'token-bucket', burst: 4 })
  bucket(): string {
    return 'fine';
  }
}

@Controller('desk')
@RateLimit({ limit: 2, window: '1m' })
class DeskController {
  @Get('one')
  one(): string {
    return 'fine';
  }

  @Get('two')
  two(): string {
    return 'fine';
  }

  @Get('own')
  @RateLimit({ limit: 1, window: '1m' })
  own(): string {
    return 'fine';
  }

  @Get('free')
  @SkipRateLimit()
  free(@Req() _request: unknown): string {
    return 'fine';
  }
}

@Controller('open')
class OpenController {
  @Get('one')
  one(): string {
    return 'fine';
  }

  @Post('two')
  two(): string {
    return 'fine';
  }

  @Get('own')
  @RateLimit({ limit: 5, window: '1m', algorithm: 'fixed-window' })
  own(): string {
    return 'fine';
  }
}

@Controller('free')
@SkipRateLimit()
class FreeController {
  @Get()
  free(): string {
    return 'fine';
  }

  @Get('own')
  @RateLimit({ limit: 1, window: '1m' })
  own(): string {
    return 'fine';
  }
}

const controllers = [ShopController, DeskController, OpenController, FreeController];

afterEach(async () => {
  await closeHttp();
  runs = 0;
  refusals = [];
  loads = [];
  loadFails = false;
});

describe.each(FRAMEWORKS)('@RateLimit() on %s', (framework) => {
  const start = (rateLimit?: RateLimitModuleOptions): Promise<INestApplication> =>
    serve(framework, { controllers, imports: [embedded(rateLimit)] });

  it('[RLM-1] admits the limit and refuses the rest, without running the method', async () => {
    const application = await start();

    expect(await statuses(application, '/shop/plain', 4)).toEqual([200, 200, 429, 429]);
    expect(runs).toBe(2);
  });

  it('[RLM-3] says policy and what is left, on what is admitted and on what is refused', async () => {
    const application = await start();
    const admitted = await get(application, '/shop/plain');
    await get(application, '/shop/plain');
    const refused = await get(application, '/shop/plain');

    expect(listIn(admitted, 'RateLimit-Policy')).toEqual([['2-per-60s', { q: 2, w: 60 }]]);
    expect(listIn(admitted, 'RateLimit')).toEqual([['2-per-60s', { r: 1, t: 60 }]]);
    expect(admitted.headers.get('retry-after')).toBeNull();
    expect(listIn(refused, 'RateLimit-Policy')).toEqual(listIn(admitted, 'RateLimit-Policy'));
    expect(listIn(refused, 'RateLimit')).toEqual([['2-per-60s', { r: 0, t: expect.any(Number) as number }]]);
    expect(refused.headers.has('x-ratelimit-limit')).toBe(false);
  });

  it('[L2] [RLM-3] refuses with problem+json that names the policy, and one Retry-After in whole seconds', async () => {
    const application = await start();
    await statuses(application, '/shop/tiers', 2);
    const refused = await get(application, '/shop/tiers');
    const retryAfter = refused.headers.get('retry-after') as string;

    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(retryAfter).toMatch(/^[1-9]\d*$/);
    expect(refused.body).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: `"burst" is exceeded. Try again in ${retryAfter} s.`,
      'violated-policies': ['burst'],
    });
    const times = listIn(refused, 'RateLimit').map(([, { t }]) => Number(t));
    expect(Math.max(...times)).toBeLessThanOrEqual(Number(retryAfter));
  });

  it('[L2] leaves the other tiers as they are when one refuses', async () => {
    const application = await start();
    await statuses(application, '/shop/tiers', 2);
    const refused = [await get(application, '/shop/tiers'), await get(application, '/shop/tiers')];

    const left = refused.map((answer) => listIn(answer, 'RateLimit').map(([name, { r }]) => [name, r]));
    expect(left).toEqual([
      [
        ['burst', 0],
        ['hourly', 98],
      ],
      [
        ['burst', 0],
        ['hourly', 98],
      ],
    ]);
  });

  it('[RLM-2] limits users, tenants and headers apart from each other', async () => {
    const application = await start();
    const anne = { 'x-user': 'anne', 'x-tenant': 't1' };
    const ben = { 'x-user': 'ben', 'x-tenant': 't1' };

    expect(await statuses(application, '/shop/known', 2, anne)).toEqual([200, 429]);
    expect(await statuses(application, '/shop/known', 1, ben)).toEqual([200]);
    for (const path of ['/shop/tenant', '/shop/tenant-by-name']) {
      expect(await statuses(application, path, 1, anne)).toEqual([200]);
      expect(await statuses(application, path, 1, ben)).toEqual([429]);
      expect(await statuses(application, path, 1, { ...ben, 'x-tenant': 't2' })).toEqual([200]);
    }
    expect(await statuses(application, '/shop/key', 2, { 'x-api-key': 'a' })).toEqual([200, 429]);
    expect(await statuses(application, '/shop/key', 1, { 'x-api-key': 'b' })).toEqual([200]);
    expect(await statuses(application, '/shop/all', 2)).toEqual([200, 429]);
  });

  it('[RLM-2] counts who has no value by its address, and never with one who sends it as a value', async () => {
    const application = await start();

    expect(await statuses(application, '/shop/key', 2)).toEqual([200, 429]);
    expect(await statuses(application, '/shop/key', 1, { 'x-api-key': '127.0.0.1' })).toEqual([200]);
    expect(await statuses(application, '/shop/key', 1, { 'x-api-key': 'ip:127.0.0.1' })).toEqual([200]);
    // The guard of the application comes too late here: there is no user yet.
    expect(await statuses(application, '/shop/user', 1, { 'x-user': 'anne' })).toEqual([200]);
    expect(await statuses(application, '/shop/user', 1, { 'x-user': 'ben' })).toEqual([429]);
  });

  it('[RLM-2] fails for a function that names nobody in words', async () => {
    expect((await get(await start(), '/shop/odd')).status).toBe(500);
  });

  it('[L3] [RLM-2] refuses a cost above what is left without counting it, and above the capacity without Retry-After', async () => {
    const application = await start();
    const costing = (cost: number): ReturnType<typeof get> =>
      get(application, '/shop/priced', { 'x-cost': String(cost) });

    expect((await costing(3)).status).toBe(200);
    const tooMuch = await costing(3);
    expect([tooMuch.status, tooMuch.headers.has('retry-after')]).toEqual([429, true]);
    const never = await costing(6);
    expect([never.status, never.headers.has('retry-after')]).toEqual([429, false]);
    expect(never.body).toMatchObject({ detail: 'This request costs more than "5-per-60s" ever admits.' });
    const looking = await costing(0);
    expect([looking.status, listIn(looking, 'RateLimit')[0]?.[1]['r']]).toEqual([200, 2]);
    expect((await costing(2)).status).toBe(200);
    expect((await costing(-1)).status).toBe(500);
  });

  it('[RLM-2] lets pass uncounted what is skipped', async () => {
    const application = await start();

    expect(await statuses(application, '/shop/skipped', 3, { 'x-probe': 'yes' })).toEqual([200, 200, 200]);
    expect((await get(application, '/shop/skipped', { 'x-probe': 'yes' })).headers.has('ratelimit')).toBe(false);
    expect(await statuses(application, '/shop/skipped', 2)).toEqual([200, 429]);
  });

  it('[RLM-2] limits by the plan of the request, and fails for an unknown one', async () => {
    const application = await start();

    expect(await statuses(application, '/shop/plans', 2, { 'x-plan': 'free' })).toEqual([200, 429]);
    expect((await get(application, '/shop/plans', { 'x-plan': 'constructor' })).status).toBe(500);
    const pro = await get(application, '/shop/plans', { 'x-plan': 'pro' });
    expect(listIn(pro, 'RateLimit-Policy')).toEqual([['3-per-60s', { q: 3, w: 60 }]]);
  });

  it('[RLM-2] asks for the limits of each request, and remembers refusals of equal ones', async () => {
    const application = await start();

    expect(await statuses(application, '/shop/asked', 3, { 'x-limit': '2' })).toEqual([200, 200, 429]);
    expect(await statuses(application, '/shop/asked', 2, { 'x-limit': '3' })).toEqual([200, 429]);
    expect(await statuses(application, '/shop/asked', 1, { 'x-limit': 'none' })).toEqual([500]);
  });

  it('[RLM-2] loads limits once for each subject, however many ask at once', async () => {
    const application = await start();
    const asked = Array.from({ length: 4 }, () => get(application, '/shop/loaded', { 'x-api-key': 'a' }));
    const found = (await Promise.all(asked)).map(({ status }) => status);

    expect(found.filter((status) => status === 200)).toHaveLength(2);
    expect(found.filter((status) => status === 429)).toHaveLength(2);
    expect(await statuses(application, '/shop/loaded', 1, { 'x-api-key': 'b' })).toEqual([200]);
    expect(loads).toEqual(['a', 'b']);
  });

  it('[RLM-2] fails where limits cannot be loaded, and tries again with the next request', async () => {
    const application = await start();
    loadFails = true;
    expect(await statuses(application, '/shop/loaded', 1, { 'x-api-key': 'a' })).toEqual([500]);
    loadFails = false;
    expect(await statuses(application, '/shop/loaded', 1, { 'x-api-key': 'a' })).toEqual([200]);
  });

  it('[RLM-2] admits what all of several limits admit, and gives back what the first has counted', async () => {
    const application = await start();
    const asking = (key: string): ReturnType<typeof get> => get(application, '/shop/several', { 'x-api-key': key });
    const first = await asking('a');
    await asking('a');
    const refused = await asking('a');
    const other = await asking('b');

    expect(listIn(first, 'RateLimit-Policy').map(([name]) => name)).toEqual([
      'ShopController.several.2/3-per-60s',
      'ShopController.several/2-per-60s',
    ]);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ 'violated-policies': ['ShopController.several/2-per-60s'] });
    expect(listIn(refused, 'RateLimit').map(([name]) => name)).toEqual(['ShopController.several/2-per-60s']);
    expect(other.status).toBe(200);
    expect(listIn(other, 'RateLimit').map(([, { r }]) => r)).toEqual([0, 1]);
  });

  it('[RLM-3] has the X-RateLimit headers where they are asked for, of the tier with least left', async () => {
    const application = await start();
    const figures = ({ headers }: Awaited<ReturnType<typeof get>>): unknown[] =>
      ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`));
    const admitted = await get(application, '/shop/legacy');
    await get(application, '/shop/legacy');
    const refused = await get(application, '/shop/legacy');

    expect(figures(admitted)).toEqual(['2', '1', expect.stringMatching(/^\d+$/)]);
    expect(figures(refused)).toEqual(['2', '0', expect.stringMatching(/^[1-9]\d*$/)]);
    expect(admitted.headers.has('ratelimit')).toBe(false);
  });

  it('[RLM-3] has no headers but Retry-After where they are switched off', async () => {
    const application = await start();
    const answers = [await get(application, '/shop/bare'), await get(application, '/shop/bare')];

    expect(
      answers.map(({ status, headers }) => [status, headers.has('ratelimit'), headers.has('retry-after')]),
    ).toEqual([
      [200, false, false],
      [429, false, true],
    ]);
  });

  it('[RLM-3] takes the headers of the module where a decorator says nothing', async () => {
    const application = await start({ headers: { legacy: true } });
    const { headers } = await get(application, '/shop/plain');

    expect([headers.has('ratelimit'), headers.get('x-ratelimit-limit')]).toEqual([true, '2']);
  });

  it('[RLM-3] answers with what error makes of a refusal, and keeps Retry-After', async () => {
    const application = await start();
    await get(application, '/shop/replaced');
    const refused = await get(application, '/shop/replaced');

    expect([refused.status, refused.body]).toEqual([420, { slow: 'down' }]);
    expect(refused.headers.get('content-type')).toMatch(/^application\/json/);
    expect(refusals).toMatchObject([
      {
        limit: 'ShopController.replaced',
        context: 'http',
        retryAfter: Number(refused.headers.get('retry-after')),
        decision: { admitted: false },
        error: { code: 'VALKEY_RATE_LIMITED' },
      },
    ]);
  });

  it('[RLM-3] gives the refusal as cause of the exception', async () => {
    const causes: unknown[] = [];
    const application = await serve(framework, {
      controllers,
      imports: [embedded()],
      prepare: (made) => {
        made.useGlobalFilters({
          catch: (error: HttpException, host) => {
            causes.push((error.cause as { code: string }).code);
            made.getHttpAdapter().reply(host.getArgByIndex(1), error.getResponse(), error.getStatus());
          },
        });
      },
    });
    await statuses(application, '/shop/plain', 3);

    expect(causes).toEqual(['VALKEY_RATE_LIMITED']);
  });

  it('[RLM-3] limits cached responses too, with headers of their own', async () => {
    const application = await start();
    const answers = [await get(application, '/shop/cached'), await get(application, '/shop/cached')];
    // fetch() would say no-cache here.
    const unchanged = await ask(application)
      .get('/shop/cached')
      .set('if-none-match', answers[0]?.headers.get('etag') as string);

    expect(answers.map((answer) => [answer.body, listIn(answer, 'RateLimit')[0]?.[1]['r']])).toEqual([
      [{ runs: 1 }, 2],
      [{ runs: 1 }, 1],
    ]);
    expect([unchanged.status, unchanged.headers['ratelimit']]).toEqual([
      304,
      expect.stringMatching(/^"3-per-60s";r=0;t=\d+$/),
    ]);
    expect((await get(application, '/shop/cached')).status).toBe(429);
  });

  it('[RLM-3] tells a bucket by what it holds and how long it takes to fill', async () => {
    const answer = await get(await start(), '/shop/bucket');

    expect(listIn(answer, 'RateLimit-Policy')).toEqual([['1-per-1s', { q: 4, w: 4 }]]);
    expect(listIn(answer, 'RateLimit')).toEqual([['1-per-1s', { r: 3, t: 1 }]]);
  });

  it('[RLM-5] limits the handlers of a class together, but for those that say something themselves', async () => {
    const application = await start();

    expect(await statuses(application, '/desk/one', 1)).toEqual([200]);
    expect(await statuses(application, '/desk/two', 2)).toEqual([200, 429]);
    expect(await statuses(application, '/desk/own', 2)).toEqual([200, 429]);
    expect(await statuses(application, '/desk/free', 3)).toEqual([200, 200, 200]);
  });

  it('[RLM-5] limits by default what has no decorator, and counts nothing twice', async () => {
    const application = await start({ limits: { limit: 3, window: '1m' } });

    expect(listIn(await get(application, '/open/own'), 'RateLimit')).toEqual([['5-per-60s', { r: 4, t: 60 }]]);
    expect(listIn(await get(application, '/open/one'), 'RateLimit')[0]?.[1]['r']).toBe(2);
    expect(await statuses(application, '/desk/one', 1)).toEqual([200]);
    expect(await statuses(application, '/free', 5)).toEqual([200, 200, 200, 200, 200]);
    expect(await statuses(application, '/free/own', 2)).toEqual([200, 429]);
    expect(await statuses(application, '/open/one', 3)).toEqual([200, 200, 429]);
    expect(await statuses(application, '/open/own', 1)).toEqual([200]);
  });

  it('[RLM-5] without a default leaves alone what has no decorator', async () => {
    const { status, headers } = await get(await start(), '/open/one');

    expect([status, headers.has('ratelimit')]).toEqual([200, false]);
  });

  it('[RLM-4] lets everything pass when it is switched off', async () => {
    const application = await start({ enabled: false, limits: { limit: 1, window: '1m' } });

    expect(await statuses(application, '/shop/plain', 3)).toEqual([200, 200, 200]);
    expect(await statuses(application, '/open/one', 3)).toEqual([200, 200, 200]);
  });

  it('[RLM-1] can be looked at, given back and forgotten by hand', async () => {
    const application = await start();
    const limiter = application.get<RateLimiter>(RATE_LIMITER);
    await statuses(application, '/shop/plain', 3);
    const limits = { limit: 2, window: '1m', algorithm: 'fixed-window' } as const;
    const options = { name: 'ShopController.plain' };

    expect(await limiter.peek('ip:127.0.0.1', limits, options)).toMatchObject({ tiers: [{ remaining: 0 }] });
    await limiter.refund('ip:127.0.0.1', limits, options);
    expect(await statuses(application, '/shop/plain', 2)).toEqual([200, 429]);
    await limiter.reset('ip:127.0.0.1', limits, options);
    expect(await statuses(application, '/shop/plain', 3)).toEqual([200, 200, 429]);
  });
});
