import type { AddressInfo } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import { Controller, Get, Inject, Injectable } from '@nestjs/common';
import type { INestApplication, OnApplicationShutdown } from '@nestjs/common';
import { CACHE_CLIENT, CacheClient, clientToken, isValkeyError, ValkeyModule } from 'nestjs-valkey';

import { type Server, describeWithServers, freePort, startServer, until, watchUnhandled } from '../../support/index.js';
import { hostProcess } from '../../support/host-process.js';
import { closeApplications, moduleLog, start, startFailure } from './application.js';

afterEach(closeApplications);

/** Connections other than the one that asks. */
async function connectionsTo(server: Server): Promise<number> {
  return Number((await server.info('clients'))['connected_clients']) - 1;
}

async function nobodyConnected(server: Server): Promise<void> {
  await until(async () => (await connectionsTo(server)) === 0, {
    what: 'the server has no client left',
    timeout: 2_000,
  });
}

/** Sockets and timers this process holds. */
function held(): readonly string[] {
  return hostProcess.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Timeout|Immediate)/.test(kind));
}

describeWithServers('the start of an application', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = await startServer();
    port = await freePort();
  });

  afterAll(() => server.stop());

  it('[RES-6] with connect: required and the server there connects first', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot({ port: server.port, connect: 'required' })] });

    expect(application.get<CacheClient>(CACHE_CLIENT).status()).toEqual({ state: 'ready' });
  });

  it('[RES-6] with connect: required and the server away fails at once, and says which server', async () => {
    const began = performance.now();
    const error = await startFailure({ imports: [ValkeyModule.forRoot({ port, connect: 'required' })] });

    expect(error).toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    expect(error.message).toContain(`localhost:${port}`);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('[RES-6] with connect: required and a server that hangs fails within timeouts.dial', async () => {
    const hanging = await startServer();
    hanging.pause();
    const began = performance.now();
    const error = await startFailure({
      imports: [ValkeyModule.forRoot({ port: hanging.port, connect: 'required', timeouts: { dial: '300ms' } })],
    });
    await hanging.stop();

    expect(error).toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('[RES-6] that fails for one client closes the others', async () => {
    const before = held();
    const error = await startFailure({
      imports: [
        ValkeyModule.forRoot({ port: server.port }),
        ValkeyModule.forRoot({ name: 'away', port, connect: 'required' }),
        ValkeyModule.forRoot({ name: 'waiting', host: '127.0.0.1', port }),
        ValkeyModule.forRootAsync({
          name: 'late',
          useFactory: async () => {
            await until(() => connectionsTo(server).then((count) => count > 0), { what: 'the first is connected' });
            return { port: server.port };
          },
        }),
      ],
    });

    expect(error).toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    await nobodyConnected(server);
    await until(() => held().length <= before.length, {
      what: `no more is held than ${before.join()}`,
      timeout: 2_000,
    });
  });

  it('[RES-6] with the server away succeeds, and recovers once it is there', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot({ port })] });
    const client = application.get<CacheClient>(CACHE_CLIENT);
    expect(moduleLog().map(({ text }) => text)).toEqual([expect.stringContaining('starts without its server')]);
    await expect(client.get('key')).rejects.toMatchObject({ code: expect.stringMatching(/^VALKEY_/) });

    const late = await startServer({ port });
    // The breaker may have to close again before commands go through.
    const stored = await until(() => client.set('key', 'value'), { what: 'a command succeeds' });
    await application.close();
    await late.stop();

    expect(stored).toBe('OK');
    expect(moduleLog().map(({ text }) => text)).toContain('The client is connected.');
  });

  it('[RES-6] says once that the server went, however often it is tried, and once that it is back', async () => {
    const fickle = await startServer();
    const application = await start({ imports: [ValkeyModule.forRoot({ port: fickle.port })] });

    await fickle.kill();
    await until(() => moduleLog().some(({ text }) => text.includes('is down')), { what: 'the log says it is down' });
    const client = application.get<CacheClient>(CACHE_CLIENT);
    let attempts = 0;
    client.onStatus(({ state }) => (attempts += Number(state === 'connecting')));
    await until(() => attempts >= 3, { what: 'the client tried again and again' });
    await fickle.restart();
    await until(() => moduleLog().some(({ text }) => text.includes('is connected')), {
      what: 'the log says it is connected',
    });
    await application.close();
    await fickle.stop();

    expect(moduleLog().map(({ level }) => level)).toEqual(['warn', 'log']);
  });
});

