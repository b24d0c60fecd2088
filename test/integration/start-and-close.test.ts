import { once } from 'node:events';
import { type Server as NetServer, type Socket, createServer } from 'node:net';
import { AuthenticationError, ClientClosedError, ConnectionError } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import {
  describeWithServers,
  type FaultProxy,
  freePort,
  leftovers,
  type Server,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import { type CompiledLibrary, compileLibrary } from './compiled-library.js';
import { closeClients, codeOf, ending, newClient, openClient } from './open-client.js';

/** A busy machine must not turn a test of closing into one of deadlines. */
const PATIENT = { timeouts: { read: '60s', write: '60s' } };

describeWithServers('starting without a server', () => {
  afterEach(closeClients);

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[F15] [RES-6] connect() says why there is no connection, and the client works as soon as the server is there', async () => {
    const port = await freePort();
    const client = newClient({ host: '127.0.0.1', port });
    const watch = watchUnhandled();

    const reason = await ending(client.connect());
    expect(reason).toBeInstanceOf(ConnectionError);
    expect((reason as Error).message).toContain(`127.0.0.1:${port}`);
    expect((reason as Error).message).toContain('ECONNREFUSED');
    expect(client.status()).toMatchObject({ state: 'down', reason: { code: 'VALKEY_CONNECTION_FAILED' } });

    const server = await startServer({ port });
    await until(() => client.status().state === 'ready', { what: 'the client has found the server' });
    expect(await client.set('a', '1')).toBe('OK');
    expect(await watch.stop()).toEqual([]);
    await server.stop();
  });

  it('[F15] [RES-6] a command called before the server is there is run once it is', async () => {
    const port = await freePort();
    const client = newClient({ host: '127.0.0.1', port });
    const early = client.incr('n');
    const server = await startServer({ port });

    expect(await early).toBe(1);
    await server.stop();
  });

  it('[F15] [RES-6] a cluster that comes later is found without a restart', async () => {
    const port = await freePort();
    const client = newClient({ mode: 'cluster', nodes: [`127.0.0.1:${port}`] });

    expect(await ending(client.connect())).toBeInstanceOf(ConnectionError);
    const server = await startServer({ port, config: ['cluster-enabled yes'] });
    await server.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    const works = async (): Promise<boolean> => (await client.set('a', '1')) === 'OK';
    await until(works, { what: 'the client has found the cluster' });
    await server.stop();
  });

  it('[F15] [RES-6] the attempts of fifty clients are spread', async () => {
    const attempts: { readonly port: number | undefined; readonly at: number }[] = [];
    const listener = await listen((socket) => {
      attempts.push({ port: socket.remotePort, at: performance.now() });
      socket.destroy();
    });
    const clients = Array.from({ length: 50 }, () => newClient({ host: '127.0.0.1', port: portOf(listener) }));
    const startedAt = performance.now();
    await Promise.all(clients.map((client) => ending(client.connect())));
    await until(() => attempts.length >= 300, { what: 'every client has tried again several times' });
    listener.close();

    // The second attempts come 0 to 50 ms after the first, not all at once: count those that share a millisecond.
    const times = attempts.map(({ at }) => at - startedAt).slice(50);
    const crowded = new Map<number, number>();
    for (const time of times) crowded.set(Math.floor(time / 10), (crowded.get(Math.floor(time / 10)) ?? 0) + 1);
    expect(Math.max(...crowded.values())).toBeLessThan(50);
    expect(crowded.size).toBeGreaterThan(15);
  });

  it('[F15] 200 clients of a server that is away start, and stop at once', async () => {
    const port = await freePort();
    const watch = watchUnhandled();
    const clients = Array.from({ length: 200 }, () => newClient({ host: '127.0.0.1', port, ...PATIENT }));
    const calls = clients.flatMap((client) => [client.connect(), client.get('a'), client.incr('n')]);
    const endings = calls.map(ending);
    await until(() => clients.every((client) => client.status().state === 'down'), { what: 'all have noticed' });

    const startedAt = performance.now();
    await closeClients();
    const outcomes = await Promise.all(endings);

    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(new Set(outcomes.map(codeOf))).toEqual(new Set(['VALKEY_CONNECTION_FAILED', 'VALKEY_CLIENT_CLOSED']));
    expect(await watch.stop()).toEqual([]);
  });

  it('[F11] [F15] [RES-6] a wrong password ends the hammering: one attempt where a refused connection makes six', async () => {
    const server = await startServer({ requirepass: 'right' });
    const proxy = await startFaultProxy(server);
    const client = newClient({ host: proxy.host, port: proxy.port, credentials: { password: 'wrong' } });
    const reason = await ending(client.connect());

    let refused = 0;
    const listener = await listen((socket) => {
      refused += 1;
      socket.destroy();
    });
    await ending(newClient({ host: '127.0.0.1', port: portOf(listener) }).connect());
    await until(() => refused >= 6, { what: 'the refused client has tried six times' });
    listener.close();

    expect(reason).toBeInstanceOf(AuthenticationError);
    expect(await ending(client.get('a'))).toBeInstanceOf(AuthenticationError);
    expect(proxy.accepted).toBeLessThanOrEqual(2);
    await proxy.close();
    await server.stop();
  });
});

