import { TlsError } from '../../lib/index.js';
import { resolveSettings } from '../../lib/index.js';
import {
  type Certificates,
  type Cluster,
  describeWithServers,
  leftovers,
  makeCertificates,
  type Server,
  startCluster,
  startServers,
} from '../support/index.js';
import { closeClients, ending, newClient, openClient, settingsOf } from './open-client.js';

describeWithServers('TLS', () => {
  let certificates: Certificates;
  let good: Server;
  let strict: Server;
  let expired: Server;
  let wrongName: Server;
  let ca: string;

  beforeAll(async () => {
    certificates = makeCertificates();
    ca = certificates.ca.cert;
    [good, strict, expired, wrongName] = (await startServers([
      { tls: { certificates } },
      { tls: { certificates, verifyClients: true } },
      { tls: { certificates, identity: 'expired' } },
      { tls: { certificates, identity: 'wrongName' } },
    ])) as [Server, Server, Server, Server];
  });

  afterEach(closeClients);

  afterAll(async () => {
    await Promise.all([good, strict, expired, wrongName].map((server) => server.stop()));
    certificates.remove();
    expect(leftovers()).toEqual([]);
  });

  it.each(['ca', 'caFile', 'caBase64'] as const)('[CFG-7] trusts the authority given as %s', async (form) => {
    const authority = { ca, caFile: certificates.ca.certFile, caBase64: Buffer.from(ca).toString('base64') }[form];
    const client = await openClient({ port: good.port, tls: { [form]: authority } });

    expect(await client.set('a', '1')).toBe('OK');
  });

  it('[CFG-7] shows a client certificate where the server asks for one, on dedicated connections too', async () => {
    const { cert, key } = certificates.client;
    const client = await openClient({ port: strict.port, tls: { ca, cert, key } });
    await client.rpush('q', 'x');

    expect(JSON.stringify(await client.blpop('q', { timeout: '1s' }))).toContain('x');
    expect(JSON.stringify(await (await client.subscribe('c')).close())).toBe(undefined);
    expect(await ending(newClient({ port: strict.port, tls: { ca } }).connect())).toBeInstanceOf(TlsError);
  });

  it.each([
    ['an expired certificate', () => expired, 'CERT_HAS_EXPIRED'],
    ['a certificate for another name', () => wrongName, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('[CFG-7] [F10] fails fast on %s and says so', async (_, server, code) => {
    const startedAt = performance.now();
    const client = newClient({ port: server().port, tls: { ca } });
    const error = await ending(client.connect());

    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(error).toBeInstanceOf(TlsError);
    expect((error as TlsError).message).toContain(code);
    expect(await ending(client.get('a'))).toBeInstanceOf(TlsError);
  });

  it('[CFG-7] [F10] fails fast on an unknown authority', async () => {
    const stranger = await ending(newClient({ port: good.port, tls: true }).connect());

    expect(stranger).toBeInstanceOf(TlsError);
  });

  it('[CFG-7] expects the name that was given instead of the host', async () => {
    const client = await openClient({ port: wrongName.port, tls: { ca, serverName: 'elsewhere.example' } });

    expect(await client.ping()).toBe('PONG');
  });

  it('[CFG-7] verifies nothing when that is written out, and warns', async () => {
    const options = { port: expired.port, tls: { insecureSkipVerify: true } };

    expect(await (await openClient(options)).ping()).toBe('PONG');
    expect(resolveSettings(options, {}).warnings.join()).toContain('verification is off');
  });

  it('[CFG-7] speaks TLS 1.2 or newer, whatever Node was told', async () => {
    const client = await openClient({ port: good.port, tls: { ca } });
    const { stream } = client.native<{ stream: { getProtocol(): string } }>();

    expect(settingsOf({ tls: true }).tls?.minVersion).toBe('TLSv1.2');
    expect(['TLSv1.2', 'TLSv1.3']).toContain(stream.getProtocol());
  });

  it('[CFG-7] secures every node of a cluster', async () => {
    const cluster: Cluster = await startCluster({ primaries: 3, replicas: 0, server: { tls: { certificates } } });
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, tls: { ca } });
    const keys = Array.from({ length: 60 }, (_, index) => `key:${index}`);
    await client.mset(Object.fromEntries(keys.map((key) => [key, key])));

    expect(await client.mget(keys)).toEqual(keys);
    expect(await ending(newClient({ mode: 'cluster', nodes: cluster.addrs, tls: true }).connect())).toBeInstanceOf(
      Error,
    );
    await closeClients();
    await cluster.stop();
  });
});
