import { existsSync } from 'node:fs';
import { TLSSocket } from 'node:tls';

import {
  type Certificates,
  type Cluster,
  type SentinelGroup,
  type Server,
  type ServerTls,
  connectTo,
  describeWithServers,
  leftovers,
  makeCertificates,
  startCluster,
  startSentinel,
  startServer,
} from '../../support/index.js';

describeWithServers('a single server', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });

  afterEach(async () => {
    await server.stop();
  });

  it('answers commands', async () => {
    await server.command('SET', 'greeting', 'hello');

    expect(await server.command('GET', 'greeting')).toBe('hello');
    expect(await server.command('MGET', 'greeting', 'missing')).toEqual(['hello', null]);
    expect(await server.command('STRLEN', 'greeting')).toBe(5);
  });

  it('rejects a command with the error the server gave', async () => {
    await server.command('SET', 'greeting', 'hello');

    await expect(server.command('INCR', 'greeting')).rejects.toMatchObject({ name: 'ReplyError', code: 'ERR' });
  });

  it('does not answer while it is paused and does again after', async () => {
    const connection = await connectTo({ port: server.port });
    server.pause();
    const answer = connection.send('PING');

    expect(server.state).toBe('paused');
    server.resume();
    expect(await answer).toBe('PONG');
    connection.close();
  });

  it('refuses connections once killed and is back on its port after a restart', async () => {
    const { port, pid } = server;
    await server.kill();

    await expect(connectTo({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await server.command('PING')).toBe('PONG');
  });

  it('restarts without having been killed', async () => {
    await server.restart();

    expect(await server.command('DBSIZE')).toBe(0);
  });

  it('speaks to loopback only', async () => {
    expect(await server.command('CONFIG', 'GET', 'bind')).toEqual(['bind', '127.0.0.1']);
  });

  it('keeps a log', () => {
    expect(server.log()).toContain('Ready to accept connections');
  });

  it('leaves neither process nor directory behind', async () => {
    const { pid, dir } = server;
    await server.stop();

    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(dir)).toBe(false);
    expect(leftovers()).toEqual([]);
  });
});

describeWithServers('a server with accounts', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer({ requirepass: 'hush', users: ['alice on >secret ~app:* +get +set'] });
  });

  afterAll(async () => {
    await server.stop();
  });

  it('asks the default user for the password', async () => {
    const stranger = await connectTo({ port: server.port });
    await expect(stranger.send('PING')).rejects.toMatchObject({ code: 'NOAUTH' });
    stranger.close();

    const known = await connectTo({ port: server.port, password: 'hush' });
    expect(await known.send('PING')).toBe('PONG');
    known.close();
  });

  it('lets an ACL user do what its rules say and no more', async () => {
    const alice = await connectTo({ port: server.port, user: 'alice', password: 'secret' });

    expect(await alice.send('SET', 'app:1', 'x')).toBe('OK');
    await expect(alice.send('SET', 'other', 'x')).rejects.toMatchObject({ code: 'NOPERM' });
    alice.close();
  });
});

describeWithServers('a server that will not start', () => {
  it('is reported with its own words', async () => {
    await expect(startServer({ config: ['no-such-setting yes'] })).rejects.toThrow('no-such-setting');
    expect(leftovers()).toEqual([]);
  });
});

