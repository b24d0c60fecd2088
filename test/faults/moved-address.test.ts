import { events, TlsError } from '../../lib/index.js';
import {
  type Certificates,
  type Cluster,
  type ClusterOptions,
  describeWithServers,
  type FaultProxy,
  HARNESS,
  leftovers,
  makeCertificates,
  type SentinelGroup,
  type Server,
  startCluster,
  startFaultProxy,
  startSentinel,
  startServer,
  until,
} from '../support/index.js';
import { closeClients, ending, newClient, openClient } from '../integration/open-client.js';
import { Names } from './names.js';
import { tagOf } from './shards.js';

const OLD = '127.0.0.1';
const NEW = '127.0.0.2';

describeWithServers('an address that changes behind its name', () => {
  let names: Names;
  let certificates: Certificates;
  let running: { stop(): Promise<void> }[] = [];
  let proxies: FaultProxy[] = [];

  beforeAll(() => {
    certificates = makeCertificates();
  });

  beforeEach(() => {
    names = new Names();
  });

  afterEach(async () => {
    await closeClients();
    names.restore();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await Promise.all(running.map((servers) => servers.stop()));
    proxies = [];
    running = [];
  });

  afterAll(() => {
    certificates.remove();
    expect(leftovers()).toEqual([]);
  });

  it('[F9] is where a lost connection to a single server is opened again, every kind of connection', async () => {
    const [before, after] = await Promise.all([kept(startServer()), kept(startServer())]);
    await Promise.all([before.command('SET', 'name', 'old'), after.command('SET', 'name', 'new')]);
    const moved = await relay(after, before.port);
    names.lead('store.test', OLD);
    const client = await openClient({ host: 'store.test', port: before.port });
    const subscription = await client.subscribe('news');
    expect(await client.get('name')).toBe('old');

    names.lead('store.test', NEW);
    await disconnect(before);

    expect(await client.get('name')).toBe('new');
    await until(async () => Number(await after.command('PUBLISH', 'news', 'here')) === 1, {
      what: 'it is heard there',
    });
    for await (const { text } of subscription) {
      expect(text).toBe('here');
      break;
    }
    expect(await client.transaction({ watch: ['name'] }, (t) => [t.get('name')])).toEqual(['new']);
    expect(moved.accepted).toBe(3);
  });

  it('[F9] is where the primary is found that sentinels know by name', async () => {
    const group: SentinelGroup = await kept(startSentinel({ replicas: 0 }));
    const before = await group.primary();
    const after: Server = await kept(startServer());
    await after.command('SET', 'name', 'new');
    await before.command('SET', 'name', 'old');
    await monitorByName(group, 'localhost', before);
    const moved = await relay(after, before.port);
    names.lead('localhost', OLD);
    names.lead('sentinel.test', OLD);
    const nodes = group.sentinels.map(({ port }) => `sentinel.test:${port}`);
    const client = await openClient({ mode: 'sentinel', sentinel: { name: group.name, nodes } });
    expect(await client.get('name')).toBe('old');

    names.lead('localhost', NEW);
    await disconnect(before);

    expect(await client.get('name')).toBe('new');
    expect(moved.accepted).toBe(1);
  });

  it('[F9] is where a sentinel is asked and listened to again', async () => {
    const group: SentinelGroup = await kept(startSentinel({ replicas: 0, sentinels: 1, quorum: 1 }));
    const [sentinel] = group.sentinels as [Server];
    const moved = await relay(sentinel, sentinel.port);
    names.lead('sentinel.test', OLD);
    const nodes = [`sentinel.test:${sentinel.port}`];
    const client = await openClient({ mode: 'sentinel', sentinel: { name: group.name, nodes } });
    await client.set('a', 'x');

    names.lead('sentinel.test', NEW);
    await disconnect(sentinel);
    await disconnect(await group.primary());

    expect(await client.get('a')).toBe('x');
    // One asks where the primary is, one listens from now on.
    await until(() => moved.accepted >= 2 && moved.connections === 1, { what: 'it is listened to' });
  });

  it('[F9] is where a node of a cluster is reached again', async () => {
    const cluster = await namedCluster((index) => `node${index}.test`);
    const [node] = cluster.nodes as [Server];
    for (const index of [0, 1, 2]) names.lead(`node${index}.test`, OLD);
    const client = await openClient({ mode: 'cluster', nodes: [`node0.test:${node.port}`] });
    const key = `${tagOf(0)}k`;
    await client.set(key, 'x');
    expect(routes(client)).toEqual(cluster.nodes.map(({ port }, index) => `node${index}.test:${port}`).toSorted());
    const moved = await relay(node, node.port);

    names.lead('node0.test', NEW);
    await disconnect(node);

    expect(await client.get(key)).toBe('x');
    expect(moved.connections).toBe(1);
  });

  it('[F9] [CFG-7] changes nothing about the name its certificate has to be for, in a cluster with TLS', async () => {
    const cluster = await namedCluster(() => 'localhost', { tls: { certificates } });
    const [node] = cluster.nodes as [Server];
    names.lead('localhost', OLD);
    const nodes = [`localhost:${node.port}`];
    const tls = { ca: certificates.ca.cert };
    const client = await openClient({ mode: 'cluster', nodes, tls });
    const keys = [0, 1, 2].map((index) => `${tagOf(index)}k`);
    await client.mset(Object.fromEntries(keys.map((key) => [key, key])));
    const moved = await relay(node, node.port);

    // The certificate names localhost and 127.0.0.1: were the new address compared with it, this would fail.
    names.lead('localhost', NEW);
    await disconnect(node);

    expect(await client.mget(keys)).toEqual(keys);
    expect(moved.connections).toBe(1);
  });

  it('[F9] [F10] [CFG-7] does not help a node of a cluster whose name is not in its certificate', async () => {
    const cluster = await namedCluster((index) => (index === 1 ? 'elsewhere.test' : 'localhost'), {
      tls: { certificates },
    });
    const [node] = cluster.nodes as [Server];
    names.lead('localhost', OLD);
    // The certificate would do for this address, if somebody compared that.
    names.lead('elsewhere.test', OLD);
    const failures: unknown[] = [];
    const stop = events.connection.subscribe(
      ({ address, code }) => code && failures.push([address.split(':')[0], code]),
    );
    const tls = { ca: certificates.ca.cert };
    const client = newClient({ mode: 'cluster', nodes: [`localhost:${node.port}`], tls });

    expect(await ending(client.connect())).toBeInstanceOf(TlsError);
    expect(await client.get(`${tagOf(0)}k`)).toBeNull();
    const error = (await ending(client.get(`${tagOf(1)}k`))) as Error;
    stop();

    expect(error).toBeInstanceOf(TlsError);
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(new Set(failures.map(String))).toEqual(new Set(['elsewhere.test,VALKEY_TLS_FAILED']));
  });

  /** A cluster whose nodes tell their names instead of their addresses. */
  async function namedCluster(
    nameOf: (index: number) => string,
    server: NonNullable<ClusterOptions['server']> = {},
  ): Promise<Cluster> {
    const cluster: Cluster = await kept(startCluster({ primaries: 3, replicas: 0, server }));
    for (const [index, node] of cluster.nodes.entries()) {
      await node.command('CONFIG', 'SET', 'cluster-announce-hostname', nameOf(index));
      await node.command('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname');
    }
    const wanted = cluster.nodes.map((_, index) => nameOf(index));
    const isAgreed = async (node: Server): Promise<boolean> => {
      const slots = JSON.stringify(await node.command('CLUSTER', 'SLOTS'));
      return wanted.every((name) => slots.includes(`"${name}"`)) && !slots.includes('"?"');
    };
    await until(async () => (await Promise.all(cluster.nodes.map(isAgreed))).every(Boolean), {
      what: 'all names are known to all',
    });
    return cluster;
  }

  /** Another way to the target, at the new address with the old port. */
  async function relay(target: Server, port: number): Promise<FaultProxy> {
    const proxy = await startFaultProxy(target, { host: NEW, port });
    proxies.push(proxy);
    return proxy;
  }

  async function kept<S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> {
    const started = await starting;
    running.push(started);
    return started;
  }
});