describeWithServers('closing', () => {
  let server: Server;
  let proxy: FaultProxy;
  let library: CompiledLibrary;

  beforeAll(async () => {
    server = await startServer();
    library = compileLibrary();
  });

  beforeEach(async () => {
    proxy = await startFaultProxy(server);
  });

  afterEach(async () => {
    await closeClients();
    await proxy.close();
  });

  afterAll(async () => {
    library.remove();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F15] [RES-7] lets what is under way finish and takes nothing new', async () => {
    const client = await openClient({ host: proxy.host, port: proxy.port, drain: '5s' });
    proxy.delay(100);
    const under = client.incr('drained');
    const closed = client.close();

    expect(await ending(client.get('a'))).toBeInstanceOf(ClientClosedError);
    expect(await under).toBe(1);
    await closed;
    expect(client.status()).toEqual({ state: 'closed' });
  });

  it('[F15] [RES-7] settles everything within the drain limit when the socket is a black hole', async () => {
    const client = await openClient({ host: proxy.host, port: proxy.port, drain: 150 });
    const subscription = await client.subscribe('news');
    proxy.blackHole();
    const calls = [client.get('a'), client.incr('n'), client.pipeline((p) => [p.get('a')]), client.subscribe('more')];
    const watched = client.transaction({ watch: ['w'] }, (t) => [t.set('w', '1')]);
    const endings = Promise.all([...calls, watched].map(ending));
    const message = subscription.next();

    const took = await timed(client.close());

    expect(took).toBeLessThan(1_500);
    const codes = (await endings).map(codeOf);
    expect(codes[0]).toBe('VALKEY_CLIENT_CLOSED');
    expect(codes[1]).toBe('VALKEY_OUTCOME_UNKNOWN');
    expect(codes[2]).toBe('VALKEY_PIPELINE_FAILED');
    expect(codes.slice(3).every((code) => typeof code === 'string')).toBe(true);
    expect(await message).toEqual({ done: true, value: undefined });
  });

  it('[F15] [RES-7] settles commands that wait for their next attempt', async () => {
    const client = await openClient({
      host: proxy.host,
      port: proxy.port,
      drain: 50,
      resilience: { retry: { min: '10s', max: '60s' } },
    });
    await proxy.refuse();
    proxy.cut();
    await until(() => client.status().state === 'down', { what: 'the loss is noticed' });
    const endings = Promise.all([client.get('a'), client.incr('n')].map(ending));

    expect(await timed(client.close())).toBeLessThan(1_000);
    expect((await endings).map(codeOf)).toEqual(['VALKEY_CLIENT_CLOSED', 'VALKEY_CLIENT_CLOSED']);
  });

  it('[F15] [RES-7] settles a BLPOP that waits for ever, and one that waits for a connection', async () => {
    const client = await openClient({ host: proxy.host, port: proxy.port, drain: 100, pool: { size: 1 } });
    const endings = Promise.all(
      [client.blpop('queue', { timeout: 0 }), client.blpop('queue', { timeout: 0 })].map(ending),
    );
    await until(async () => (await server.info('clients'))['blocked_clients'] === '1', { what: 'one waits' });

    expect(await timed(client.close())).toBeLessThan(1_000);
    expect((await endings).map(codeOf)).toEqual(['VALKEY_OUTCOME_UNKNOWN', 'VALKEY_CLIENT_CLOSED']);
    await until(async () => (await server.info('clients'))['blocked_clients'] === '0', { what: 'it is gone' });
  });

  it.each([
    ['a single server', (addr: string) => ({ uri: `valkey://${addr}` })],
    ['a cluster', (addr: string) => ({ mode: 'cluster', nodes: [addr] })],
    ['sentinels', (addr: string) => ({ mode: 'sentinel', sentinel: { name: 'mymaster', nodes: [addr] } })],
  ])('[F15] [RES-7] settles connect() and commands of a client whose %s never answered', async (_, target) => {
    proxy.blackHole();
    const client = newClient({ ...target(proxy.addr), drain: 50 });
    const endings = Promise.all([client.connect(), client.get('a'), client.incr('n')].map(ending));
    await until(() => proxy.accepted > 0, { what: 'the client has knocked' });

    expect(await timed(client.close())).toBeLessThan(1_000);
    expect((await endings).map((error) => error instanceof Error)).toEqual([true, true, true]);
    // A black hole swallows the news that a socket was closed.
    proxy.heal();
    await until(() => proxy.connections === 0, { what: 'its sockets are closed' });
  });

  it.each([
    ['a single server', (port: number) => ({ port })],
    ['a cluster', (port: number) => ({ mode: 'cluster', nodes: [`127.0.0.1:${port}`] })],
  ])('[F15] [RES-7] settles commands of a client whose %s was never reached', async (_, target) => {
    const watch = watchUnhandled();
    const port = await freePort();
    const client = newClient({ ...target(port), drain: 50 });
    const endings = Promise.all([client.connect(), client.get('a'), client.incr('n')].map(ending));
    await until(() => client.status().state === 'down', { what: 'the client has noticed' });

    expect(await timed(client.close())).toBeLessThan(1_000);
    expect((await endings).map((error) => error instanceof Error)).toEqual([true, true, true]);
    expect(await watch.stop()).toEqual([]);
  });

  it('[F15] [RES-7] may be called twice, and before connect()', async () => {
    const client: CacheClient = newClient({ host: proxy.host, port: proxy.port });
    await Promise.all([client.close(), client.close()]);

    expect(await ending(client.connect())).toBeInstanceOf(ClientClosedError);
    expect(proxy.accepted).toBe(0);
  });

  it.each(['single', 'never reached', 'cluster never reached', 'black hole'])(
    '[F15] [RES-7] leaves no handle open, so that a process ends by itself: %s',
    async (situation) => {
      const away = await freePort();
      const port = situation === 'single' ? server.port : situation === 'black hole' ? proxy.port : away;
      if (situation === 'black hole') proxy.blackHole();
      const options = situation.startsWith('cluster')
        ? { mode: 'cluster', nodes: [`127.0.0.1:${port}`] }
        : { host: '127.0.0.1', port };
      const run = await library.run(`
        const client = createClient(resolveSettings({ ...${JSON.stringify(options)}, drain: 50 }, {}).settings);
        const connecting = client.connect().catch(() => undefined);
        const calls = [client.get('a'), client.incr('n'), client.blpop('q', { timeout: 0 }), client.subscribe('c')];
        const endings = Promise.all(calls.map((call) => call.catch((error) => error.code)));
        if (${situation !== 'black hole'}) await connecting;
        await client.close();
        await endings;
        const closedAt = performance.now();
        process.on('exit', () => console.log('lingered', Math.round(performance.now() - closedAt)));
      `);

      expect(run.stderr).toBe('');
      expect(run.code).toBe(0);
      // A socket that is being closed politely gets 100 ms.
      expect(Number(/lingered (\d+)/.exec(run.stdout)?.[1])).toBeLessThan(1_000);
    },
  );

  it('[F15] a process stays alive until its commands are settled, also while nothing but a backoff is under way', async () => {
    const away = await freePort();
    const run = await library.run(`
      const client = createClient(resolveSettings({ port: ${away}, timeouts: { read: 300 } }, {}).settings);
      await client.connect().catch(() => undefined);
      console.log(await client.get('a').catch((error) => error.code));
      await client.close();
    `);

    expect(run).toEqual({ code: 0, stdout: 'VALKEY_DEADLINE_EXCEEDED\n', stderr: '' });
  });
});

async function timed(promise: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await promise;
  return performance.now() - startedAt;
}

async function listen(onSocket: (socket: Socket) => void): Promise<NetServer> {
  const listener = createServer(onSocket);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}

function portOf(listener: NetServer): number {
  return (listener.address() as { readonly port: number }).port;
}
