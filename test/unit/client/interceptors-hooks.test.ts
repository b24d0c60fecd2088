import type { CommandHooks, Interceptor } from '../../../lib/index.js';
import { HOOKS } from '../../../lib/client/interceptors.js';
import {
  type Cluster,
  type FaultProxy,
  type Server,
  describeWithServers,
  startCluster,
  startFaultProxy,
  startServer,
  until,
} from '../../support/index.js';
import { endObservation, observedClient } from '../observability/observed-client.js';

/** A hook that was called, with what. */
interface Heard {
  readonly hook: string;
  readonly given: readonly Readonly<Record<string, unknown>>[];
}

/** All hooks, or some of them. */
function recorder(names: readonly (keyof CommandHooks)[] = HOOKS): { heard: Heard[]; hooks: Interceptor } {
  const heard: Heard[] = [];
  const hooks = Object.fromEntries(
    names.map((hook) => [hook, (...given: Heard['given']) => void heard.push({ hook, given })]),
  );
  return { heard, hooks };
}

function names(heard: readonly Heard[]): string[] {
  return heard.map(({ hook }) => hook);
}

afterEach(endObservation);

describe('[HOK-2] hooks', () => {
  it('may be any subset; several are called in the order given', async () => {
    const order: string[] = [];
    const client = await observedClient(undefined, {
      interceptors: [
        { beforeCommand: () => void order.push('first before') },
        { afterCommand: () => void order.push('second after') },
        { beforeCommand: () => void order.push('third before'), afterCommand: () => void order.push('third after') },
      ],
    });

    await client.get('key');

    expect(order).toEqual(['first before', 'third before', 'second after', 'third after']);
  });

  it.each(['', 'shop:'])('of the end alone see the call without the key prefix "%s"', async (keyPrefix) => {
    const { heard, hooks } = recorder(['afterCommand']);
    const client = await observedClient({ mode: 'embedded', keyPrefix }, { interceptors: [hooks] });

    await client.get('key');

    expect(heard.map(({ given: [call] }) => call)).toEqual([{ command: 'GET', args: ['key'], readOnly: true }]);
  });

  it('may be of the same object as an interceptor', async () => {
    const order: string[] = [];
    const both: Interceptor = {
      intercept: (call, next) => {
        order.push('intercept');
        return next(call);
      },
      beforeCommand: () => void order.push('before'),
      afterCommand: () => void order.push('after'),
    };
    const client = await observedClient(undefined, { interceptors: [both] });

    await client.get('key');

    expect(order).toEqual(['intercept', 'before', 'after']);
  });

  it('hear how a transaction and its EXEC went, and of no wait for a session', async () => {
    const { heard, hooks } = recorder();
    const client = await observedClient(undefined, { interceptors: [hooks] });

    await client.transaction({ watch: ['stock'] }, (t) => [t.set('stock', 1)]);

    expect(heard.map(({ hook, given: [first] }) => [hook, first?.['command'] ?? first?.['kind']])).toEqual([
      ['beforeCommand', 'WATCH'],
      ['afterCommand', 'WATCH'],
      ['beforePipeline', 'transaction'],
      ['beforeCommand', 'EXEC'],
      ['afterCommand', 'EXEC'],
      ['afterPipeline', 'transaction'],
    ]);
  });

  it('hear of commands that were refused before they were sent', async () => {
    const { heard, hooks } = recorder(['beforeCommand', 'afterCommand']);
    const client = await observedClient({ mode: 'embedded', maxQueue: 1 }, { interceptors: [hooks] });

    await Promise.allSettled([client.get('a'), client.get('b'), client.pipeline((p) => [p.get('c')])]);
    await client
      .with({ signal: AbortSignal.abort() })
      .get('d')
      .catch(() => undefined);

    expect(
      heard.flatMap(({ hook, given: [call, result] }) =>
        hook === 'afterCommand' ? [[call?.['args'], (result?.['error'] as { code?: string } | undefined)?.code]] : [],
      ),
    ).toEqual([
      [['b'], 'VALKEY_QUEUE_FULL'],
      [['c'], 'VALKEY_QUEUE_FULL'],
      [['a'], undefined],
      [['d'], 'VALKEY_ABORTED'],
    ]);
    expect(names(heard).filter((name) => name === 'beforeCommand')).toHaveLength(4);
  });
});

