import {
  describeWithServers,
  type FaultProxy,
  leftovers,
  type Server,
  startFaultProxy,
  startServer,
  until,
} from '../support/index.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';

describeWithServers('a connection into a black hole', () => {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer();
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
    proxy = await startFaultProxy(server);
  });

  afterEach(async () => {
    await closeClients();
    await proxy.close();
  });

  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F8] is noticed by the deadline, given up, and nothing that timed out runs later', async () => {
    const client = await openClient({ ...target(), timeouts: { read: 250, write: 250 } });
    await client.incr('n');
    proxy.blackHole();

    const startedAt = performance.now();
    const calls = Promise.all([client.get('n'), client.incr('n'), client.set('s', '1')].map(ending));
    expect((await calls).map(codeOf)).toEqual([
      'VALKEY_DEADLINE_EXCEEDED',
      'VALKEY_OUTCOME_UNKNOWN',
      'VALKEY_DEADLINE_EXCEEDED',
    ]);
    expect(performance.now() - startedAt).toBeLessThan(250 + 250);

    const { accepted } = proxy;
    await until(() => proxy.accepted > accepted, { what: 'the client tries a new connection', timeout: 2_000 });
    proxy.heal();
    const works = async (): Promise<boolean> => (await client.get('n')) === '1';
    await until(works, { what: 'the client is back', timeout: 5_000 });
    expect(await server.command('MGET', 'n', 's')).toEqual(['1', null]);
  });

  it('[F8] is given up within a second even if every caller is in more of a hurry, or only one ever called', async () => {
    const client = await openClient(target());
    await client.incr('n');
    proxy.blackHole();
    const { accepted } = proxy;
    const blackSince = performance.now();

    // Long before the silence would be suspicious; and nobody calls again.
    expect(codeOf(await ending(client.with({ timeout: 40 }).incr('n')))).toBe('VALKEY_OUTCOME_UNKNOWN');
    await until(() => proxy.accepted > accepted, { what: 'the client tries a new connection', timeout: 3_000 });

    expect(performance.now() - blackSince).toBeGreaterThan(900);
    proxy.heal();
    await until(async () => (await client.get('n')) === '1', { what: 'the client is back' });
    expect(await server.command('GET', 'n')).toBe('1');
  });

  it('[F8] is not suspected because of a BLPOP that waits, a link that idles, or one slow answer among quick ones', async () => {
    const client = await openClient({ ...target(), timeouts: { read: 400, write: 400 } });
    await client.set('a', '1');
    const popped = client.blpop(['queue'], { timeout: '10s' });
    await until(async () => Number((await server.info('clients'))['blocked_clients']) === 1, { what: 'BLPOP waits' });
    const { accepted } = proxy;

    // Longer than any silence that is allowed with a command under way.
    const idleSince = performance.now();
    await until(() => performance.now() - idleSince > 800, { what: 'the link has idled' });
    for (let round = 0; round < 3; round += 1) {
      // Too late for this caller, but it comes.
      const error = await ending(client.with({ timeout: 20 }).call('DEBUG', 'SLEEP', '0.15'));
      expect(codeOf(error)).toBe('VALKEY_OUTCOME_UNKNOWN');
      expect(await client.get('a')).toBe('1');
    }

    expect(proxy.accepted).toBe(accepted);
    await server.command('RPUSH', 'queue', 'x');
    expect(await popped).toMatchObject({ value: 'x' });
  });

  it('a connection goes, after a break, wherever its address leads then', async () => {
    const other = await startServer();
    const client = await openClient(target());
    await Promise.all([server.command('SET', 'name', 'old'), other.command('SET', 'name', 'new')]);
    expect(await client.get('name')).toBe('old');

    proxy.retarget(other);
    proxy.cut();
    expect(await client.get('name')).toBe('new');
    await other.stop();
  });

  function target(): { host: string; port: number } {
    return { host: proxy.host, port: proxy.port };
  }
});