describeWithServers('the end of an application', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  beforeEach(() => server.command('FLUSHALL'));

  afterEach(() => server.resume());

  afterAll(() => server.stop());

  interface Deferred {
    readonly promise: Promise<void>;
    readonly resolve: () => void;
  }

  function deferred(): Deferred {
    let resolve: () => void = () => undefined;
    const promise = new Promise<void>((settle) => (resolve = settle));
    return { promise, resolve };
  }

  /** A request stays in its handler until the gate opens, then writes through the cache. */
  class Gate {
    readonly entered = deferred();
    readonly open = deferred();
  }

  @Controller()
  class SlowController {
    constructor(
      @Inject(Gate) private readonly gate: Gate,
      @Inject(CACHE_CLIENT) private readonly client: CacheClient,
    ) {}

    @Get()
    async write(): Promise<string> {
      this.gate.entered.resolve();
      await this.gate.open.promise;
      return String(await this.client.set('written', 'through'));
    }
  }

  async function listen(application: INestApplication): Promise<string> {
    await application.listen(0, '127.0.0.1');
    const { port } = (application.getHttpServer() as HttpServer).address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  it('[RES-7] lets a request in flight write through its cache, then closes', async () => {
    const application = await start({
      imports: [ValkeyModule.forRoot({ port: server.port })],
      providers: [Gate],
      controllers: [SlowController],
    });
    const url = await listen(application);
    const gate = application.get(Gate);
    const http = application.getHttpServer() as HttpServer;

    const request = fetch(url, { headers: { connection: 'close' } });
    await gate.entered.promise;
    const closed = application.close();
    await until(() => !http.listening, { what: 'the HTTP server takes no more connections' });
    gate.open.resolve();
    const response = await request;
    await closed;

    expect([response.status, await response.text()]).toEqual([200, 'OK']);
    expect(await server.command('GET', 'written')).toBe('through');
    await expect(application.get<CacheClient>(CACHE_CLIENT).get('written')).rejects.toMatchObject({
      code: 'VALKEY_CLIENT_CLOSED',
    });
  });

  it('[RES-7] waits for the command under way', async () => {
    await server.command('SET', 'key', 'value');
    const application = await start({ imports: [ValkeyModule.forRoot({ port: server.port })] });
    const client = application.get<CacheClient>(CACHE_CLIENT);

    server.pause();
    const answer = client.get('key');
    const closed = application.close();
    const isRefused = (): Promise<boolean> =>
      client
        .with({ timeout: '10ms' })
        .get('late')
        .then(
          () => false,
          (error: unknown) => isValkeyError(error, 'VALKEY_CLIENT_CLOSED'),
        );
    await until(isRefused, { what: 'the client takes no more work' });
    expect(client.underWay).toBe(1);
    server.resume();
    await closed;

    expect(await answer).toBe('value');
  });

  it('[RES-7] waits no longer than drain, and settles every promise', async () => {
    const watch = watchUnhandled();
    const application = await start({
      imports: [ValkeyModule.forRoot({ port: server.port, drain: '200ms', timeouts: { read: '1m', write: '1m' } })],
    });
    const client = application.get<CacheClient>(CACHE_CLIENT);

    server.pause();
    const answers = Promise.allSettled([client.get('key'), client.incr('counter')]);
    const began = performance.now();
    await application.close();
    const took = performance.now() - began;
    server.resume();

    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(took).toBeLessThan(1_500);
    expect(await watch.stop()).toEqual([]);
  });

  it('[RES-7] leaves no connection and no timer behind', async () => {
    const before = held();
    const application = await start({
      imports: [
        ValkeyModule.forRoot({ port: server.port }),
        ValkeyModule.forRoot({ name: 'sessions', port: server.port }),
        ValkeyModule.forRoot({ name: 'away', port: 1 }),
        ValkeyModule.forRoot({ name: 'embedded', mode: 'embedded' }),
      ],
    });
    await application.get<CacheClient>(CACHE_CLIENT).set('key', 'value', { ttl: '1m' });
    await application.get<CacheClient>(clientToken('embedded')).set('key', 'value', { ttl: '1m' });
    const subscription = await application.get<CacheClient>(CACHE_CLIENT).subscribe('orders');
    const ended = subscription[Symbol.asyncIterator]().next();
    expect(await connectionsTo(server)).toBeGreaterThan(1);

    await application.close();

    expect((await ended).done).toBe(true);
    await nobodyConnected(server);
    await until(() => held().length <= before.length, {
      what: `no more is held than ${before.join()}`,
      timeout: 2_000,
    });
  });

  it('[RES-7] serves the shutdown hooks of the application itself', async () => {
    @Injectable()
    class LastWords implements OnApplicationShutdown {
      constructor(@Inject(CACHE_CLIENT) private readonly client: CacheClient) {}

      async onApplicationShutdown(): Promise<void> {
        await this.client.set('last', 'words');
      }
    }
    const application = await start({
      imports: [ValkeyModule.forRoot({ port: server.port })],
      providers: [LastWords],
    });

    await application.close();

    expect(await server.command('GET', 'last')).toBe('words');
  });

  it('[RES-7] may be asked for twice', async () => {
    const application = await start({ imports: [ValkeyModule.forRoot({ port: server.port })] });

    await Promise.all([application.close(), application.close()]);

    expect(application.get<CacheClient>(CACHE_CLIENT).status()).toEqual({ state: 'closed' });
  });
});
