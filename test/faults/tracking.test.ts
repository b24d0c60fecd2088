import { events, type CacheClient, type ConnectionEvent } from '../../lib/index.js';
import { slotOf } from '../../lib/core/slot.js';
import {
  describeWithServers,
  type FaultProxy,
  leftovers,
  type Server,
  startCluster,
  startFaultProxy,
  startSentinel,
  startServer,
  until,
} from '../support/index.js';
import { closeClients, openClient } from '../integration/open-client.js';
import { hostProcess } from '../support/host-process.js';
import { tagOf } from './shards.js';

/** Milliseconds in which a silent server is noticed: a PING every 500, and 500 for its answer. */
const NOTICED = 1_000;
/** What a busy machine may add. */
const SLACK = 500;

type News = { readonly changed: string } | { readonly covered: boolean };

/** What was told, in order. */
class Told {
  readonly news: News[] = [];
  readonly stop: () => void;

  constructor(client: CacheClient, prefix = '') {
    this.stop = client.track(prefix, {
      changed: (changed) => this.news.push({ changed }),
      covered: (covered) => this.news.push({ covered }),
    });
  }

  get covered(): boolean {
    return this.coverage.at(-1) === true;
  }

  get coverage(): readonly boolean[] {
    return this.news.flatMap((one) => ('covered' in one ? [one.covered] : []));
  }

  /** Whether whoever had kept this key would know by now that it is void. */
  isVoid(key: string): boolean {
    return this.news.some((one) => ('covered' in one ? !one.covered : one.changed === key));
  }

  forget(): void {
    this.news.length = 0;
  }
}

async function tracked(client: CacheClient, prefix?: string): Promise<Told> {
  const told = new Told(client, prefix);
  await until(() => told.covered, { what: 'changes are told' });
  return told;
}

const isVoid = (told: Told, key: string): Promise<unknown> =>
  until(() => told.isVoid(key), { what: 'the change is told, or that some are not', interval: 2 });

