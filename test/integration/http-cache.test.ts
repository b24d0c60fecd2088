import { Controller, Get, Inject, Param, Put } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { CACHE_SERVICE, CacheEvict, CacheService, HttpCache, ValkeyModule } from '../../lib/index.js';
import { type Server, describeWithServers, startServer, until, watchUnhandled } from '../support/index.js';

/** Runs of the method, by the application they ran in. */
let runs: Record<string, number> = {};
let gate: Promise<void> | undefined;

/** The same controller in each application; who it is only the counting knows. */
const NAME = Symbol('NAME');

interface ById {
  readonly params: { readonly id: string };
}

@Controller('products')
class ProductController {
  constructor(@Inject(NAME) private readonly name: string) {}

  @HttpCache({ ttl: '1m', tags: (asked: ById) => [`product:${asked.params.id}`] })
  @Get(':id')
  async find(@Param('id') id: string): Promise<object> {
    runs[this.name] = (runs[this.name] ?? 0) + 1;
    await gate;
    return { id, made: this.name };
  }

  @CacheEvict({ tags: (id: string) => [`product:${id}`] })
  @Put(':id')
  async change(@Param('id') id: string): Promise<object> {
    return { id };
  }
}

const applications = new Set<INestApplication>();

afterEach(async () => {
  await Promise.all(Array.from(applications, (application) => application.close()));
  applications.clear();
  runs = {};
  gate = undefined;
});

/** An application on Express or Fastify, by its name. */
async function start(name: string, server: Server, keyPrefix = 'shop:'): Promise<INestApplication> {
  const { host, port } = server;
  const options = { host, port, keyPrefix, drain: 100, logLevel: 'silent', resilience: { timeout: 500 } } as const;
  const module = await Test.createTestingModule({
    imports: [ValkeyModule.forRoot(options)],
    controllers: [ProductController],
    providers: [{ provide: NAME, useValue: name }],
  }).compile();
  const application = name.startsWith('Fastify')
    ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter())
    : module.createNestApplication();
  await application.listen(0, '127.0.0.1');
  applications.add(application);
  return application;
}

function get(application: INestApplication, path: string): Promise<request.Response> {
  return request(application.getHttpServer())
    .get(path)
    .then((response) => response);
}

describeWithServers('[CAC-9] @HttpCache() over a server', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.stop());

  it('[CAC-4] runs the method once for two applications, on Express and on Fastify', async () => {
    const [express, fastify] = [await start('Express', server), await start('Fastify', server)];
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const answers = [express, fastify, express, fastify].map((application) => get(application, '/products/1?b=1&a=2'));
    await until(() => Object.keys(runs).length === 1, { what: 'one of them runs the method' });
    open();
    const bodies = (await Promise.all(answers)).map(({ body }) => body as unknown);

    expect(Object.values(runs)).toEqual([1]);
    expect(bodies).toEqual(Array.from({ length: 4 }, () => ({ id: '1', made: Object.keys(runs)[0] })));
  });

  it('[CAC-5] forgets in all applications what one changes', async () => {
    const [express, fastify] = [await start('Express', server), await start('Fastify', server)];
    for (const application of [express, fastify])
      expect((await get(application, '/products/1')).body.made).toBe('Express');
    await request(express.getHttpServer()).put('/products/1').expect(200);
    await until(async () => (await get(fastify, '/products/1')).body.made === 'Fastify', { what: 'the entry is gone' });
    expect(runs).toEqual({ Express: 1, Fastify: 1 });
  });

  it('[C10] shares nothing between applications with prefixes of their own', async () => {
    const [one, two] = [await start('Express one', server, 'one:'), await start('Express two', server, 'two:')];
    for (const [application, made] of [
      [one, 'Express one'],
      [two, 'Express two'],
      [one, 'Express one'],
    ] as const) {
      expect((await get(application, '/products/1')).body.made).toBe(made);
    }
    expect(runs).toEqual({ 'Express one': 1, 'Express two': 1 });
  });

  it.each(['Express', 'Fastify'])(
    '[C3] answers on %s with what the method gives when the server is gone',
    async (name) => {
      const unhandled = watchUnhandled();
      const application = await start(name, server);
      await server.stop();
      const answer = await get(application, '/products/9');
      expect([answer.status, answer.body as unknown, runs]).toEqual([200, { id: '9', made: name }, { [name]: 1 }]);
      expect(answer.headers['etag']).toBeDefined();
      await application.get<CacheService>(CACHE_SERVICE).cache('http').idle();
      expect(await unhandled.stop()).toEqual([]);
    },
  );
});
