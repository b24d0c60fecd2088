import { CacheService, LockService, tenantPattern } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import { type Cluster, describeWithServers, startCluster } from '../support/index.js';
import { closeClients, openClient } from './open-client.js';

let cluster: Cluster;
let client: CacheClient;

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all.toSorted();
}

describeWithServers('[TEN-1] tenants on a cluster', () => {
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 });
  }, 60_000);
  beforeEach(async () => {
    await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
    client = await openClient({ mode: 'cluster', nodes: cluster.addrs, keyPrefix: 'shop:', logLevel: 'silent' });
  });
  afterEach(closeClients);
  afterAll(() => cluster?.stop());

  it('each lies in one slot, and all of them on all nodes', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `tenant-${index}`);
    await Promise.all(ids.map((id) => client.forTenant(id).mset({ a: 1, b: 2, c: 3 })));

    const held = await Promise.all(cluster.nodes.map((node) => node.command('KEYS', '*') as Promise<string[]>));
    expect(held.flat()).toHaveLength(120);
    for (const names of held) expect(names.length).toBeGreaterThan(0);
    const nodesOf = (id: string): number =>
      held.filter((names) => names.some((name) => name.includes(`{${id}}`))).length;
    expect(ids.map(nodesOf)).toEqual(ids.map(() => 1));
    expect(held.flat()).toContain('shop:tenant:{tenant-0}:a');
  });

  it('what works within one slot only works for a tenant, and for nobody else', async () => {
    const acme = client.forTenant('acme');
    const names = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    await expect(client.transaction((t) => names.map((name) => t.set(name, 1)))).rejects.toMatchObject({
      code: 'VALKEY_CROSS_SLOT',
    });

    expect(await acme.transaction((t) => names.map((name) => t.set(name, 1)))).toEqual(names.map(() => 'OK'));
    expect(await acme.mget(names)).toEqual(names.map(() => '1'));
    expect(await acme.msetnx({ 'key-0': 2, new: 2 })).toBe(false);
    await acme.sadd('one', 'a', 'b');
    await acme.sadd('other', 'b', 'c');
    expect(await acme.sinter('one', 'other')).toEqual(['b']);
    expect(await acme.unlink(names)).toBe(20);
    await expect(client.sinter('one', 'other')).rejects.toMatchObject({ code: 'VALKEY_CROSS_SLOT' });
  });

  it('everything of one is found and removed, and nothing of another', async () => {
    const [acme, acme2] = [client.forTenant('acme'), client.forTenant('acme-2')];
    const names = Array.from({ length: 300 }, (_, index) => `key-${index}`);
    await Promise.all([
      acme.mset(Object.fromEntries(names.map((name) => [name, 1]))),
      acme2.mset({ 'key-0': 2, 'key-1': 2 }),
      client.set('key-0', 3),
    ]);

    expect(await collect(acme.scan())).toEqual(names.toSorted());
    expect(await collect(client.scan({ match: tenantPattern('acme-2') }))).toEqual([
      'tenant:{acme-2}:key-0',
      'tenant:{acme-2}:key-1',
    ]);
    for await (const name of acme.scan()) await acme.unlink(name);
    expect(await collect(acme.scan())).toEqual([]);
    expect(await acme2.mget('key-0', 'key-1')).toEqual(['2', '2']);
    expect(await client.get('key-0')).toBe('3');
  });

  it('caches and locks can be those of one tenant', async () => {
    const [acme, globex] = ['acme', 'globex'].map((id) => client.forTenant(id)) as [CacheClient, CacheClient];
    const cached = async (tenant: CacheClient, value: string): Promise<string> => {
      const caching = new CacheService(tenant);
      const found = await caching.getOrLoad('answer', () => value, { tags: ['all'] });
      await caching.idle();
      return found;
    };
    expect([await cached(acme, 'A'), await cached(globex, 'G'), await cached(acme, 'again')]).toEqual(['A', 'G', 'A']);
    await new CacheService(acme).invalidateTags('all');
    expect([await cached(acme, 'new'), await cached(globex, 'new')]).toEqual(['new', 'G']);

    const [one, other] = [new LockService(acme), new LockService(globex)];
    const held = await one.acquire(['stock', 'orders']);
    expect(await one.tryAcquire('stock')).toBeUndefined();
    const free = await other.tryAcquire('stock');
    expect(free).toBeDefined();
    await Promise.all([held.release(), free?.release()]);
    await Promise.all([one.close(), other.close()]);
  });
});
