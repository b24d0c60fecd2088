import { apiKeyHash, ApiKeyCache, CacheService, PermissionCache, TokenBlacklist } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import {
  describeWithServers,
  type Server,
  startCluster,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import { closeClients, openClient } from './open-client.js';

const QUICK = { resilience: { timeout: 300 }, logLevel: 'silent' } as const;
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5lIn0.c2lnbmF0dXJl';
const KEY = 'ak_live_8c1f0e5b7d2a4936';

afterEach(closeClients);

/** A source of permissions that counts, and can be changed. */
function source(): { asked: number; permissions: readonly string[]; load: () => Promise<readonly string[]> } {
  const users = {
    asked: 0,
    permissions: ['orders:read'] as readonly string[],
    async load() {
      users.asked += 1;
      return users.permissions;
    },
  };
  return users;
}

function connectTo(server: Server): Promise<CacheClient> {
  return openClient({ host: server.host, port: server.port, ...QUICK });
}

describeWithServers('[ACC-1] access on a real server', () => {
  it('permissions evicted in one process are gone in the others, also where they were kept near', async () => {
    const server = await startServer();
    const users = source();
    const [here, there] = await Promise.all(
      ['here', 'there'].map(async () => {
        const caching = new CacheService(await connectTo(server));
        return { caching, permissions: new PermissionCache(caching.cache('permissions'), { load: users.load }) };
      }),
    );
    if (!here || !there) throw new Error('Two were opened.');
    // Until both hear of changes, nothing is kept near.
    await until(
      async () => {
        await Promise.all([here.permissions.of('anne'), there.permissions.of('anne')]);
        return here.caching.cache('permissions').near.entries + there.caching.cache('permissions').near.entries === 2;
      },
      { what: 'both keep the permissions near' },
    );
    const before = users.asked;

    users.permissions = [];
    await here.permissions.evict('anne');
    await until(async () => (await there.permissions.of('anne')).length === 0, { what: 'the other has heard of it' });

    expect(users.asked).toBe(before + 1);
    await server.stop();
  });

  it('nothing that is stored tells a token or a key', async () => {
    const server = await startServer();
    const client = await connectTo(server);
    const caching = new CacheService(client);
    const keys = new ApiKeyCache(caching.cache('api-keys'), { load: () => ({ owner: 'anne' }) });

    await new TokenBlacklist(client).add(TOKEN, { ttl: '1h' });
    await keys.find(KEY);
    await caching.idle();

    const names = (await server.command('KEYS', '*')) as string[];
    expect(names.some((name) => name.includes(apiKeyHash(KEY)))).toBe(true);
    const values = await Promise.all(names.map((name) => server.command('DUMP', name)));
    for (const text of [...names, ...values.map(String)]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(KEY);
    }
    await server.stop();
  });

  it('a listed token is known to every process, until it would have ended by itself', async () => {
    const server = await startServer();
    const [here, there] = await Promise.all([connectTo(server), connectTo(server)]);
    const [logout, guard] = [new TokenBlacklist(here), new TokenBlacklist(there)];

    await logout.add(TOKEN, { ttl: '400ms' });
    expect(await guard.has(TOKEN)).toBe(true);
    await until(async () => !(await guard.has(TOKEN)), { what: 'the token has ended' });
    expect(await server.command('DBSIZE')).toBe(0);
    await server.stop();
  });

  it('with the server killed permissions come from their source, and the blacklist rejects', async () => {
    const server = await startServer();
    const unhandled = watchUnhandled();
    const client = await connectTo(server);
    const [caching, blacklist, users] = [new CacheService(client), new TokenBlacklist(client), source()];
    const permissions = new PermissionCache(caching.cache('permissions'), { load: users.load });
    const keys = new ApiKeyCache(caching.cache('api-keys'), { load: (hash) => ({ hash }) });
    await blacklist.add(TOKEN, { ttl: '1h' });
    await permissions.of('anne');

    await server.kill();
    users.permissions = ['orders:write'];
    const answers = await Promise.allSettled([
      until(async () => permissions.allows('anne', 'orders:write'), { what: 'the source is asked' }),
      keys.find(KEY),
      blacklist.has(TOKEN),
      blacklist.has('never listed'),
      blacklist.hasMany(['a', 'b']),
      blacklist.add('another', { ttl: '1h' }),
      permissions.evict('anne'),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
    ]);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(String(answer.reason)).not.toContain(TOKEN);
    }
    await server.stop();
    expect(await unhandled.stop()).toEqual([]);
  });
});

describeWithServers('[ACC-1] access on a cluster', () => {
  it('many tokens are told in their order, though they lie on all nodes; not at all when one node is gone', async () => {
    const cluster = await startCluster({ replicas: 0 });
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, ...QUICK });
    const blacklist = new TokenBlacklist(client);
    const tokens = Array.from({ length: 60 }, (_, index) => `token-${index}`);
    const listed = tokens.filter((_, index) => index % 3 === 0);

    await Promise.all(listed.map((token) => blacklist.add(token, { ttl: '1h' })));
    expect(await blacklist.hasMany(tokens)).toEqual(tokens.map((_, index) => index % 3 === 0));
    const held = await Promise.all(cluster.nodes.map((node) => node.command('DBSIZE')));
    expect(held.every((count) => Number(count) > 0)).toBe(true);

    await cluster.nodes[0]?.kill();
    await expect(blacklist.hasMany(tokens)).rejects.toBeDefined();
    await cluster.stop();
  });
});
