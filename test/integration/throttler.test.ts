import type { ThrottlerOptions } from '@nestjs/throttler';
import * as fc from 'fast-check';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { defineScript } from '../../lib/driver/script.js';
import type { CacheClient } from '../../lib/index.js';
import { createTestClient } from '../../lib/testing/index.js';
import { incrementHits } from '../../lib/throttler/increment-script.js';
import { ValkeyThrottlerStorage } from '../../lib/throttler/index.js';
import type { RateLimiterOptions } from '../../lib/throttler/index.js';
import { describeWithServers, keep, startCluster, startServer, until, watchUnhandled } from '../support/index.js';
import type { Server } from '../support/index.js';
import { compileLibrary, compileModule } from './compiled-library.js';
import type { CompiledLibrary } from './compiled-library.js';
import { closeClients, codeOf, ending, openClient } from './open-client.js';
import type { ApplicationSetup } from './throttler-application.js';

const MINUTE = 60_000;
/** Where the store is meant to answer, nothing may answer in its place. */
const STRICT: RateLimiterOptions = { onStoreDown: 'closed', timeout: '10s' };

/** Throttler's guard in front of a few routes, in a process of its own. */
interface Application {
  get(path: string): Promise<Response>;
  close(): Promise<void>;
}

afterAll(closeClients);

const SITES = {
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

for (const [name, start] of Object.entries(SITES)) {
  describeWithServers(`[RLM-5] the throttler storage on ${name}`, () => {
    let site: Awaited<ReturnType<(typeof SITES)['single'] | (typeof SITES)['cluster']>>;
    let storages: readonly ValkeyThrottlerStorage[];

    beforeAll(async () => {
      site = await start();
      const clients = await Promise.all([1, 2, 3].map(() => openClient({ ...site.options, keyPrefix: 'shop:' })));
      storages = clients.map((client) => new ValkeyThrottlerStorage(client, STRICT));
    });
    afterAll(() => site.stop());

    const hit = (key: string, index = 0) =>
      (storages[index % 3] as ValkeyThrottlerStorage).increment(key, MINUTE, 40, MINUTE, 'default');

    it('counts for several clients together: of 300 hits at once exactly the limit is admitted, for each key', async () => {
      const keys = Array.from({ length: 6 }, (_, index) => `user ${index}`);
      const asked = Array.from({ length: 1_800 }, async (_, index) => {
        const key = keys[index % 6] as string;
        return { key, ...(await hit(key, index)) };
      });
      const records = await Promise.all(asked);
      for (const key of keys) {
        const admitted = records.filter((record) => record.key === key && !record.isBlocked);
        expect(admitted.map(({ totalHits }) => totalHits).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 40 }, (_, index) => index + 1),
        );
      }
    });

    it('counts on when the servers forget their scripts', async () => {
      await hit('scripts');
      await Promise.all(site.servers.map((server) => server.command('SCRIPT', 'FLUSH')));
      expect(await hit('scripts', 1)).toMatchObject({ totalHits: 2, isBlocked: false });
    });
  });
}

