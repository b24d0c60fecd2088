import { Registry } from 'prom-client';
import { PrometheusMetrics } from '../../lib/prometheus/index.js';
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
import { endObservation, observedClient } from '../unit/observability/observed-client.js';

let registry: Registry;
let metrics: PrometheusMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = new PrometheusMetrics({ register: registry });
});

afterEach(async () => {
  metrics.close();
  await endObservation();
});

/** The samples of a metric whose labels hold all of these, as `labels value`. */
async function samples(name: string, ...parts: readonly string[]): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.filter((line) => parts.every((part) => line.includes(part))).map((line) => line.slice(name.length));
}

describeWithServers('[OBS-2] metrics of a single server', () => {
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

  it('[RES-2] count repetitions, connections and the breaker as they happen', async () => {
    const client = await observedClient(
      {
        host: proxy.host,
        port: proxy.port,
        resilience: { timeout: 150, breaker: { failures: 2, halfOpenAfter: 60_000 } },
      },
      { interceptors: [metrics] },
    );
    proxy.dropReply('GET');
    await client.get('key');
    expect(await samples('valkey_retries_total')).toContain(
      `{client="default",route="${proxy.addr}",code="VALKEY_OUTCOME_UNKNOWN"} 1`,
    );
    expect(await samples('valkey_connection_events_total', 'state="lost"')).toEqual([
      '{client="default",lane="shared",state="lost"} 1',
    ]);

    proxy.blackHole();
    for (const key of ['a', 'b', 'c']) await client.get(key).catch(() => undefined);
    const on = (): Promise<string[]> => samples('valkey_breaker_state', 'state="open"');
    expect(await on()).toEqual([`{client="default",route="${proxy.addr}",state="open"} 1`]);
    expect(client.circuits()).toEqual([{ route: proxy.addr, state: 'open' }]);
    expect(await samples('valkey_command_errors_total', 'VALKEY_CIRCUIT_OPEN')).toEqual([
      '{client="default",command="GET",code="VALKEY_CIRCUIT_OPEN"} 1',
    ]);

    proxy.heal();
    proxy.cut();
    await expect(client.get('key')).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
    client.resetCircuits();
    expect(await on()).toEqual([`{client="default",route="${proxy.addr}",state="open"} 0`]);
    await until(() => client.get('key').then(() => true), { what: 'the client works again' });
    expect(client.circuits()).toEqual([{ route: proxy.addr, state: 'closed' }]);
  });

  it('[RES-2] isolation sends nothing until it is lifted by all who asked for it', async () => {
    const client = await observedClient({ host: server.host, port: server.port }, { interceptors: [metrics] });
    const calls = async (): Promise<number> => Number((await server.info('stats'))['total_commands_processed']);
    await client.get('key');
    const [lift, liftOther] = [client.isolate(), client.isolate(server.addr)];
    const before = await calls();
    const refused = { code: 'VALKEY_CIRCUIT_OPEN' };

    await expect(client.get('key')).rejects.toMatchObject(refused);
    await expect(client.blpop('key', { timeout: '1s' })).rejects.toMatchObject(refused);
    await expect(client.transaction({ watch: ['key'] }, (t) => [t.get('key')])).rejects.toMatchObject(refused);
    client.resetCircuits();
    lift();
    lift();
    await expect(client.get('key')).rejects.toMatchObject({ message: expect.stringContaining('isolate()') as string });
    // Its own question, with AUTH, is all the server has heard.
    expect((await calls()) - before).toBeLessThanOrEqual(2);

    liftOther();
    expect(await client.get('key')).toBeNull();
    expect(() => client.isolate('elsewhere:1')).toThrow(`In use are: ${server.addr}`);
  });
});

describeWithServers('[OBS-2] metrics of a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 });
  }, 60_000);

  afterAll(() => cluster.stop());

  it('show nodes and circuits one by one', async () => {
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs }, { interceptors: [metrics] });
    await client.mget(Array.from({ length: 20 }, (_, index) => `key-${index}`));

    expect(await samples('valkey_nodes_connected')).toEqual(['{client="default",role="primary"} 3']);
    const closed = await samples('valkey_breaker_state', 'state="closed"');
    expect(closed.toSorted()).toEqual(
      cluster.addrs.map((addr) => `{client="default",route="${addr}",state="closed"} 1`).toSorted(),
    );
    expect(await samples('valkey_command_duration_seconds_count', 'MGET')).toEqual([
      '{client="default",command="MGET"} 1',
    ]);
  });

  it('[RES-2] isolation of one route leaves the others alone; of all, it holds for routes met later', async () => {
    const client = await observedClient({ mode: 'cluster', nodes: cluster.addrs });
    const liftAll = client.isolate();
    await expect(client.get('key')).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
    liftAll();

    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => client.get(key)));
    const [first] = client.circuits();
    const lift = client.isolate(first?.route);
    const results = await Promise.allSettled(keys.map((key) => client.get(key)));
    lift();

    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(keys.length);
    for (const error of refused) expect(error).toMatchObject({ subject: first?.route });
  });
});
