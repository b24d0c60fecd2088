import { AuthenticationError, events } from '../../lib/index.js';
import {
  describeWithServers,
  leftovers,
  type Server,
  startCluster,
  startSentinel,
  startServer,
  until,
} from '../support/index.js';
import { tagOf } from '../faults/shards.js';
import { closeClients, ending, newClient, openClient } from './open-client.js';

describeWithServers('credentials', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer({ users: ['app on >first ~app:* &* +@all'] });
  });

  afterEach(async () => {
    await closeClients();
    await server.stop();
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it('[CFG-8] of an ACL user let in and bound, and refused ones are told without the secret', async () => {
    const client = await openClient({ port: server.port, credentials: { username: 'app', password: 'first' } });
    const refused = newClient({ port: server.port, credentials: { username: 'app', password: 's3cr3t' } });

    expect(await client.set('app:a', '1')).toBe('OK');
    expect(await ending(client.set('other', '1'))).toMatchObject({ code: 'VALKEY_REPLY', kind: 'NOPERM' });
    const error = await ending(refused.connect());
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(JSON.stringify(error) + String(error) + JSON.stringify((error as Error).cause)).not.toContain('s3cr3t');
  });

  it('[CFG-8] [F11] come anew from the provider at each connect: a killed connection comes back with the new secret', async () => {
    let password = 'first';
    let asked = 0;
    const provider = async (): Promise<{ username: string; password: string }> => {
      asked += 1;
      return { username: 'app', password };
    };
    const client = await openClient({ port: server.port, credentials: provider });
    const id = await client.call('CLIENT', 'ID');
    await server.command('ACL', 'SETUSER', 'app', 'resetpass', '>second');
    password = 'second';
    await server.command('CLIENT', 'KILL', 'ID', String(id));

    expect(await client.set('app:a', '1')).toBe('OK');
    expect(await client.call('CLIENT', 'ID')).not.toBe(id);
    expect(asked).toBe(2);
  });

  it('[CFG-8] [F11] that end are refreshed before on the live connection, which is not dropped', async () => {
    const given: string[] = [];
    const provider = () => {
      const password = given.length === 0 ? 'first' : 'second';
      given.push(password);
      return { username: 'app', password, expiresAt: Date.now() + (given.length === 1 ? 1_100 : 3_600_000) };
    };
    const client = await openClient({ port: server.port, credentials: provider, credentialRefresh: '500ms' });
    const id = await client.call('CLIENT', 'ID');
    await server.command('ACL', 'SETUSER', 'app', '>second');
    const auths = await authCalls(server);
    await until(async () => (await authCalls(server)) > auths + 1, { what: 'AUTH was sent again', interval: 50 });

    expect(given).toEqual(['first', 'second']);
    expect(await client.call('CLIENT', 'ID')).toBe(id);
    expect(await client.call('ACL', 'WHOAMI')).toBe('app');
  });

  it('[CFG-8] [F11] that are new but bad leave the old connection working', async () => {
    let asked = 0;
    const provider = () => {
      asked += 1;
      return { username: 'app', password: asked === 1 ? 'first' : 'bad', expiresAt: Date.now() + 1_100 };
    };
    const client = await openClient({ port: server.port, credentials: provider, credentialRefresh: '500ms' });
    const id = await client.call('CLIENT', 'ID');
    await until(async () => String(await server.command('ACL', 'LOG')).includes('auth'), { what: 'AUTH was refused' });

    expect(await client.set('app:a', '1')).toBe('OK');
    expect(await client.call('CLIENT', 'ID')).toBe(id);
  });

  it('[CFG-8] [F11] that are refused give nobody an answer to somebody else', async () => {
    let asked = 0;
    const provider = () => {
      asked += 1;
      return { username: 'app', password: asked === 1 ? 'first' : 'bad', expiresAt: Date.now() + 1_100 };
    };
    const client = await openClient({
      port: server.port,
      credentials: provider,
      credentialRefresh: '500ms',
      timeouts: { dial: '30s', read: '30s' },
    });
    const id = await client.call('CLIENT', 'ID');
    // What is written while it stands still, it reads at once: a server that owes an answer leaves a refused AUTH without one.
    server.pause();
    const before = client.call('ECHO', 'before');
    await until(() => asked === 2, { what: 'new credentials are there' });
    const after = client.call('ECHO', 'after');
    server.resume();

    expect(await Promise.all([before, after])).toEqual(['before', 'after']);
    await until(async () => String(await server.command('ACL', 'LOG')).includes('auth'), { what: 'AUTH was refused' });
    expect(await client.call('CLIENT', 'ID')).toBe(id);
  });

  it('[CFG-8] that are being tried out are let go of when the client closes', async () => {
    const states: string[] = [];
    const stop = events.connection.subscribe(({ lane, state }) => {
      if (lane === 'credentials') states.push(state);
    });
    const client = await openClient({
      port: server.port,
      credentials: () => ({ username: 'app', password: 'first', expiresAt: Date.now() + 1_100 }),
      credentialRefresh: '500ms',
      timeouts: { dial: '1m' },
    });
    server.pause();
    await until(() => states.length > 0, { what: 'new credentials are tried out' });
    await client.close();
    server.resume();
    stop();

    expect(states).toEqual(['connecting', 'closed']);
  });

  it('[CFG-8] a provider that fails, or never answers, is the reason connect() gives', async () => {
    const failing = newClient({
      port: server.port,
      credentials: () => Promise.reject(new Error('no token today')),
    });
    const silent = newClient({
      port: server.port,
      credentials: () => new Promise(() => undefined),
      timeouts: { dial: 100 },
    });

    const error = (await ending(failing.connect())) as Error;
    expect(String(error.cause)).toContain('no token today');
    expect(String(await ending(silent.connect()))).toContain('Check the credentials provider');
  });
});