describeWithServers('[RLM-5] the script of the throttler storage', () => {
  /** The script at a time of the test's choice. */
  const timed = defineScript({
    name: 'timed-increment',
    lua: incrementHits.lua.replace("redis.call('TIME')", '{ ARGV[4], ARGV[5] }'),
  });
  // Minutes, so that no key ends at the server, whose time is another one, before it ends for the test.
  const hit = fc.record({
    passed: fc.oneof(fc.constant(0), fc.constant(100_000), fc.integer({ min: 0, max: 400_000 })),
    key: fc.constantFrom('a', 'b'),
    ttl: fc.constantFrom(0, 100_000, 300_000),
    limit: fc.integer({ min: 0, max: 4 }),
    block: fc.constantFrom(0, 50_000, 100_000, 500_000),
  });

  it('answers and stores what its embedded twin does, whatever comes', async () => {
    const server = await startServer();
    try {
      const client = await openClient({ host: server.host, port: server.port });
      await fc.assert(
        fc.asyncProperty(fc.array(hit, { maxLength: 30 }), async (program) => {
          await server.command('FLUSHALL');
          const { client: embedded, clock } = await createTestClient();
          try {
            for (const { passed, key, ttl, limit, block } of program) {
              clock.advance(passed);
              const now = clock.now();
              const time = [Math.floor(now / 1_000), (now % 1_000) * 1_000];
              const told = await client.run(timed, [key], [ttl, limit, block, ...time]);
              const twin = await embedded.run(incrementHits, [key], [ttl, limit, block]);
              expect(told).toEqual(twin);
              // What has no window is over at once.
              if (((await embedded.pttl(key)) ?? 0) > 1) expect(await client.get(key)).toBe(await embedded.get(key));
            }
          } finally {
            await embedded.close();
          }
        }),
        { numRuns: 60 },
      );
    } finally {
      await closeClients();
      await server.stop();
    }
  });
});

