import {
  type Cluster,
  type FaultProxy,
  describeWithServers,
  HARNESS,
  leftovers,
  type SentinelGroup,
  type Server,
  startCluster,
  startFaultProxy,
  startSentinel,
  until,
} from '../support/index.js';
import { closeClients, ending, openClient } from '../integration/open-client.js';
import { Counters } from './counters.js';
import { codesOf, startLoad } from './load.js';
import { tagOf } from './shards.js';

const PATIENT = { timeouts: { read: '15s', write: '15s' } };

describeWithServers('a change of roles under load', () => {
  let servers: Cluster | SentinelGroup | undefined;

  const proxies: FaultProxy[] = [];

  afterEach(async () => {
    await closeClients();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    await servers?.stop();
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[F5] agreed with the primary of a cluster costs no write, and every confirmed one is there', async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 1 });
    servers = cluster;
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, ...PATIENT });
    const counters = new Counters(client, `n${tagOf(0)}`);
    const load = startLoad(16, () => counters.next());
    const [old] = cluster.nodes as [Server];
    const [heir] = (await cluster.replicasOf(old)) as [Server];
    // Back and forth: each of the two is demoted once.
    for (const replica of [heir, old]) {
      const before = load.succeeded;
      await until(() => load.succeeded > before + 300, { what: 'the load runs' });
      await cluster.healthy();
      await cluster.failover(replica);
    }
    const before = load.succeeded;
    await until(() => load.succeeded > before + 300, { what: 'the load goes on' });
    await load.stop();

    expect({ errors: codesOf(counters.errors), wrong: counters.wrong }).toEqual({ errors: {}, wrong: [] });
    const { applied, twice } = await counters.tally();
    expect(twice).toEqual([]);
    expect(applied).toBeGreaterThanOrEqual(counters.acknowledged);
    expect(applied).toBeLessThanOrEqual(counters.acknowledged + counters.unknown);
  }, 30_000);

  it('[F5] a primary made a replica by hand confirms nothing, and its writes wait for the next primary', async () => {
    const group = await startSentinel({ replicas: 1, downAfter: 700 });
    servers = group;
    const sentinel = { name: group.name, nodes: group.addrs };
    const client = await openClient({ mode: 'sentinel', sentinel, ...PATIENT });
    const counters = new Counters(client, 'n');
    const load = startLoad(16, () => counters.next());
    await until(() => load.succeeded > 300, { what: 'the load runs' });
    const old = await group.primary();
    const [heir] = group.replicas as [Server];
    // The copy is complete before the roles change, so that whatever was confirmed has to be there at the end.
    old.pause();
    await until(() => counters.underWay === 16, { what: 'every caller waits' });
    await heir.command('REPLICAOF', 'NO', 'ONE');
    old.resume();
    await old.command('REPLICAOF', heir.host, heir.port);
    const refused = async (): Promise<number> =>
      Number(/count=(\d+)/.exec((await old.info('errorstats'))['errorstat_READONLY'] ?? '')?.[1] ?? 0);
    await until(async () => (await refused()) > 10, { what: 'it refuses writes' });
    await group.replaced(old);
    const before = load.succeeded;
    await until(() => load.succeeded > before + 300, { what: 'the load goes on', timeout: 15_000 });
    await load.stop();

    expect({ errors: codesOf(counters.errors), wrong: counters.wrong }).toEqual({ errors: {}, wrong: [] });
    expect((await counters.tally()).twice).toEqual([]);
  }, 40_000);

  it('[F5] a switch that no sentinel could tell is noticed as soon as one can be heard again', async () => {
    // Without the harness's account nobody but our client gets in.
    const users = ['default off', 'app on >secret ~* &* +@all'];
    const group = await startSentinel({ replicas: 1, downAfter: 700, server: { users } });
    servers = group;
    proxies.push(...(await Promise.all(group.sentinels.map((sentinel) => startFaultProxy(sentinel)))));
    const sentinel = { name: group.name, nodes: proxies.map(({ addr }) => addr) };
    const credentials = { username: 'app', password: 'secret' };
    const client = await openClient({ mode: 'sentinel', sentinel, credentials });
    const old = await group.primary();
    await client.set('a', 'x');
    await until(() => proxies.every(({ connections }) => connections === 1), { what: 'all sentinels are listened to' });
    await Promise.all(proxies.map((proxy) => proxy.refuse()));
    for (const proxy of proxies) proxy.cut();

    // The sentinels lose it, this client does not: nobody tells the old primary, and nobody cuts our connection.
    await old.command('ACL', 'SETUSER', HARNESS.user, 'resetpass', '>other');
    await ending(client.call('CLIENT', 'KILL', 'USER', HARNESS.user));
    const heir = await group.replaced(old);
    await client.set('written to', 'old');
    expect(await heir.command('GET', 'written to')).toBeNull();

    await Promise.all(proxies.map((proxy) => proxy.accept()));
    const arrives = async (): Promise<boolean> => {
      await client.set('written to', 'new');
      return (await heir.command('GET', 'written to')) === 'new';
    };
    await until(arrives, { what: 'the client has moved', timeout: 10_000 });
  }, 40_000);
});
