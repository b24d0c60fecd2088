import {
  type Connection,
  type FaultProxy,
  type Server,
  connectTo,
  describeWithServers,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../../support/index.js';

describeWithServers('a fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let client: Connection;

  beforeAll(async () => {
    server = await startServer();
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
    proxy = await startFaultProxy(server);
    client = await connectTo({ port: proxy.port });
  });

  afterEach(async () => {
    client.close();
    await proxy.close();
  });

  afterAll(async () => {
    await server.stop();
  });

  it('passes everything on while nothing is wrong, and counts', async () => {
    const text = 'x'.repeat(1_000_000);

    expect(await client.send('SET', 'long', text)).toBe('OK');
    expect(await client.send('GET', 'long')).toBe(text);
    expect(proxy.connections).toBe(1);
    expect(proxy.bytes.toServer).toBeGreaterThan(1_000_000);
    expect(proxy.bytes.toClient).toBeGreaterThan(1_000_000);
  });

  it('delays a reply but not the command', async () => {
    proxy.delay(300);
    const started = performance.now();
    let replied = 0;
    const reply = client.send('INCR', 'count').then((value) => {
      replied = performance.now();
      return value;
    });

    await until(async () => (await server.command('GET', 'count')) === '1', { what: 'INCR ran' });
    const ran = performance.now();
    expect(await reply).toBe(1);
    expect(ran).toBeLessThan(replied);
    // Timers may fire up to a millisecond early.
    expect(replied - started).toBeGreaterThanOrEqual(299);
  });

  it('drops the reply of the named command, which runs, and those before it arrive', async () => {
    proxy.dropReply('incr');
    const replies = await Promise.allSettled([
      client.send('SET', 'count', 1),
      client.send('GET', 'count'),
      client.send('INCR', 'count'),
      client.send('GET', 'count'),
    ]);

    expect(replies.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(await server.command('GET', 'count')).toBe('2');
    expect(proxy.dropped).toBe(1);
    await until(() => proxy.connections === 0, { what: 'the connection is gone' });
  });

  it('drops one reply only', async () => {
    proxy.dropReply((command) => command[1] === 'count');
    await expect(client.send('INCR', 'count')).rejects.toThrow('closed');
    client = await connectTo({ port: proxy.port });

    expect(await client.send('INCR', 'count')).toBe(2);
    expect(proxy.accepted).toBe(2);
  });

  it('cuts live connections and accepts new ones', async () => {
    await client.send('PING');
    proxy.cut();
    await expect(client.send('PING')).rejects.toThrow();

    client = await connectTo({ port: proxy.port });
    expect(await client.send('PING')).toBe('PONG');
  });

  it('refuses new connections, keeps live ones, and accepts again on the same port', async () => {
    const { port } = proxy;
    await client.send('PING');
    await proxy.refuse();

    await expect(connectTo({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await client.send('PING')).toBe('PONG');
    await proxy.accept();
    const another = await connectTo({ port });
    expect(await another.send('PING')).toBe('PONG');
    another.close();
  });

  it('holds everything in a black hole until it heals', async () => {
    await client.send('PING');
    proxy.blackHole();
    const { toServer } = proxy.bytes;
    const reply = client.send('INCR', 'count');
    const late = await connectTo({ port: proxy.port });

    expect(await server.command('GET', 'count')).toBeNull();
    expect(proxy.bytes.toServer).toBe(toServer);
    proxy.heal();
    expect(await reply).toBe(1);
    expect(await late.send('PING')).toBe('PONG');
    late.close();
  });

  it('loses what it is sent in a black hole that drops', async () => {
    await client.send('PING');
    proxy.blackHole('drop');
    const lost = expect(client.send('INCR', 'count')).rejects.toThrow();
    await until(() => client.socket.bytesWritten > 14, { what: 'the bytes are written' });
    const late = await connectTo({ port: proxy.port, timeout: 100 });
    await expect(late.send('PING')).rejects.toThrow('silent');

    proxy.heal();
    expect(await server.command('GET', 'count')).toBeNull();
    proxy.cut();
    await lost;
  });

  it('lets bytes trickle', async () => {
    await client.send('SET', 'long', 'x'.repeat(100));
    proxy.slowBytes(10, 5);
    const started = performance.now();

    expect(await client.send('GET', 'long')).toHaveLength(100);
    // 27 bytes there, 108 back, ten at a time: 13 pauses between the first and the last.
    expect(performance.now() - started).toBeGreaterThan(50);
    proxy.heal();
  });

  it('sends new connections to another target', async () => {
    const other = await startServer();
    await other.command('SET', 'name', 'other');
    proxy.retarget(other);
    expect(await client.send('GET', 'name')).toBeNull();
    proxy.cut();

    client = await connectTo({ port: proxy.port });
    expect(await client.send('GET', 'name')).toBe('other');
    await other.stop();
  });

  it('closes connections when the server dies', async () => {
    const mortal = await startServer();
    proxy.retarget(mortal);
    const doomed = await connectTo({ port: proxy.port });
    await doomed.send('PING');
    await mortal.stop();

    await until(() => doomed.socket.destroyed, { what: 'the client hears of it' });
  });
});

describe('a watch for unhandled rejections', () => {
  it('collects what nobody handled', async () => {
    const watch = watchUnhandled();
    void Promise.reject(new Error('forgotten'));

    expect(await watch.stop()).toMatchObject([{ message: 'forgotten' }]);
  });

  it('stays empty when all is handled', async () => {
    const watch = watchUnhandled();
    await Promise.reject(new Error('handled')).catch(() => undefined);

    expect(await watch.stop()).toEqual([]);
  });
});
