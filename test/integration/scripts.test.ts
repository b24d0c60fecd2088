import { defineScript, ReplyError } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer, until } from '../support/index.js';
import { closeClients, ending, openClient } from './open-client.js';

const COUNT = defineScript({ name: 'count', lua: `return server.call('INCR', KEYS[1])` });
const OTHER = defineScript({ name: 'other', lua: `return server.call('INCRBY', KEYS[1], 10)` });

describeWithServers('scripts', () => {
  let server: Server;
  let client: CacheClient;

  beforeAll(async () => {
    server = await startServer();
    client = await openClient({ host: server.host, port: server.port });
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
    await client.run(COUNT, ['warm']);
  });

  afterAll(async () => {
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[PIP-3] travel by their SHA once the server knows them', async () => {
    const before = await calls('evalsha');
    await client.run(COUNT, ['n']);
    await client.run(COUNT, ['n']);

    expect((await calls('evalsha')) - before).toBe(2);
  });

  it('[F6] [PIP-3] run in single calls after SCRIPT FLUSH, counted once', async () => {
    await server.command('SCRIPT', 'FLUSH');

    expect(await client.run(COUNT, ['n'])).toBe(1);
    await server.command('SCRIPT', 'FLUSH');
    expect(await Promise.all(Array.from({ length: 50 }, () => client.run(COUNT, ['n'])))).toHaveLength(50);
    expect(await client.get('n')).toBe('51');
  });

  it('[F6] [PIP-3] run in pipelines after SCRIPT FLUSH, in their place, counted once', async () => {
    await client.run(OTHER, ['warm']);
    await server.command('SCRIPT', 'FLUSH');
    const results = await client.pipeline((p) => [
      p.set('n', '5'),
      p.run(COUNT, ['n']),
      p.get('n'),
      p.run(OTHER, ['n']),
      p.run(COUNT, ['n']),
      p.get('n'),
    ]);

    expect(results).toEqual(['OK', 6, '6', 16, 17, '17']);
  });

  it('[F6] [PIP-3] run in transactions after SCRIPT FLUSH, with everything else or not at all', async () => {
    await server.command('SCRIPT', 'FLUSH');
    const results = await client.transaction((t) => [t.set('n', '5'), t.run(COUNT, ['n']), t.run(COUNT, ['n'])]);
    await server.command('SCRIPT', 'FLUSH');
    const watched = await client.transaction({ watch: ['n'] }, (t) => [t.run(COUNT, ['n'])]);

    expect(results).toEqual(['OK', 6, 7]);
    expect(watched).toEqual([8]);
  });

  it('[F6] [PIP-3] run after a restart of the server, counted once', async () => {
    await server.restart();
    await until(() => client.status().state === 'ready', { what: 'the client is back' });

    expect(await client.run(COUNT, ['n'])).toBe(1);
    expect(await client.pipeline((p) => [p.run(COUNT, ['n'])])).toEqual([2]);
  });

  it("[F6] a script's own error that begins with NOSCRIPT is passed on and not taken for an unknown script", async () => {
    const lua = `server.call('INCR', KEYS[1]) return server.error_reply('NOSCRIPT mine')`;
    const lying = defineScript({ name: 'lying', lua });

    const error = await ending(client.run(lying, ['n']));

    expect(error).toBeInstanceOf(ReplyError);
    expect((error as ReplyError).kind).toBe('NOSCRIPT');
    expect(await client.get('n')).toBe('1');
  });

  it('an error in a script is the caller’s, and the script stays usable', async () => {
    const broken = defineScript({ name: 'broken', lua: `return server.call('INCR', KEYS[1], 'too many')` });

    expect(await ending(client.run(broken, ['n']))).toBeInstanceOf(ReplyError);
    expect(await ending(client.run(broken, ['n']))).toBeInstanceOf(ReplyError);
    expect(await client.run(COUNT, ['n'])).toBe(1);
  });

  async function calls(name: string): Promise<number> {
    const stats = await server.info('commandstats');
    return Number(/calls=(\d+)/.exec(stats[`cmdstat_${name}`] ?? '')?.[1] ?? 0);
  }
});
