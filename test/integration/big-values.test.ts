import type { CacheClient } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer, watchUnhandled } from '../support/index.js';
import { closeClients, codeOf, ending, openClient } from './open-client.js';

const MB = 2 ** 20;

describeWithServers('big values', () => {
  let server: Server;
  let client: CacheClient;

  beforeAll(async () => {
    server = await startServer();
    client = await openClient({ port: server.port, timeouts: { read: '50s', write: '50s' } });
  });

  afterEach(async () => {
    await server.command('FLUSHALL');
  });

  afterAll(async () => {
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F14] of 64 MB make the round trip, as text and as bytes', async () => {
    const text = 'é'.repeat(32 * MB);
    const bytes = Buffer.alloc(64 * MB, Buffer.from([0, 255, 13, 10, 7]));
    await Promise.all([client.set('text', text), client.set(Buffer.from([0, 1]), bytes)]);

    expect((await client.get('text')) === text).toBe(true);
    expect((await client.getBuffer(Buffer.from([0, 1])))?.equals(bytes)).toBe(true);
  }, 60_000);

  it('[F14] in a pipeline of 600 MB are stored', async () => {
    const watch = watchUnhandled();
    const part = 'x'.repeat(60 * MB);
    const stored = await client.pipeline((p) => Array.from({ length: 10 }, (_, index) => p.set(`part:${index}`, part)));

    expect(stored).toEqual(Array(10).fill('OK'));
    expect(await client.strlen('part:9')).toBe(60 * MB);
    expect(await watch.stop()).toEqual([]);
  }, 60_000);

  it('[F14] beyond 512 MB are refused with a typed error, before anything is sent', async () => {
    const watch = watchUnhandled();
    const tooBig = Buffer.alloc(512 * MB + 1);
    const alone = await ending(client.set('a', tooBig));
    const inTransaction = await ending(client.transaction((t) => [t.set('b', '1'), t.set('a', tooBig)]));

    expect(codeOf(alone)).toBe('VALKEY_VALUE_TOO_LARGE');
    expect(codeOf(inTransaction)).toBe('VALKEY_VALUE_TOO_LARGE');
    expect(await client.exists('a', 'b')).toBe(0);
    expect(await watch.stop()).toEqual([]);
  });

  it('[F14] too long to be a string are a typed error as text, and there as bytes', async () => {
    const watch = watchUnhandled();
    await client.call('SETRANGE', 'huge', 512 * MB - 1, 'x');

    expect(codeOf(await ending(client.get('huge')))).toBe('VALKEY_VALUE_TOO_LARGE');
    expect((await client.getBuffer('huge'))?.length).toBe(512 * MB);
    expect(await client.ping()).toBe('PONG');
    expect(await watch.stop()).toEqual([]);
  }, 60_000);
});