describeWithServers('news of changed keys', () => {
  const stops: (() => Promise<unknown>)[] = [];

  /** Stopped after the test, in reverse order. */
  function kept<T>(started: T, stop: (started: T) => Promise<unknown>): T {
    stops.push(() => stop(started));
    return started;
  }

  afterEach(async () => {
    await closeClients();
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('says that everything is void after FLUSHALL and FLUSHDB, and goes on', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const told = await tracked(await openClient({ host: server.host, port: server.port }));
    for (const command of ['FLUSHALL', 'FLUSHDB']) {
      told.forget();
      await server.command('SET', 'a', '1');
      await server.command(command);
      await until(() => told.coverage.length === 2, { what: 'the flush is told' });
      expect(told.coverage).toEqual([false, true]);
    }
    await server.command('SET', 'b', '1');
    await until(() => told.isVoid('b'), { what: 'the next change is told' });
  });

  it('tells what the server evicts', async () => {
    const config = ['maxmemory-policy allkeys-random'];
    const server = kept(await startServer({ config }), (one) => one.stop());
    for (let index = 0; index < 100; index += 1) await server.command('SET', `k${index}`, 'x'.repeat(10_000));
    const told = await tracked(await openClient({ host: server.host, port: server.port }), 'k');
    const { used_memory: used } = await server.info('memory');
    await server.command('CONFIG', 'SET', 'maxmemory', String(Number(used) - 200_000));
    await until(() => told.news.length > 5, { what: 'evictions are told' });
    expect(told.coverage).toEqual([true]);
  });

  it('stops being complete at once when its connection is killed, and is again soon', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const client = await openClient({ host: server.host, port: server.port });
    const told = await tracked(client);
    told.forget();
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => told.covered, { what: 'changes are told again' });
    expect(told.coverage).toEqual([false, true]);
    await server.command('SET', 'a', '1');
    await until(() => told.isVoid('a') && told.news.length === 3, { what: 'the change is told' });
  });

  it('stops being complete when the server restarts', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const told = await tracked(await openClient({ host: server.host, port: server.port }));
    told.forget();
    await server.restart();
    await until(() => told.covered, { what: 'changes are told again' });
    expect(told.coverage[0]).toBe(false);
  });

  it('stops being complete soon after the server is frozen, although nothing else is asked of it', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const told = await tracked(await openClient({ host: server.host, port: server.port }));
    // One PING was answered: silence is what is noticed, not slowness at the start.
    await until(async () => (await pings(server)) > 1, { what: 'it has been asked whether it lives' });
    told.forget();
    const frozenAt = performance.now();
    server.pause();
    await until(() => told.coverage.length > 0, { what: 'the silence is noticed', interval: 2 });
    expect(performance.now() - frozenAt).toBeLessThan(NOTICED + SLACK);
    expect(told.coverage).toEqual([false]);
    server.resume();
    await until(() => told.covered, { what: 'changes are told again', timeout: 15_000 });
  }, 30_000);

  it('stops being complete when nothing gets through any more', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const proxy: FaultProxy = kept(await startFaultProxy(server), (one) => one.close());
    const told = await tracked(await openClient({ host: proxy.host, port: proxy.port }));
    told.forget();
    proxy.blackHole();
    await server.command('SET', 'a', '1');
    await until(() => told.coverage.length > 0, { what: 'the silence is noticed' });
    expect(told.news).toEqual([{ covered: false }]);
    proxy.heal();
    await until(() => told.covered, { what: 'changes are told again', timeout: 15_000 });
    // Anything that was held back belongs to a connection nobody listens to.
    expect(told.news.filter((one) => 'changed' in one)).toEqual([]);
  }, 30_000);

  it('has no connection before it is asked for and after the last has stopped', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const client = await openClient({ host: server.host, port: server.port });
    const connections = async (): Promise<number> => Number((await server.info('clients'))['tracking_clients']);
    expect(await connections()).toBe(0);
    const told = await Promise.all([tracked(client, 'a'), tracked(client, 'b')]);
    expect(await connections()).toBe(1);
    told[0].stop();
    expect(await connections()).toBe(1);
    told[1].stop();
    await until(async () => (await connections()) === 0, { what: 'the connection is closed' });
  });

  it('is never complete for a user who may not track, says why and does not hammer', async () => {
    const users = ['app on >secret ~* &* +@all -client|tracking'];
    const server = kept(await startServer({ users }), (one) => one.stop());
    const seen: ConnectionEvent[] = [];
    const stopListening = events.connection.subscribe((event) => {
      if (event.lane === 'tracking') seen.push(event);
    });
    const credentials = { username: 'app', password: 'secret' };
    const client = await openClient({ host: server.host, port: server.port, credentials });
    const startedAt = performance.now();
    const told = new Told(client);
    const refused = (): readonly ConnectionEvent[] => seen.filter(({ code }) => code !== undefined);
    await until(() => refused().length >= 8, { what: 'it was refused several times', timeout: 15_000 });
    // From 50 ms doubled with each attempt, at random from nothing to that: at once each time it would take 200.
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    expect(new Set(refused().map(({ code }) => code))).toEqual(new Set(['VALKEY_REPLY']));
    expect(told.news).toEqual([]);
    await client.set('a', '1');

    await server.command('ACL', 'SETUSER', 'app', '+client|tracking');
    await until(() => told.covered, { what: 'changes are told', timeout: 15_000 });
    stopListening();
  }, 30_000);

  it('of a cluster is complete only while all of its primaries are heard', async () => {
    const cluster = kept(await startCluster({ primaries: 3, replicas: 0 }), (one) => one.stop());
    const told = await tracked(await openClient({ mode: 'cluster', nodes: cluster.addrs }));
    for (const node of cluster.nodes) {
      told.forget();
      await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(() => told.covered, { what: 'changes are told again' });
      expect(told.coverage).toEqual([false, true]);
    }
    const [frozen] = cluster.nodes as [Server];
    told.forget();
    frozen.pause();
    await until(() => told.coverage.length > 0, { what: 'the silence is noticed' });
    expect(told.coverage).toEqual([false]);
    frozen.resume();
    await until(() => told.covered, { what: 'changes are told again', timeout: 15_000 });
  }, 40_000);

  it('follows a failover in a cluster, by agreement and by death', async () => {
    const cluster = kept(await startCluster({ primaries: 3, replicas: 1, nodeTimeout: 600 }), (one) => one.stop());
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, timeouts: { read: '10s', write: '10s' } });
    const key = `a${tagOf(0)}`;
    await client.set(key, '1');
    // The connection to the heir is open already: nothing but the redirection says that its role is another one.
    await client.with({ route: 'replica' }).get(key);
    const told = await tracked(client);
    const [old] = cluster.nodes as [Server];
    const [heir] = (await cluster.replicasOf(old)) as [Server];

    told.forget();
    await cluster.failover(heir);
    await heir.command('SET', key, '2');
    expect(await client.get(key)).toBe('2');
    expect(told.coverage[0]).toBe(false);
    await until(() => told.covered, { what: 'changes are told again', timeout: 15_000 });
    told.forget();
    await heir.command('SET', key, '3');
    await isVoid(told, key);

    await cluster.healthy();
    await until(() => told.covered || told.coverage.length === 0, { what: 'changes are told again' });
    told.forget();
    await heir.kill();
    await until(() => told.coverage.length > 0, { what: 'the loss is told' });
    expect(told.coverage).toEqual([false]);
    // Without any command of the client's.
    await until(() => told.covered, { what: 'changes are told again', timeout: 20_000 });
    told.forget();
    await old.command('SET', key, '4');
    await isVoid(told, key);
    expect(told.news).toEqual([{ changed: key }]);
  }, 60_000);

  it('follows the primary behind sentinels, by order and by death', async () => {
    const group = kept(await startSentinel({ replicas: 2, downAfter: 700 }), (one) => one.stop());
    const sentinel = { name: group.name, nodes: group.addrs };
    const client = await openClient({ mode: 'sentinel', sentinel, timeouts: { read: '10s', write: '10s' } });
    const told = await tracked(client);
    const change = async (primary: Server, value: string): Promise<void> => {
      await until(() => told.covered, { what: 'changes are told again', timeout: 15_000 });
      told.forget();
      await primary.command('SET', 'a', value);
      await until(() => told.news.length > 0, { what: 'the change is told' });
      expect(told.news).toEqual([{ changed: 'a' }]);
    };
    await change(await group.primary(), '1');

    told.forget();
    const second = await group.failover();
    await second.command('SET', 'a', '2');
    await until(async () => (await client.get('a')) === '2', { what: 'the client has moved', timeout: 15_000 });
    expect(told.coverage[0]).toBe(false);
    await change(second, '3');

    told.forget();
    await second.kill();
    await until(() => told.coverage.length > 0, { what: 'the loss is told' });
    expect(told.coverage).toEqual([false]);
    const third = await group.replaced(second);
    await change(third, '4');
  }, 60_000);

  it('says so before a node it has not heard of answers, which has taken a slot or is taking it', async () => {
    const cluster = kept(await startCluster({ primaries: 3, replicas: 0 }), (one) => one.stop());
    const owner = kept(await joined(cluster.nodes[0] as Server), (one) => one.stop());
    const taker = kept(await joined(cluster.nodes[0] as Server), (one) => one.stop());
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const other = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const [source, second] = cluster.nodes as [Server, Server];
    const [taken, going] = [`a${tagOf(0)}`, `a${tagOf(1)}`];
    await client.mset({ [taken]: '1', [going]: '1' });
    const told = await tracked(client);

    await cluster.migrateSlot(slotOf(taken), source, owner);
    told.forget();
    expect(await client.get(taken)).toBe('1');
    expect(told.coverage[0]).toBe(false);
    await owner.command('SET', taken, '2');
    await until(() => told.covered, { what: 'the new owner is heard' });
    told.forget();
    await owner.command('SET', taken, '3');
    await isVoid(told, taken);
    expect(told.news).toEqual([{ changed: taken }]);

    await cluster.openSlot(slotOf(going), second, taker);
    await cluster.moveKeys(slotOf(going), second, taker);
    told.forget();
    expect(await client.get(going)).toBe('1');
    expect(told.coverage[0]).toBe(false);
    await until(() => told.covered, { what: 'the node that takes the slot is heard' });
    told.forget();
    await other.set(going, '2');
    await isVoid(told, going);
    await cluster.closeSlot(slotOf(going), second, taker);
  }, 40_000);

  it('tells changes on the new owner of a slot that moves between known primaries', async () => {
    const cluster = kept(await startCluster({ primaries: 3, replicas: 0 }), (one) => one.stop());
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const key = `a${tagOf(0)}`;
    await client.set(key, '1');
    const told = await tracked(client);
    const [source, target] = cluster.nodes as [Server, Server];
    await cluster.migrateSlot(slotOf(key), source, target);
    await isVoid(told, key);
    expect(await client.get(key)).toBe('1');
    told.forget();
    await target.command('SET', key, '2');
    await isVoid(told, key);
    expect(client.nodeOf(key)).toBe(target.addr);
  }, 30_000);

  it('leaves nothing open when a client closes while it tries in vain', async () => {
    const server = kept(await startServer(), (one) => one.stop());
    const before = held();
    const client = await openClient({ host: server.host, port: server.port, timeouts: { dial: '5s' } });
    await tracked(client);
    let attempts = 0;
    const stopListening = events.connection.subscribe(({ lane, state }) => {
      if (lane === 'tracking' && state === 'connecting') attempts += 1;
    });
    server.pause();
    await until(() => attempts > 0, { what: 'it tries again' });
    stopListening();
    await client.close();
    await until(() => held() <= before, { what: 'no socket and no timer is left', timeout: 1_000 });
    server.resume();
    const connected = async (): Promise<number> => Number((await server.info('clients'))['connected_clients']);
    // The harness asks over a connection of its own.
    await until(async () => (await connected()) === 1, { what: 'nobody is connected' });
  }, 20_000);
});

/** How many sockets and timers keep this process alive. */
function held(): number {
  return hostProcess.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Timeout|Immediate)/.test(kind)).length;
}

async function pings(server: Server): Promise<number> {
  const stats = await server.info('commandstats');
  return Number(/calls=(\d+)/.exec(stats['cmdstat_ping'] ?? '')?.[1] ?? 0);
}

/** An empty primary of the cluster `member` belongs to. */
async function joined(member: Server): Promise<Server> {
  const newcomer = await startServer({ config: ['cluster-enabled yes', 'cluster-node-timeout 1000'] });
  await newcomer.command('CLUSTER', 'MEET', member.host, member.port);
  const known = async (): Promise<boolean> =>
    String(await member.command('CLUSTER', 'NODES')).includes(newcomer.addr) &&
    String(await newcomer.command('CLUSTER', 'INFO')).includes('cluster_state:ok');
  await until(known, { what: 'the newcomer is known' });
  return newcomer;
}
