import { inspect } from 'node:util';
import { slotOf } from '../../lib/core/slot.js';
import {
  type Cluster,
  type FaultProxy,
  type Server,
  describeWithServers,
  startCluster,
  startFaultProxy,
  startServer,
  until,
} from '../support/index.js';
import { endObservation, observedClient, of, watch } from '../unit/observability/observed-client.js';

afterEach(endObservation);

const id = { client: 'default', clientId: expect.any(Number) as number };
const durationMs = expect.any(Number) as number;

describeWithServers('[OBS-1] events of a single server', () => {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer({ requirepass: 'canary-password' });
    proxy = await startFaultProxy(server);
  });

  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const options = (): Record<string, unknown> => ({
    host: proxy.host,
    port: proxy.port,
    credentials: { password: 'canary-password' },
  });

  it('tell of commands, pipelines and transactions', async () => {
    const client = await observedClient(options());
    const seen = watch('command', 'pipeline');

    await client.set('key', 'text');
    await client.lpush('key', 'x').catch(() => undefined);
    await client.pipeline((p) => [p.get('key'), p.lpush('key', 'x')], { settled: true });
    await client.transaction((t) => [t.get('key'), t.lpush('key', 'x')]).catch(() => undefined);

    expect(of(seen, 'command')).toEqual([
      { ...id, command: 'SET', durationMs, code: undefined },
      { ...id, command: 'LPUSH', durationMs, code: 'VALKEY_REPLY' },
      { ...id, command: 'GET', durationMs, code: undefined },
      { ...id, command: 'LPUSH', durationMs, code: 'VALKEY_REPLY' },
      { ...id, command: 'EXEC', durationMs, code: undefined },
    ]);
    expect(of(seen, 'pipeline')).toEqual([
      { ...id, kind: 'pipeline', size: 2, failed: 1, durationMs },
      { ...id, kind: 'transaction', size: 2, failed: 1, durationMs },
    ]);
  });

  it('measure from the call to the result', async () => {
    const client = await observedClient(options());
    const seen = watch('command');

    proxy.delay(60);
    await client.get('key').finally(() => proxy.heal());

    expect(of(seen, 'command')[0]?.['durationMs']).toBeGreaterThanOrEqual(59);
    expect(of(seen, 'command')[0]?.['durationMs']).toBeLessThan(2_000);
  });

  it('tell of connections that open, break, fail and close', async () => {
    const seen = watch('connection');
    const client = await observedClient(options());
    await proxy.refuse();
    proxy.cut();
    await until(() => of(seen, 'connection').some(({ state }) => state === 'failed'), { what: 'an attempt fails' });
    await proxy.accept();
    await until(() => client.status().state === 'ready', { what: 'the client is connected again' });
    await client.close();

    const states = of(seen, 'connection').map(({ state, code, address }) => [state, code, address]);
    expect(of(seen, 'connection')[0]).toEqual({
      ...id,
      lane: 'shared',
      state: 'connecting',
      code: undefined,
      address: '?',
    });
    expect(states.slice(1, 5)).toEqual([
      ['ready', undefined, proxy.addr],
      ['lost', 'VALKEY_CONNECTION_FAILED', proxy.addr],
      ['connecting', undefined, proxy.addr],
      ['failed', 'VALKEY_CONNECTION_FAILED', proxy.addr],
    ]);
    expect(states.slice(-2)).toEqual([
      ['ready', undefined, proxy.addr],
      ['closed', undefined, proxy.addr],
    ]);
  });

  it('tell of connections for blocking commands by their lane', async () => {
    const client = await observedClient(options());
    const seen = watch('connection');

    await client.rpush('queue', 'job');
    await client.blpop('queue', { timeout: '5s' });

    expect(of(seen, 'connection').map(({ lane, state }) => [lane, state])).toEqual([
      ['dedicated', 'connecting'],
      ['dedicated', 'ready'],
    ]);
  });

  it('tell of repetitions and how they ended', async () => {
    const client = await observedClient(options());
    const seen = watch('retry', 'retryEnd');

    proxy.dropReply('GET');
    await client.get('key');
    await until(() => of(seen, 'retryEnd').length > 0, { what: 'the repetition is over' });

    const retries = of(seen, 'retry');
    expect(retries[0]).toEqual({
      ...id,
      route: proxy.addr,
      attempt: 1,
      delayMs: expect.any(Number) as number,
      code: 'VALKEY_OUTCOME_UNKNOWN',
    });
    expect(of(seen, 'retryEnd')).toEqual([{ ...id, route: proxy.addr, attempt: retries.length, code: undefined }]);
  });

  it('tell of circuits that open, try and close', async () => {
    const client = await observedClient({
      ...options(),
      resilience: { timeout: 150, retry: false, breaker: { failures: 2, halfOpenAfter: 100 } },
    });
    const seen = watch('breaker');

    proxy.blackHole();
    for (const key of ['a', 'b']) await client.get(key).catch(() => undefined);
    proxy.heal();
    await until(() => client.get('key').then(() => true), { what: 'the client works again' });

    const states = of(seen, 'breaker').map(({ state }) => state);
    expect(of(seen, 'breaker')[0]).toEqual({ ...id, route: proxy.addr, state: 'open' });
    expect(states.slice(-2)).toEqual(['half-open', 'closed']);
    expect(states.every((state, index) => state !== states[index + 1])).toBe(true);
  });

  it('tell two clients of one process apart, of the same name too', async () => {
    const [one, other] = [await observedClient(options()), await observedClient(options())];
    const named = await observedClient({ ...options(), name: 'sessions' });
    const seen = watch('command');

    await one.get('a');
    await other.set('b', '1');
    await named.incr('c');

    const [first, second, third] = of(seen, 'command');
    expect([first?.['client'], second?.['client'], third?.['client']]).toEqual(['default', 'default', 'sessions']);
    expect(new Set([first?.['clientId'], second?.['clientId'], third?.['clientId']]).size).toBe(3);
  });

  it('hold no key, value or secret', async () => {
    const seen = watch();
    const client = await observedClient({ ...options(), keyPrefix: 'canary-prefix:' });
    await client.set('canary-key', 'canary-value');
    await client.lpush('canary-key', 'canary-value').catch(() => undefined);
    await client.pipeline((p) => [p.get('canary-key')]);
    await client.call('EVAL', "return redis.error_reply('canary-value')", '0').catch(() => undefined);
    proxy.dropReply('GET');
    await client.get('canary-key');
    await observedClient({ ...options(), credentials: { password: 'canary-wrong' } }).catch(() => undefined);
    const stop = client.isolate();
    await client.get('canary-key').catch(() => undefined);
    stop();
    await client.close();

    expect(new Set(seen.map(({ channel }) => channel))).toEqual(
      new Set(['connection', 'command', 'pipeline', 'retry', 'retryEnd', 'breaker']),
    );
    expect(inspect(seen, { depth: 10, showHidden: true })).not.toContain('canary');
  });
});

