import { type CacheClient, OutOfMemoryError, ReplyError, events } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer, until } from '../support/index.js';
import { busyFor, closeClients, codeOf, ending, openClient } from '../integration/open-client.js';

/** One failure would open the circuit. */
const TOUCHY = { resilience: { breaker: { failures: 1, halfOpenAfter: '1m' } } };

describeWithServers('a server that is not ready', () => {
  let server: Server | undefined;
  let second: Server | undefined;

  afterEach(async () => {
    await closeClients();
    await Promise.all([server?.stop(), second?.stop()]);
    server = second = undefined;
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[F7] because it loads its data is asked again until it has', async () => {
    // 3 ms for each key, and a look at the sockets after each thousand bytes.
    const config = ['key-load-delay 3000', 'loading-process-events-interval-bytes 1024'];
    server = await startServer({ config });
    const client = await openClient({ host: server.host, port: server.port, ...TOUCHY });
    await client.mset(Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key:${index}`, 'x'.repeat(200)])));
    await client.set('n', '1');
    await server.command('SAVE');

    const restarted = server.restart();
    await until(() => client.status().state === 'down', { what: 'the client has lost it' });
    const calls = Promise.all([client.get('key:1'), client.incr('n')]);
    await restarted;

    expect(await calls).toEqual(['x'.repeat(200), 2]);
    expect(await refusals(server, 'LOADING')).toBeGreaterThan(0);
    expect(client.circuits()).toMatchObject([{ state: 'closed' }]);
  });

  it('[F7] because a script holds it is asked again until it is free', async () => {
    server = await startServer({ config: ['busy-reply-threshold 30'] });
    const client = await openClient({ host: server.host, port: server.port, ...TOUCHY });
    const script = server.command('EVAL', busyFor(400), 0);
    const witness = await openClient({ host: server.host, port: server.port, resilience: { retry: false } });
    await until(async () => (await ending(witness.get('a'))) !== null, { what: 'the script is noticed', interval: 5 });

    expect(await Promise.all([client.get('a'), client.incr('n')])).toEqual([null, 1]);
    await script;
    // The client's own two, beside the one of the witness.
    expect(await refusals(server, 'BUSY')).toBeGreaterThanOrEqual(3);
    expect(client.circuits()).toMatchObject([{ state: 'closed' }]);
  });

  it('[F7] because its cluster is down is asked again until it is up', async () => {
    server = await startServer({ config: ['cluster-enabled yes'] });
    await server.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    await until(isUp, { what: 'the cluster is up' });
    const client = await openClient({ mode: 'cluster', nodes: [server.addr], ...TOUCHY });
    await server.command('CLUSTER', 'DELSLOTS', 7);
    await until(async () => !(await isUp()), { what: 'the cluster is down' });

    const calls = Promise.all([client.get('a'), client.incr('n')]);
    const running = server;
    await until(async () => (await refusals(running, 'CLUSTERDOWN')) > 2, { what: 'it has refused' });
    await server.command('CLUSTER', 'ADDSLOTS', 7);

    expect(await calls).toEqual([null, 1]);
    expect(new Set(client.circuits().map(({ state }) => state))).toEqual(new Set(['closed']));

    async function isUp(): Promise<boolean> {
      return String(await server?.command('CLUSTER', 'INFO')).includes('cluster_state:ok');
    }
  });

  it('[F7] because its primary is away is asked again until it is one itself', async () => {
    second = await startServer();
    server = await startServer({ replicaOf: second, config: ['replica-serve-stale-data no'] });
    const replica = server;
    await second.command('SET', 'a', '1');
    await until(async () => (await replica.info('replication'))['master_link_status'] === 'up', {
      what: 'it is linked',
    });
    await until(async () => (await replica.command('GET', 'a')) === '1', { what: 'the key has arrived' });
    await second.kill();
    await until(async () => (await replica.info('replication'))['master_link_status'] === 'down', {
      what: 'it has noticed',
    });
    const client = await openClient({ host: replica.host, port: replica.port, ...TOUCHY });

    const reading = client.get('a');
    await until(async () => (await refusals(replica, 'MASTERDOWN')) > 1, { what: 'it has refused' });
    await replica.command('REPLICAOF', 'NO', 'ONE');

    expect(await reading).toBe('1');
  });

  it('[F5] because it is a replica is asked again until it is a primary, and a write is applied once', async () => {
    second = await startServer();
    server = await startServer({ replicaOf: second });
    const replica = server;
    const client = await openClient({ host: replica.host, port: replica.port, ...TOUCHY });

    const writing = client.incr('n');
    await until(async () => (await refusals(replica, 'READONLY')) > 1, { what: 'it has refused' });
    await replica.command('REPLICAOF', 'NO', 'ONE');

    expect(await writing).toBe(1);
    expect(await replica.command('GET', 'n')).toBe('1');
  });

  it('[F7] and stays so is given up at the deadline, which says what it answered', async () => {
    second = await startServer();
    server = await startServer({ replicaOf: second });
    const client = await openClient({ host: server.host, port: server.port });
    const startedAt = performance.now();
    const error = await ending(client.with({ timeout: 200 }).incr('n'));

    // A refused INCR was certainly not applied, so its outcome is known.
    expect(codeOf(error)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect((error as Error).cause).toMatchObject({ code: 'VALKEY_SERVER_BUSY', kind: 'READONLY' });
    expect(performance.now() - startedAt).toBeLessThan(200 + 300);
  });
});

describeWithServers('an answer that says no', () => {
  let server: Server;
  let client: CacheClient;
  let retries = 0;
  let stopListening = (): void => undefined;

  beforeAll(async () => {
    server = await startServer();
    client = await openClient({ host: server.host, port: server.port, ...TOUCHY });
    stopListening = events.retry.subscribe(() => (retries += 1));
  });

  beforeEach(async () => {
    await server.command('CONFIG', 'RESETSTAT');
    retries = 0;
  });

  afterAll(async () => {
    stopListening();
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F7] of the wrong type, or a nil, is never asked for again and no failure to the breaker', async () => {
    await client.rpush('list', 'x');
    for (let round = 0; round < 10; round += 1) {
      const error = await ending(client.incr('list'));
      expect(error).toBeInstanceOf(ReplyError);
      expect(error).toMatchObject({ kind: 'WRONGTYPE' });
      expect(await client.get('missing')).toBeNull();
    }

    const stats = await server.info('commandstats');
    expect(stats['cmdstat_incr']).toMatch(/calls=10,/);
    expect(stats['cmdstat_get']).toMatch(/calls=10,/);
    expect(retries).toBe(0);
    expect(client.circuits()).toMatchObject([{ state: 'closed' }]);
  });

  it('[F12] because memory is full is an error of its own, not asked for again, while reads go on', async () => {
    await client.set('kept', 'x');
    await server.command('CONFIG', 'RESETSTAT');
    await server.command('CONFIG', 'SET', 'maxmemory', 1);
    const writes = await Promise.all(
      [client.set('more', 'x'), client.incr('n'), client.transaction((t) => [t.set('more', 'x')])].map(ending),
    );
    const read = await client.get('kept');
    const stats = await server.info('commandstats');
    await server.command('CONFIG', 'SET', 'maxmemory', 0);

    for (const error of writes) expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(read).toBe('x');
    expect(stats['cmdstat_set']).toMatch(/calls=0,.*rejected_calls=2,/);
    expect(stats['cmdstat_incr']).toMatch(/calls=0,.*rejected_calls=1,/);
    expect(retries).toBe(0);
    expect(client.circuits()).toMatchObject([{ state: 'closed' }]);
    expect(await client.set('more', 'x')).toBe('OK');
  });
});

/** How often `server` has answered with this kind of error since its start. */
async function refusals(server: Server, kind: string): Promise<number> {
  const stats = await server.info('errorstats');
  return Number(/count=(\d+)/.exec(stats[`errorstat_${kind}`] ?? '')?.[1] ?? 0);
}