describeWithServers('a server with TLS', () => {
  let certificates: Certificates;
  let servers: Server[] = [];
  const start = async (tls: Partial<ServerTls>) => {
    const server = await startServer({ tls: { certificates, ...tls } });
    servers.push(server);
    return server;
  };

  beforeAll(() => {
    certificates = makeCertificates();
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    servers = [];
  });

  afterAll(() => {
    certificates.remove();
    expect(leftovers()).toEqual([]);
  });

  it('shakes hands with who trusts its authority', async () => {
    const { port, url } = await start({});
    const connection = await connectTo({ host: 'localhost', port, tls: { ca: certificates.ca.cert } });

    expect(url).toMatch(/^rediss:/);
    expect((connection.socket as TLSSocket).authorized).toBe(true);
    expect(await connection.send('PING')).toBe('PONG');
    connection.close();
  });

  it('is refused by who does not', async () => {
    const { port } = await start({});

    await expect(connectTo({ port, tls: {} })).rejects.toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  });

  it('can show an expired certificate', async () => {
    const { port } = await start({ identity: 'expired' });

    await expect(connectTo({ port, tls: { ca: certificates.ca.cert } })).rejects.toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    });
  });

  it('can show a certificate for another name', async () => {
    const { port } = await start({ identity: 'wrongName' });

    await expect(connectTo({ port, tls: { ca: certificates.ca.cert } })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('can ask clients for a certificate', async () => {
    const { port } = await start({ verifyClients: true });
    const { ca, client } = certificates;

    const nobody = await connectTo({ port, tls: { ca: ca.cert } });
    await expect(nobody.send('PING')).rejects.toThrow();
    const somebody = await connectTo({ port, tls: { ca: ca.cert, cert: client.cert, key: client.key } });
    expect(await somebody.send('PING')).toBe('PONG');
    somebody.close();
  });

  it('can listen for plain connections beside', async () => {
    const { plainPort } = await start({ plain: true });
    const connection = await connectTo({ port: plainPort ?? 0 });

    expect(await connection.send('PING')).toBe('PONG');
    connection.close();
  });
});

describeWithServers('a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });

  afterAll(async () => {
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it('has three primaries with a replica each', async () => {
    const primaries = await cluster.primaries();
    const replicas = await Promise.all(primaries.map((primary) => cluster.replicasOf(primary)));

    expect(primaries).toEqual(cluster.nodes.slice(0, 3));
    expect(replicas.flat()).toEqual(cluster.nodes.slice(3));
    expect(cluster.addrs).toHaveLength(6);
  });

  it('knows the owner of a slot', async () => {
    const owner = await cluster.nodeOfSlot(12_182);

    expect(await owner.command('SET', 'foo', 'bar')).toBe('OK');
  });

  it('migrates a slot in steps, answering ASK and then MOVED', async () => {
    const [from, , to] = (await cluster.primaries()) as [Server, Server, Server];
    const slot = Number(await from.command('CLUSTER', 'KEYSLOT', '{b}'));
    await from.command('MSET', '{b}1', 'one', '{b}2', 'two');

    await cluster.openSlot(slot, from, to);
    expect(await cluster.moveKeys(slot, from, to, 1)).toBe(1);
    const answers = await Promise.allSettled([from.command('GET', '{b}1'), from.command('GET', '{b}2')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'ASK' } });

    expect(await cluster.moveKeys(slot, from, to)).toBe(1);
    await cluster.closeSlot(slot, from, to);
    await expect(from.command('GET', '{b}1')).rejects.toMatchObject({ code: 'MOVED' });
    expect(await cluster.nodeOfSlot(slot)).toBe(to);
  });

  it('promotes a replica, orderly and after a crash', async () => {
    const [first, second] = (await cluster.primaries()) as [Server, Server];
    const [replica] = (await cluster.replicasOf(first)) as [Server];
    await cluster.failover(replica);
    expect(await cluster.primaries()).toContain(replica);
    expect(await cluster.replicasOf(replica)).toEqual([first]);

    const [heir] = (await cluster.replicasOf(second)) as [Server];
    await second.kill();
    await cluster.failover(heir, 'TAKEOVER');
    expect(await cluster.primaries()).toContain(heir);
    await second.restart();
    await cluster.healthy();
    expect(await cluster.replicasOf(heir)).toEqual([second]);
  });
});

describeWithServers('a primary watched by sentinels', () => {
  let group: SentinelGroup;

  beforeAll(async () => {
    group = await startSentinel();
  });

  afterAll(async () => {
    await group.stop();
    expect(leftovers()).toEqual([]);
  });

  it('is known to every sentinel', async () => {
    const { port } = await group.primary();

    const names = await Promise.all(
      group.sentinels.map((sentinel) => sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group.name)),
    );
    expect(names).toEqual(group.sentinels.map(() => ['127.0.0.1', String(port)]));
  });

  it('gives way to a replica on request', async () => {
    const old = await group.primary();
    const primary = await group.failover();

    expect(primary).not.toBe(old);
    expect(await primary.command('SET', 'key', 'value')).toBe('OK');
    await expect(old.command('SET', 'key', 'value')).rejects.toMatchObject({ code: 'READONLY' });
  });

  it('is replaced after a crash', async () => {
    const old = await group.primary();
    await old.kill();

    expect(await group.replaced(old)).not.toBe(old);
  });
});