describeWithServers('[HOK-2] hooks with a server', () => {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer();
    proxy = await startFaultProxy(server);
  });

  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  it('hear of the connection, a command and a pipeline, and of the end', async () => {
    const { heard, hooks } = recorder();
    const client = await observedClient({ host: server.host, port: server.port }, { interceptors: [hooks] });
    await client.set('list', 'text');
    const failed: unknown = await client.lpush('list', 'more').catch((error: unknown) => error);
    await client.pipeline((p) => [p.get('list'), p.lpush('list', 'x')], { settled: true });
    await client.close();

    const connection = { address: server.addr, lane: 'shared' };
    const durationMs = expect.any(Number) as number;
    expect(heard.slice(0, 2)).toEqual([
      { hook: 'beforeConnect', given: [{ address: '?', lane: 'shared' }] },
      { hook: 'afterConnect', given: [connection, { code: undefined }] },
    ]);
    expect(heard.slice(2, 6)).toEqual([
      { hook: 'beforeCommand', given: [{ command: 'SET', args: ['list', 'text'], readOnly: false }] },
      { hook: 'afterCommand', given: [expect.anything(), { error: undefined, durationMs }] },
      { hook: 'beforeCommand', given: [{ command: 'LPUSH', args: ['list', 'more'], readOnly: false }] },
      { hook: 'afterCommand', given: [expect.anything(), { error: failed, durationMs }] },
    ]);
    const pipeline = { kind: 'pipeline', size: 2 };
    expect(heard.filter(({ hook }) => hook.endsWith('Pipeline'))).toEqual([
      { hook: 'beforePipeline', given: [pipeline] },
      { hook: 'afterPipeline', given: [pipeline, { failed: 1, durationMs }] },
    ]);
    expect(heard.slice(-2)).toEqual([
      { hook: 'beforeDisconnect', given: [connection] },
      { hook: 'afterDisconnect', given: [connection] },
    ]);
  });

  it('hear of a lost connection and of the repetition that made it good', async () => {
    const { heard, hooks } = recorder(['afterConnect', 'afterDisconnect', 'beforeRetry', 'afterRetry']);
    const client = await observedClient({ host: proxy.host, port: proxy.port }, { interceptors: [hooks] });

    proxy.dropReply('GET');
    expect(await client.get('nothing')).toBeNull();
    await until(() => names(heard).includes('afterRetry'), { what: 'the repetition is over' });

    const connection = { address: proxy.addr, lane: 'shared' };
    expect(heard.filter(({ hook }) => !hook.endsWith('Retry'))).toEqual([
      { hook: 'afterConnect', given: [connection, { code: undefined }] },
      { hook: 'afterDisconnect', given: [connection] },
      { hook: 'afterConnect', given: [connection, { code: undefined }] },
    ]);
    const retries = heard.filter(({ hook }) => hook === 'beforeRetry').map(({ given: [retry] }) => retry);
    expect(retries[0]).toMatchObject({
      attempt: 1,
      code: 'VALKEY_OUTCOME_UNKNOWN',
      route: expect.any(String) as string,
    });
    expect(retries.map((retry) => retry?.['attempt'])).toEqual(retries.map((_, index) => index + 1));
    expect(heard.filter(({ hook }) => hook === 'afterRetry').map(({ given: [end] }) => end)).toEqual([
      expect.objectContaining({ attempt: retries.length, code: undefined }),
    ]);
  });

  it('hear why a connection could not be opened', async () => {
    const { heard, hooks } = recorder(['beforeConnect', 'afterConnect']);
    const closed = await startFaultProxy(server);
    await closed.close();

    await observedClient({ host: closed.host, port: closed.port }, { interceptors: [hooks] }).catch(() => undefined);

    expect(heard.slice(0, 2)).toEqual([
      { hook: 'beforeConnect', given: [{ address: '?', lane: 'shared' }] },
      { hook: 'afterConnect', given: [{ address: closed.addr, lane: 'shared' }, { code: 'VALKEY_CONNECTION_FAILED' }] },
    ]);
  });

  it('hear of their own client only', async () => {
    const { heard, hooks } = recorder();
    const other = await observedClient({ host: server.host, port: server.port }, { interceptors: [hooks] });
    const before = heard.length;
    const client = await observedClient({ host: server.host, port: server.port });
    await client.get('key');
    await client.close();

    expect(heard.slice(before)).toEqual([]);
    await other.close();
  });
});

describeWithServers('[HOK-2] hooks on a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 });
  }, 60_000);

  afterAll(() => cluster.stop());

  it('hear once of a command over the keys of several nodes', async () => {
    const { heard, hooks } = recorder(['beforeCommand', 'afterCommand']);
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs }, { interceptors: [hooks] });
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);

    expect(await client.mget(keys)).toHaveLength(20);
    await client.set('key-0', 'text');

    expect(heard.map(({ hook, given: [call] }) => [hook, call?.['command']])).toEqual([
      ['beforeCommand', 'MGET'],
      ['afterCommand', 'MGET'],
      ['beforeCommand', 'SET'],
      ['afterCommand', 'SET'],
    ]);
    expect(heard[0]?.given[0]?.['args']).toEqual(keys);
    expect(client.underWay).toBe(0);
  });

  it('do not keep an interceptor from changing a command over several nodes', async () => {
    const half: Interceptor = {
      intercept: (call, next) => next(call.command === 'EXISTS' ? { ...call, args: call.args.slice(0, 10) } : call),
    };
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs }, { interceptors: [half] });
    const keys = Array.from({ length: 20 }, (_, index) => `half-${index}`);
    await client.pipeline((p) => keys.map((key) => p.set(key, '1')));

    expect(await client.exists(keys)).toBe(10);
  });
});
