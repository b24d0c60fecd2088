import { ConsoleLogger, Controller, Get, Inject } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { CACHE_CLIENT, CacheClient, clientToken, ValkeyModule } from '../../lib/index.js';
import type { ValkeyModuleOptions } from '../../lib/index.js';
import { ValkeyHealthIndicator } from '../../lib/nest/terminus/index.js';
import type { ValkeyHealthOptions } from '../../lib/nest/terminus/index.js';
import { type Cluster, type Server, describeWithServers, startCluster, startServer, until } from '../support/index.js';

/** What the server is asked for in a test. */
let asked: ValkeyHealthOptions = {};

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ValkeyHealthIndicator) private readonly valkey: ValkeyHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.valkey.isHealthy('cache', asked)]);
  }

  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }
}

interface Answer {
  readonly code: number;
  readonly took: number;
  readonly text: string;
  readonly cache: Readonly<Record<string, unknown>>;
}

let application: INestApplication | undefined;

afterEach(async () => {
  await application?.close();
  application = undefined;
  asked = {};
});

async function start(...options: readonly ValkeyModuleOptions[]): Promise<INestApplication> {
  const clients: DynamicModule[] = options.map((each) => ValkeyModule.forRoot({ drain: 100, ...each }));
  const module = await Test.createTestingModule({
    imports: [...clients, TerminusModule.forRoot({ logger: false })],
    controllers: [HealthController],
    providers: [ValkeyHealthIndicator],
  })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  application = module.createNestApplication();
  await application.init();
  return application;
}

async function ready(options: ValkeyHealthOptions = {}): Promise<Answer> {
  asked = options;
  const startedAt = performance.now();
  const response = await request(application?.getHttpServer() as never).get('/health/ready');
  const took = performance.now() - startedAt;
  const { details } = response.body as { details: Record<'cache', Record<string, unknown>> };
  return { code: response.status, took, text: response.text, cache: details.cache };
}

/** Milliseconds an answer may take beyond its timeout on a busy machine. */
const SLACK = 400;

describe('[HLT-1] the health of an embedded client', () => {
  it('is up, with nobody to ask', async () => {
    await start({ mode: 'embedded' });

    const { code, cache } = await ready();

    expect([code, cache['status'], cache['mode']]).toEqual([200, 'up', 'embedded']);
    expect(cache['nodes']).toEqual({ up: 1, total: 1 });
  });

  it('is degraded with an open circuit, which it shows', async () => {
    const app = await start({ mode: 'embedded' });
    const lift = app.get<CacheClient>(CACHE_CLIENT).isolate();

    const closed = await ready();
    lift();

    expect([closed.code, closed.cache['status'], closed.cache['code']]).toEqual([
      200,
      'degraded',
      'VALKEY_CIRCUIT_OPEN',
    ]);
    expect(closed.cache['circuits']).toEqual([{ route: 'embedded', state: 'isolated' }]);
    expect((await ready()).cache['status']).toBe('up');
  });

  it('is down when it is critical and the client closed', async () => {
    const app = await start({ mode: 'embedded' });
    await app.get<CacheClient>(CACHE_CLIENT).close();

    expect(await ready({ critical: true })).toMatchObject({ code: 503, cache: { status: 'down', state: 'closed' } });
    expect(await ready()).toMatchObject({ code: 200, cache: { status: 'degraded', state: 'closed' } });
  });

  it('[HLT-3] is up though no place is left in the queue of its client', async () => {
    const client = (await start({ mode: 'embedded', maxQueue: 1 })).get<CacheClient>(CACHE_CLIENT);
    const waiting = client.blpop('list', { timeout: 0 });
    await expect(client.get('key')).rejects.toMatchObject({ code: 'VALKEY_QUEUE_FULL' });

    const { code, cache } = await ready({ critical: true });

    expect([code, cache['status'], cache['nodes']]).toEqual([200, 'up', { up: 1, total: 1 }]);
    expect((await client.health()).code).toBeUndefined();
    await Promise.allSettled([client.close(), waiting]);
  });

  it.each([0, -1, 1.1, NaN])('refuses memoryThreshold %d', async (memoryThreshold) => {
    const app = await start({ mode: 'embedded' });

    await expect(app.get(ValkeyHealthIndicator).isHealthy('cache', { memoryThreshold })).rejects.toMatchObject({
      code: 'VALKEY_ARGUMENT_INVALID',
      subject: 'memoryThreshold',
    });
  });

  it('says which client is missing', async () => {
    const app = await start({ mode: 'embedded' });

    await expect(app.get(ValkeyHealthIndicator).isHealthy('cache', { client: 'nobody' })).rejects.toThrow(
      'no client "nobody"',
    );
  });
});