describeWithServers('credentials behind sentinels', () => {
  it('[CFG-8] that are renewed reach the replicas as well', async () => {
    const group = await startSentinel({ replicas: 1, server: { users: ['app on >first ~* &* +@all'] } });
    const tried = new Set<string>();
    const stop = events.connection.subscribe(({ lane, state, address }) => {
      if (lane === 'credentials' && state === 'ready') tried.add(address);
    });
    const client = await openClient({
      mode: 'sentinel',
      sentinel: { name: group.name, nodes: group.addrs },
      credentials: () => ({ username: 'app', password: 'first', expiresAt: Date.now() + 1_100 }),
      credentialRefresh: '500ms',
    });
    const [replica] = group.replicas as readonly [Server];
    await client.with({ route: 'replica' }).get('k');
    await until(() => tried.has(replica.addr), { what: 'the replica is shown new credentials' });
    stop();

    await closeClients();
    await group.stop();
    expect(leftovers()).toEqual([]);
  });
});

describeWithServers('credentials of a cluster', () => {
  it('[CFG-8] [F11] that are renewed keep every connection alive, and a killed one comes back with them', async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 0, server: { users: ['app on >first ~* &* +@all'] } });
    let password = 'first';
    let given = 0;
    const provider = () => {
      given += 1;
      return { username: 'app', password, expiresAt: Date.now() + (password === 'first' ? 1_500 : 3_600_000) };
    };
    const nodes = cluster.addrs;
    const client = await openClient({ mode: 'cluster', nodes, credentials: provider, credentialRefresh: '500ms' });
    const keys = [0, 1, 2].map((index) => `${tagOf(index)}k`);
    await client.mset(Object.fromEntries(keys.map((key) => [key, key])));
    const before = await appConnections(cluster.nodes);
    const asked = given;
    await Promise.all(cluster.nodes.map((node) => node.command('ACL', 'SETUSER', 'app', '>second')));
    password = 'second';

    const isRenewed = async (): Promise<boolean> =>
      (await Promise.all(cluster.nodes.map(authCalls))).every((calls) => calls > 0);
    await until(isRenewed, { what: 'AUTH was sent again to all of them' });
    expect(given).toBeGreaterThan(asked);
    expect(await appConnections(cluster.nodes)).toEqual(before);

    await Promise.all(cluster.nodes.map((node) => node.command('ACL', 'SETUSER', 'app', '<first')));
    // Taking a password away disconnects nobody; killing does.
    await Promise.all(cluster.nodes.map((node) => node.command('CLIENT', 'KILL', 'USER', 'app')));
    expect(await client.mget(keys)).toEqual(keys);
    expect(await appConnections(cluster.nodes)).not.toEqual(before);
    await closeClients();
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });
});

/** The ids of the connections our client has, node by node. */
function appConnections(nodes: readonly Server[]): Promise<readonly string[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const lines = String(await node.command('CLIENT', 'LIST')).split('\n');
      const own = lines.filter((line) => line.includes('user=app'));
      return own.map((line) => /^id=(\d+)/.exec(line)?.[1]).join();
    }),
  );
}

/** How often AUTH was called; the harness's own calls included, one for each look. */
async function authCalls(server: Server): Promise<number> {
  const list = String(await server.command('CLIENT', 'LIST'));
  const app = list.split('\n').find((line) => line.includes('user=app')) ?? '';
  // The command a connection ran last.
  return /cmd=auth/.test(app) ? Number.MAX_SAFE_INTEGER : 0;
}
