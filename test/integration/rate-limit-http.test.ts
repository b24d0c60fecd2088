import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { RateLimit, ValkeyModule } from '../../lib/index.js';
import type { RateLimitModuleOptions } from '../../lib/index.js';
import { type Server, describeWithServers, startServer, watchUnhandled } from '../support/index.js';
import { get, listIn, statuses } from '../unit/nest/rate-limit-application.js';

@Controller()
class ShopController {
  @Get('plain')
  @RateLimit({ limit: 4, window: '1m', algorithm: 'sliding-log' })
  plain(): string {
    return 'fine';
  }

  @Get('both')
  @RateLimit({
    tiers: [
      { limit: 2, window: '1m', name: 'burst' },
      { limit: 9, window: '1h', name: 'hourly' },
    ],
  })
  both(): string {
    return 'fine';
  }

  @Get('fixed-window')
  @RateLimit({ limit: 2, window: '1s', algorithm: 'fixed-window' })
  fixed(): string {
    return 'fine';
  }

  @Get('sliding-window')
  @RateLimit({ limit: 2, window: '1s', algorithm: 'sliding-window' })
  sliding(): string {
    return 'fine';
  }

  @Get('sliding-log')
  @RateLimit({ limit: 2, window: '1s', algorithm: 'sliding-log' })
  log(): string {
    return 'fine';
  }

  @Get('token-bucket')
  @RateLimit({ limit: 2, window: '1s', algorithm: 'token-bucket' })
  bucket(): string {
    return 'fine';
  }

  @Get('blocked')
  @RateLimit({ limit: 1, window: 100, algorithm: 'fixed-window', block: '1200ms' })
  blocked(): string {
    return 'fine';
  }

  @Get('several')
  @RateLimit({ limit: 3, window: '1m', by: 'global' })
  @RateLimit({ limit: 1, window: '1m' })
  several(): string {
    return 'fine';
  }
}

const applications = new Set<INestApplication>();

afterEach(async () => {
  await Promise.all(Array.from(applications, (application) => application.close()));
  applications.clear();
});

type Framework = 'Express' | 'Fastify';

async function start(
  framework: Framework,
  { host, port }: Server,
  rateLimit: RateLimitModuleOptions = {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [ValkeyModule.forRoot({ host, port, drain: 100, logLevel: 'silent', rateLimit })],
    controllers: [ShopController],
  }).compile();
  const application =
    framework === 'Fastify'
      ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter())
      : module.createNestApplication();
  await application.listen(0, '127.0.0.1');
  applications.add(application);
  return application;
}

/** Everything the server has of limits. */
async function counters(server: Server): Promise<readonly unknown[]> {
  const keys = (await server.command('KEYS', 'limit:*')) as string[];
  return Promise.all(keys.toSorted().map(async (key) => [key, await server.command('DUMP', key)]));
}

describeWithServers('@RateLimit() over a server', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.stop());

  it('[RLM-1] counts over two applications, on Express and on Fastify', async () => {
    const [express, fastify] = [await start('Express', server), await start('Fastify', server)];
    const asked = [express, fastify, express, fastify, express, fastify];
    const found = await Promise.all(asked.map((application) => get(application, '/plain')));

    expect(found.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(found.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  describe.each(['Express', 'Fastify'] as const)('on %s', (framework) => {
    it.each(['fixed-window', 'sliding-window', 'sliding-log', 'token-bucket', 'blocked'])(
      '[L4] [RLM-3] admits who has waited for Retry-After seconds: %s',
      async (path) => {
        const application = await start(framework, server);
        let answer = await get(application, `/${path}`);
        for (let made = 0; answer.status === 200 && made < 10; made += 1) answer = await get(application, `/${path}`);
        const seconds = Number(answer.headers.get('retry-after'));

        expect([answer.status, Number.isInteger(seconds), seconds >= 1]).toEqual([429, true, true]);
        await pause(seconds * 1_000);
        expect((await get(application, `/${path}`)).status).toBe(200);
      },
    );

    it('[L2] writes nothing at the server when a tier refuses', async () => {
      // Without a memory of refusals, so that the server is asked.
      const application = await start(framework, server, { blockList: 0 });
      await statuses(application, '/both', 2);
      const before = await counters(server);
      const refused = await get(application, '/both');

      expect(refused.status).toBe(429);
      expect(refused.body).toMatchObject({ 'violated-policies': ['burst'] });
      expect(listIn(refused, 'RateLimit').map(([name, { r }]) => [name, r])).toEqual([
        ['burst', 0],
        ['hourly', 7],
      ]);
      expect(before).toHaveLength(2);
      expect(await counters(server)).toEqual(before);
    });

    it('[RLM-2] gives back at the server what one of several limits has counted', async () => {
      const application = await start(framework, server);

      expect(await statuses(application, '/several', 3)).toEqual([200, 429, 429]);
      const keys = (await server.command('KEYS', 'limit:ShopController.several.2*')) as string[];
      expect(await server.command('GET', keys[0] as string)).toMatch(/^\d+ 1 0/);
    });

    it.each([
      ['local', [200, 200, 429]],
      ['open', [200, 200, 200]],
    ] as const)('[RLM-4] goes on with onStoreDown: %s when the store is away', async (onStoreDown, expected) => {
      const unhandled = watchUnhandled();
      const application = await start(framework, server, { onStoreDown, timeout: '100ms' });
      await get(application, '/both');
      await server.kill();

      expect(await statuses(application, '/both', 3)).toEqual(expected);
      const { headers } = await get(application, '/both');
      expect([headers.has('ratelimit-policy'), headers.has('ratelimit')]).toEqual([true, onStoreDown === 'local']);
      expect(await unhandled.stop()).toEqual([]);
    });

    it('[RLM-4] answers 503 with onStoreDown: closed when the store is away', async () => {
      const application = await start(framework, server, { onStoreDown: 'closed', timeout: '100ms' });
      await get(application, '/both');
      await server.kill();
      const refused = await get(application, '/both');

      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(refused.body).toEqual({
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'The rate limit could not be checked.',
      });
    });
  });
});