describeWithServers('[HLT-1] [HLT-2] [HLT-3] the health of a client of one server', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer({ requirepass: 'canary-password', config: ['maxmemory 100mb'] });
  });

  afterEach(() => server.stop());

  const options = (): ValkeyModuleOptions => ({
    host: server.host,
    port: server.port,
    credentials: { password: 'canary-password' },
    resilience: { breaker: { failures: 2, halfOpenAfter: 100 } },
  });

  it('is up, and says how it is, without a secret', async () => {
    await start(options());

    const { code, text, cache } = await ready({ timeout: '2s' });

    expect(code).toBe(200);
    expect(cache).toEqual({
      status: 'up',
      mode: 'single',
      state: 'ready',
      latencyMs: expect.any(Number) as number,
      nodes: { up: 1, total: 1 },
      circuits: [{ route: server.addr, state: 'closed' }],
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      replication: { role: 'primary', replicas: 0 },
      memory: { usedBytes: expect.any(Number) as number, maxBytes: 104_857_600 },
    });
    expect(text).not.toContain('canary');
  });

  it('is degraded with 200, or critical with 503, when the server is gone, and comes back with it', async () => {
    await start(options());
    await server.kill();

    const degraded = await ready({ timeout: '200ms' });
    const critical = await ready({ timeout: '200ms', critical: true });

    expect([degraded.code, degraded.cache['status'], degraded.cache['nodes']]).toEqual([
      200,
      'degraded',
      { up: 0, total: 1 },
    ]);
    expect([critical.code, critical.cache['status']]).toEqual([503, 'down']);
    // Away, or just being tried again.
    expect(['down', 'connecting']).toContain(critical.cache['state']);
    expect(critical.cache['code']).toBe('VALKEY_CONNECTION_FAILED');
    expect(degraded.text + critical.text).not.toContain('canary');
    expect((await request(application?.getHttpServer() as never).get('/health/live')).status).toBe(200);

    await server.restart();
    await until(async () => (await ready({ critical: true, timeout: '200ms' })).cache['status'] === 'up', {
      what: 'the client is well again',
      timeout: 15_000,
    });
  });

  it('answers within its timeout when the server is frozen', async () => {
    await start(options());
    await ready();
    server.pause();

    const { code, took, cache } = await ready({ timeout: '300ms', critical: true });
    server.resume();

    expect([code, cache['status'], cache['latencyMs']]).toEqual([503, 'down', undefined]);
    expect(cache['code']).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(took).toBeGreaterThanOrEqual(250);
    expect(took).toBeLessThan(300 + SLACK);
  });

  it('is degraded when memory is short by the threshold', async () => {
    await start(options());

    expect((await ready({ memoryThreshold: 1 })).cache['status']).toBe('up');
    expect((await ready({ memoryThreshold: 0.000_1 })).cache['status']).toBe('degraded');
  });

  it('is up when the server forbids PING and INFO: it answers', async () => {
    await server.command('ACL', 'SETUSER', 'app', 'on', '>canary-app', '~*', '+@all', '-ping', '-info');
    await start({ host: server.host, port: server.port, credentials: { username: 'app', password: 'canary-app' } });

    const { cache } = await ready();

    expect([cache['status'], cache['version'], cache['nodes']]).toEqual(['up', undefined, { up: 1, total: 1 }]);
  });

  it('is that of the named client', async () => {
    const app = await start({ mode: 'embedded' }, { name: 'sessions', ...options() });
    expect(app.get<CacheClient>(clientToken('sessions')).name).toBe('sessions');

    await server.kill();

    expect((await ready()).cache).toMatchObject({ status: 'up', mode: 'embedded' });
    expect((await ready({ client: 'sessions', timeout: '200ms' })).cache).toMatchObject({
      status: 'degraded',
      mode: 'single',
    });
  });
});

describeWithServers('[HLT-1] [HLT-2] [HLT-3] the health of a client of a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0, requireFullCoverage: false });
  }, 60_000);

  afterAll(() => cluster.stop());

  const options = (): ValkeyModuleOptions => ({ mode: 'cluster', nodes: [...cluster.addrs] });

  it('is up with all primaries, then degraded with one dead, and up again', async () => {
    await start(options());
    const whole = await ready({ timeout: '2s' });
    expect([whole.cache['status'], whole.cache['nodes'], whole.cache['clusterState']]).toEqual([
      'up',
      { up: 3, total: 3 },
      'ok',
    ]);

    const [dead] = cluster.nodes as readonly [Server];
    await dead.kill();
    const degraded = await ready({ timeout: '300ms', critical: true });

    expect([degraded.code, degraded.cache['status'], degraded.cache['nodes']]).toEqual([
      200,
      'degraded',
      { up: 2, total: 3 },
    ]);
    expect(degraded.took).toBeLessThan(300 + SLACK);
    expect(degraded.cache['circuits']).toHaveLength(3);

    await dead.restart();
    await cluster.healthy();
    await until(async () => (await ready({ timeout: '500ms' })).cache['status'] === 'up', {
      what: 'the client finds the cluster well',
      timeout: 15_000,
    });
  }, 60_000);

  it('answers within its timeout when the cluster was never reached', async () => {
    const [frozen] = cluster.nodes as readonly [Server];
    frozen.pause();
    const starting = start({ mode: 'cluster', nodes: [frozen.addr], timeouts: { dial: 2_000 } });
    await starting;

    const { took, cache } = await ready({ timeout: '300ms', critical: true });
    frozen.resume();

    expect([cache['status'], cache['nodes']]).toEqual(['down', { up: 0, total: 0 }]);
    expect(took).toBeLessThan(300 + SLACK);
  }, 30_000);
});
