import { events, OutcomeUnknownError } from '../../lib/index.js';
import {
  type Cluster,
  describeWithServers,
  type FaultProxy,
  leftovers,
  type Server,
  startCluster,
  startFaultProxy,
  until,
} from '../support/index.js';
import { closeClients, ending, openClient } from '../integration/open-client.js';
import { tagOf } from './shards.js';

describeWithServers('a lost reply on a cluster', () => {
  let cluster: Cluster;
  let proxy: FaultProxy;
  let node: Server;
  const key = `${tagOf(1)}n`;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0 });
    node = cluster.nodes[1] as Server;
    proxy = await startFaultProxy(node);
    // From now the cluster tells clients to go through the proxy; the nodes' own bus stays as it is.
    await node.command('CONFIG', 'SET', 'cluster-announce-port', proxy.port);
    const isAnnounced = async (server: Server): Promise<boolean> =>
      JSON.stringify(await server.command('CLUSTER', 'SLOTS')).includes(`,${proxy.port},`);
    await until(async () => (await Promise.all(cluster.nodes.map(isAnnounced))).every(Boolean), {
      what: 'all nodes know the announced port',
    });
  });

  beforeEach(() => node.command('FLUSHALL'));

  afterEach(closeClients);

  afterAll(async () => {
    await proxy.close();
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F1] of INCR is an unknown outcome, and it was applied once', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const before = proxy.dropped;
    proxy.dropReply('INCR');

    expect(await ending(client.incr(key))).toBeInstanceOf(OutcomeUnknownError);
    expect(proxy.dropped).toBe(before + 1);
    expect(await client.get(key)).toBe('1');
  });

  it('[F1] of GET goes unnoticed, and so does that of an MGET over several nodes', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const before = proxy.dropped;
    const keys = [0, 1, 2].map((index) => `${tagOf(index)}n`);
    await client.mset(Object.fromEntries(keys.map((name) => [name, name])));

    proxy.dropReply('GET');
    expect(await client.get(key)).toBe(key);
    proxy.dropReply('MGET');
    expect(await client.mget(keys)).toEqual(keys);
    expect(proxy.dropped).toBe(before + 2);
  });

  it('[F1] of GET goes unnoticed after many attempts that reached nobody as well', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, timeouts: { read: '10s' } });
    await client.set(key, 'x');
    const before = proxy.dropped;
    let retries = 0;
    const stopListening = events.retry.subscribe(() => (retries += 1));
    await proxy.refuse();
    proxy.cut();
    const reading = client.get(key);
    // The default allows three for what may have reached a server.
    await until(() => retries > 4, { what: 'it has been tried in vain' });
    proxy.dropReply('GET');
    await proxy.accept();

    expect(await reading).toBe('x');
    expect(proxy.dropped).toBe(before + 1);
    stopListening();
  });
});