describeWithServers('[OBS-1] events of a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 60_000);

  afterAll(() => cluster.stop());

  it('tell of redirections while a slot moves', async () => {
    const slot = slotOf('{move}a');
    const from = await cluster.nodeOfSlot(slot);
    const to = (await cluster.primaries()).find(({ addr }) => addr !== from.addr) as Server;
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs });
    await client.set('{move}a', '1');
    const seen = watch('redirection', 'topology');

    await cluster.openSlot(slot, from, to);
    await cluster.moveKeys(slot, from, to);
    await client.get('{move}a');
    await cluster.closeSlot(slot, from, to);
    await client.get('{move}a');

    const common = { ...id, command: 'GET', slot, from: from.addr, to: to.addr };
    expect(of(seen, 'redirection')).toEqual([
      { ...common, kind: 'ask' },
      { ...common, kind: 'moved' },
    ]);
    await cluster.migrateSlot(slot, to, from);
  });

  it('tell of another layout after a failover', async () => {
    const [primary] = await cluster.primaries();
    const [replica] = await cluster.replicasOf(primary as Server);
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs });
    const seen = watch('topology');

    await cluster.failover(replica as Server);
    const changed = await until(
      async () => {
        await client.set(`key-${performance.now()}`, '1').catch(() => undefined);
        return of(seen, 'topology').find(({ primaries }) => (primaries as string[]).includes((replica as Server).addr));
      },
      { what: 'the client knows the new primary', timeout: 15_000 },
    );

    const primaries = changed['primaries'] as string[];
    const replicas = changed['replicas'] as string[];
    expect(changed).toEqual({ ...id, primaries, replicas });
    expect(primaries).toHaveLength(3);
    expect([...primaries, ...replicas].toSorted()).toEqual([...cluster.addrs].toSorted());
    expect(replicas).toContain(primary?.addr);
  }, 40_000);

  it('tell when no node knows the layout', async () => {
    const lonely = await startServer();
    const gone = await startFaultProxy(lonely);
    await gone.close();
    const seen = watch('topologyFailure', 'connection');

    await observedClient({ mode: 'cluster', nodes: [lonely.addr, gone.addr] }).catch(() => undefined);
    await endObservation();
    await lonely.stop();

    expect(of(seen, 'topologyFailure')[0]).toEqual({
      ...id,
      reasons: [
        { node: lonely.addr, code: expect.stringMatching(/^VALKEY_/) as string },
        { node: gone.addr, code: 'VALKEY_CONNECTION_FAILED' },
      ],
    });
    expect(
      of(seen, 'connection').find(({ address, state }) => address === gone.addr && state !== 'connecting'),
    ).toMatchObject({
      lane: 'topology',
      state: 'failed',
      code: 'VALKEY_CONNECTION_FAILED',
    });
  });
});