describeWithServers('[RLM-5] @nestjs/throttler on the storage', () => {
  let server: Server;
  let library: CompiledLibrary;
  let program: string;
  const applications = new Set<Application>();

  beforeAll(async () => {
    server = await startServer();
    library = compileLibrary();
    program = join(library.folder, 'throttler-application.js');
    compileModule('test/integration/throttler-application.ts', program);
  });
  afterEach(async () => {
    await Promise.all(Array.from(applications, (application) => application.close()));
    applications.clear();
    await server.command('FLUSHALL');
  });
  afterAll(async () => {
    library.remove();
    await server.stop();
  });

  /** A process of its own with an application. */
  async function start(throttlers: ThrottlerOptions[], options: RateLimiterOptions = STRICT): Promise<Application> {
    const setup: ApplicationSetup = { port: server.port, throttlers, options };
    const child = fork(program, [JSON.stringify(setup)], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const gone = keep({ kind: 'process', pid: child.pid as number });
    const exited = once(child, 'exit').then(gone);
    const ready = once(child, 'message').then(([port]) => port as number);
    const port = await Promise.race([ready, exited.then(() => undefined)]);
    if (port === undefined) throw new Error('The application has ended before it listened.');
    const application: Application = {
      get: (path) => fetch(`http://127.0.0.1:${port}${path}`),
      close: async () => {
        if (child.connected) child.disconnect();
        await exited;
      },
    };
    applications.add(application);
    return application;
  }

  /** As if the time of all blocks were over, and that of their windows not. */
  async function endBlocks(): Promise<void> {
    for (const key of (await server.command('KEYS', 'throttler:*')) as string[]) {
      const [hits, ends, blocked] = String(await server.command('GET', key))
        .split(' ')
        .map(Number);
      if (blocked) await server.command('SET', key, `${hits} ${ends} ${blocked - 5_000}`, 'KEEPTTL');
    }
  }

  it('limits a route over two processes, and says so in headers', async () => {
    const [one, other] = await Promise.all([start([{ ttl: MINUTE, limit: 3 }]), start([{ ttl: MINUTE, limit: 3 }])]);
    const first = await one.get('/quotes');
    expect(first.status).toBe(200);
    expect(headersOf(first)).toMatchObject({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '60',
    });
    const second = await other.get('/quotes');
    expect([second.status, second.headers.get('x-ratelimit-remaining')]).toEqual([200, '1']);
    expect((await one.get('/quotes')).status).toBe(200);
    const refused = await other.get('/quotes');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    // The first process has refused nobody yet.
    expect((await one.get('/quotes')).status).toBe(429);
  });

  it('counts several throttlers and routes apart, and nothing that is skipped', async () => {
    const application = await start([
      { name: 'short', ttl: 30_000, limit: 2, blockDuration: 90_000 },
      { name: 'long', ttl: MINUTE, limit: 50 },
    ]);
    const first = await application.get('/quotes');
    expect(headersOf(first)).toMatchObject({ 'x-ratelimit-remaining-short': '1', 'x-ratelimit-remaining-long': '49' });
    await application.get('/quotes');
    const refused = await application.get('/quotes');
    expect([refused.status, refused.headers.get('retry-after-short')]).toEqual([429, '90']);
    expect((await application.get('/reports')).status).toBe(200);
    for (let count = 0; count < 4; count += 1) expect((await application.get('/free')).status).toBe(200);
  });

  it('blocks a route for less than its window, and admits it when the block is over', async () => {
    const throttlers = [{ ttl: MINUTE, limit: 100 }];
    // Refused subjects are not remembered: the end of the block is only told to the server.
    const application = await start(throttlers, { ...STRICT, blockList: 0 });
    const statuses: number[] = [];
    const ask = async (): Promise<Response> => {
      const response = await application.get('/reports');
      statuses.push(response.status);
      return response;
    };
    await ask();
    expect((await ask()).headers.get('retry-after')).toBe('5');
    await ask();
    await endBlocks();
    await ask();
    await ask();
    expect(statuses).toEqual([200, 429, 429, 200, 429]);
    expect((await application.get('/quotes')).status).toBe(200);
  });

  it('answers 500 without saying why when the store is away and nothing is admitted without it', async () => {
    const application = await start([{ ttl: MINUTE, limit: 3 }], { onStoreDown: 'closed', timeout: 100 });
    server.pause();
    const refused = await application.get('/quotes');
    server.resume();
    expect([refused.status, await refused.json()]).toEqual([
      500,
      { statusCode: 500, message: 'Internal server error' },
    ]);
  });
});

describeWithServers('[RLM-5] the throttler storage without its store', () => {
  let server: Server;
  let client: CacheClient;
  const unhandled = watchUnhandled();

  beforeEach(async () => {
    server = await startServer();
    client = await openClient({ host: server.host, port: server.port, resilience: { breaker: false } });
  });
  afterEach(async () => {
    await closeClients();
    await server.stop();
  });
  afterAll(async () => {
    expect(await unhandled.stop()).toEqual([]);
  });

  const hits = async (storage: ValkeyThrottlerStorage, count: number) => {
    const records = [];
    for (let index = 0; index < count; index += 1) {
      records.push(await storage.increment('anne', MINUTE, 2, MINUTE, 'default'));
    }
    return records;
  };

  it('limits in the process (local), and at the server again when it is back', async () => {
    const storage = new ValkeyThrottlerStorage(client, { timeout: 50, blockList: 0 });
    await hits(storage, 1);
    server.pause();
    expect(await hits(storage, 3)).toMatchObject([
      { totalHits: 1, isBlocked: false },
      { totalHits: 2, isBlocked: false },
      { totalHits: 3, isBlocked: true, timeToBlockExpire: 60 },
    ]);
    server.resume();
    await until(async () => (await storage.increment('other', MINUTE, 100, MINUTE, 'default')).totalHits > 1, {
      what: 'the server counts again',
    });
    await storage.onApplicationShutdown();
  });

  it('admits everything (open)', async () => {
    const storage = new ValkeyThrottlerStorage(client, { onStoreDown: 'open', timeout: 50 });
    server.pause();
    expect(await hits(storage, 4)).toEqual(
      Array.from({ length: 4 }, () => ({ totalHits: 1, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 })),
    );
    server.resume();
  });

  it('admits nothing (closed), within its timeout', async () => {
    const storage = new ValkeyThrottlerStorage(client, { onStoreDown: 'closed', timeout: 50 });
    server.pause();
    expect(codeOf(await ending(hits(storage, 1)))).toBe('VALKEY_RATE_LIMIT_UNAVAILABLE');
    server.resume();
  });
});

function headersOf(response: Response): Record<string, string> {
  return Object.fromEntries(response.headers);
}