/** Cuts everybody's connections to a server but its own links. */
async function disconnect(server: Server): Promise<void> {
  for (const type of ['normal', 'pubsub']) await server.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
}

/** Lets the sentinels know the primary by a name; they resolve it themselves, so it has to be a real one. */
async function monitorByName(group: SentinelGroup, name: string, { port }: Server): Promise<void> {
  for (const sentinel of group.sentinels) {
    const set = (...words: string[]): Promise<unknown> => sentinel.command('SENTINEL', ...words);
    await set('CONFIG', 'SET', 'resolve-hostnames', 'yes');
    await set('CONFIG', 'SET', 'announce-hostnames', 'yes');
    await set('REMOVE', group.name);
    await set('MONITOR', group.name, name, String(port), '2');
    await set('SET', group.name, 'auth-user', HARNESS.user);
    await set('SET', group.name, 'auth-pass', HARNESS.password);
  }
  const isNamed = async (sentinel: Server): Promise<boolean> =>
    String(await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group.name)) === `${name},${port}`;
  await until(async () => (await Promise.all(group.sentinels.map(isNamed))).every(Boolean), {
    what: 'they tell a name',
  });
}

function routes(client: { nodes(): readonly { readonly route: { readonly id: string } }[] }): string[] {
  return client
    .nodes()
    .map(({ route }) => route.id)
    .toSorted();
}
