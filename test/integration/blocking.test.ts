import { DeadlineError } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer, until } from '../support/index.js';
import { closeClients, codeOf, ending, openClient } from './open-client.js';

describeWithServers('blocking commands', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer({ users: ['reader on >secret ~* &* +@all'] });
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
  });

  afterEach(closeClients);

  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[CMD-2] wait on connections of their own: a GET beside a BLPOP is not delayed', async () => {
    const client = await openClient({ port: server.port });
    const popped = client.blpop('q', { timeout: '5s' });
    await blocked(1);
    const startedAt = performance.now();
    await client.get('a');

    expect(performance.now() - startedAt).toBeLessThan(500);
    await client.rpush('q', 'x');
    expect(JSON.stringify(await popped)).toContain('x');
  });

  it('[CMD-2] never hold more connections than pool.size; whoever is beyond it gets its turn in order', async () => {
    const client = await openClient({ port: server.port, pool: { size: 2 } });
    const done: number[] = [];
    const pops = [0, 1, 2, 3].map((index) =>
      client.blpop(`q:${index}`, { timeout: '5s' }).then(() => done.push(index)),
    );
    await blocked(2);
    await client.rpush('q:2', 'early');
    await client.rpush('q:3', 'early');
    expect(done).toEqual([]);
    await client.rpush('q:0', 'x');
    await until(() => done.length === 3, { what: 'the waiting ones had their turn' });
    await client.rpush('q:1', 'x');
    await Promise.all(pops);

    expect(done).toEqual([0, 2, 3, 1]);
    expect(await connectionsOf(server)).toBeLessThanOrEqual(3);
  });

  it('[CMD-2] that find no connection in time say so, and name pool.size', async () => {
    const client = await openClient({ port: server.port, pool: { size: 1 } });
    const first = ending(client.blpop('q', { timeout: 0 }));
    await blocked(1);
    const late = await ending(client.with({ timeout: '100ms' }).blpop('q', { timeout: 0 }));
    const watched = await ending(client.with({ timeout: '100ms' }).transaction({ watch: ['a'] }, (t) => [t.get('a')]));

    for (const error of [late, watched]) {
      expect(error).toBeInstanceOf(DeadlineError);
      expect(String((error as DeadlineError).cause)).toContain('pool.size');
    }
    await client.rpush('q', 'x');
    expect(JSON.stringify(await first)).toContain('x');
  });

  it('[CMD-2] that are refused and tried again keep no connection from the attempts before', async () => {
    const client = await openClient({ port: server.port, pool: { size: 1 }, timeouts: { write: 5_000 } });
    await server.command('REPLICAOF', '127.0.0.1', '1');
    const popped = client.blpop('q', { timeout: '4s' });
    const readonly = async (): Promise<number> =>
      Number((await server.info('errorstats'))['errorstat_READONLY']?.slice(6));
    await until(async () => (await readonly()) >= 3, { what: 'it was refused three times' });
    await server.command('REPLICAOF', 'NO', 'ONE');
    await blocked(1);
    await client.rpush('q', 'x');

    expect(JSON.stringify(await popped)).toContain('x');
    expect(await ending(client.with({ timeout: '50ms' }).blpop('q', { timeout: 0 }))).not.toBeNull();
  });

  it('[CMD-2] do not keep a breaker half open for as long as they wait', async () => {
    const client = await openClient({
      port: server.port,
      timeouts: { read: 200, write: 200 },
      resilience: { breaker: { failures: 1, halfOpenAfter: 50 } },
    });
    server.pause();
    expect(codeOf(await ending(client.get('a')))).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(codeOf(await ending(client.get('a')))).toBe('VALKEY_CIRCUIT_OPEN');
    server.resume();
    const popped = client.blpop('q', { timeout: '10s' });
    await blocked(1);

    await until(async () => (await client.set('a', '1')) === 'OK', { what: 'the circuit closes', timeout: 3_000 });
    await client.rpush('q', 'x');
    await popped;
  });

  async function blocked(count: number): Promise<void> {
    const seen = async (): Promise<boolean> => (await server.info('clients'))['blocked_clients'] === String(count);
    await until(seen, { what: `${count} clients are blocked` });
  }
});

/** Connections of the default user, which is the one under test. */
async function connectionsOf(server: Server): Promise<number> {
  return String(await server.command('CLIENT', 'LIST'))
    .split('\n')
    .filter((line) => line.includes('user=default')).length;
}
