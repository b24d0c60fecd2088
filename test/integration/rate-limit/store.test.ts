import { RateLimiter } from '../../../lib/index.js';
import type { CacheClient, Limit } from '../../../lib/index.js';
import { callsOf } from '../../faults/shards.js';
import { ALGORITHMS } from '../../unit/features/rate-limit/arrivals.js';
import { keysOf } from '../../unit/features/rate-limit/hostile.js';
import { describeWithServers, leftovers, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { closeClients, codeOf, ending, openClient } from '../open-client.js';

const WINDOW = 60_000;

describeWithServers('a limiter on a server', () => {
  let server: Server;
  let client: CacheClient;
  let limiter: RateLimiter;

  beforeAll(async () => {
    server = await startServer();
  });
  beforeEach(async () => {
    await server.command('CONFIG', 'SET', 'maxmemory', 0);
    await server.command('FLUSHALL');
    client = await openClient({ host: server.host, port: server.port });
    limiter = new RateLimiter(client, { blockList: 0, onStoreDown: 'closed', timeout: '10s' });
  });
  afterEach(closeClients);
  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  const limitOf = (algorithm: (typeof ALGORITHMS)[number]): Limit => ({ limit: 10, window: WINDOW, algorithm });

  describe.each(ALGORITHMS)('%s', (algorithm) => {
    const limit = limitOf(algorithm);
    const used = async (): Promise<number> => 10 - ((await limiter.peek('s', limit)).tiers[0]?.remaining ?? NaN);

    it('[L7] counts the next call once after SCRIPT FLUSH, also each of many at once', async () => {
      await limiter.consume('s', limit);
      await server.command('SCRIPT', 'FLUSH');
      expect(await limiter.consume('s', limit)).toMatchObject({ admitted: true, by: 'store' });
      await server.command('SCRIPT', 'FLUSH');
      expect(await used()).toBe(2);
      await server.command('SCRIPT', 'FLUSH');
      const many = await Promise.all(Array.from({ length: 300 }, () => limiter.consume('s', limit)));
      expect(many.filter(({ admitted }) => admitted)).toHaveLength(8);
      await server.command('SCRIPT', 'FLUSH');
      await limiter.refund('s', limit, { cost: 3 });
      expect(await used()).toBe(7);
    });

    it('[L7] counts the next call once after a restart', async () => {
      await limiter.consume('s', limit, { cost: 10 });
      await server.restart();
      await until(() => client.status().state === 'ready', { what: 'the client is back' });
      expect(await limiter.consume('s', limit)).toMatchObject({ admitted: true, by: 'store' });
      expect(await used()).toBe(1);
    });

    it('[L7] does not try again after an error of the script', async () => {
      await limiter.consume('other', limit);
      await server.command('CONFIG', 'SET', 'maxmemory', 1);
      const before = await callsOf(server, 'evalsha');
      const end = await ending(limiter.consume('s', limit));
      expect(codeOf(end)).toBe('VALKEY_RATE_LIMIT_UNAVAILABLE');
      expect(codeOf((end as Error).cause)).toBe('VALKEY_OUT_OF_MEMORY');
      expect(await callsOf(server, 'evalsha')).toBe(before + 1);
      await server.command('CONFIG', 'SET', 'maxmemory', 0);
      expect(await used()).toBe(0);
    });

    it('[L3] writes nothing when it refuses or looks', async () => {
      await limiter.consume('s', limit, { cost: 8 });
      const [key = ''] = keysOf('s', [limit]);
      const before = await server.command('DUMP', key);
      const { master_repl_offset: at } = await server.info('replication');
      const dirty = async (): Promise<unknown> => (await server.info('persistence'))['rdb_changes_since_last_save'];
      const changes = await dirty();
      for (const cost of [3, 4, 10, 11, 0]) await limiter.consume('s', limit, { cost });
      await limiter.check('s', limit, { cost: 2 });
      await limiter.peek('s', limit);
      await limiter.consume('never seen', limit, { cost: 0 });
      expect(await dirty()).toBe(changes);
      expect((await server.info('replication'))['master_repl_offset']).toBe(at);
      expect(await server.command('DUMP', key)).toEqual(before);
      expect(await server.command('DBSIZE')).toBe(1);
    });

    it.each<[string, readonly (string | number)[]]>([
      ['a number', ['SET', '', '3']],
      ['text', ['SET', '', 'not ours']],
      ['its own form, full', ['SET', '', `${Date.now()} 10 10`]],
      ['its own form, in the future', ['SET', '', `${Date.now() + 3_600_000} 10 10`]],
      ['another form', ['SET', '', `599999 ${Date.now()}`]],
      ['a list', ['RPUSH', '', '0', 'x', '99999999999999999999']],
      ['a list of our own', ['RPUSH', '', ...Array.from({ length: 4 }, () => Date.now())]],
      ['a hash', ['HSET', '', 'a', 'b']],
      ['a set', ['SADD', '', 'a']],
    ])('[L9] heals a key without a ttl that holds %s', async (_title, [command = '', , ...words]) => {
      const [key = ''] = keysOf('s', [limit]);
      await server.command(command, key, ...words);
      const decision = await limiter.consume('s', limit);
      expect(decision.by).toBe('store');
      const ttl = Number(await server.command('PTTL', key));
      // What is full heals when its time is over, which its value says.
      if (decision.admitted || algorithm === 'fixed-window') expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(2 * WINDOW);
      expect(decision.retryAfter).toBeLessThanOrEqual(2 * WINDOW);
      expect(decision.tiers[0]?.remaining).toBeLessThanOrEqual(10);
      expect(decision.tiers[0]?.remaining).toBeGreaterThanOrEqual(0);
    });
  });

  it('[L9] gives every key a ttl, and none outlives its window by more than one window', async () => {
    const tiers: readonly Limit[] = ALGORITHMS.flatMap((algorithm): Limit[] => [
      // So long that no bucket is empty, and its key gone, before it has been looked at.
      { limit: 3, window: 600_000, algorithm, name: `short-${algorithm}` },
      { limit: 50, window: 900_000, algorithm, block: 90_000, name: `long-${algorithm}` },
    ]);
    const tight: Limit = { limit: 1, window: 30_000, block: 45_000, name: 'tight' };
    const calls = Array.from({ length: 2_000 }, (_, index) => limiter.consume(`s${index % 300}`, tiers));
    calls.push(...Array.from({ length: 100 }, (_, index) => limiter.consume(`t${index % 40}`, tight)));
    await Promise.all(calls);
    await Promise.all(Array.from({ length: 50 }, (_, index) => limiter.refund(`s${index}`, tiers, { cost: 2 })));
    const keys: string[] = [];
    for await (const key of client.scan()) keys.push(key);
    expect(keys.length).toBe(300 * 8 + 40 + 40);
    const longest = (key: string): number =>
      key.endsWith('!block') ? 90_000 : 2 * Number(/\}[fslb](\d+)/.exec(key)?.[1]);
    const ttls = await Promise.all(keys.map(async (key) => [key, Number(await ttlOf(key)), longest(key)] as const));
    expect(ttls.filter(([, ttl, most]) => !(ttl > 0 && ttl <= most))).toEqual([]);
  });

  it('is exact in the millisecond in which a window ends', async () => {
    const limit: Limit = { limit: 1, window: 3, algorithm: 'fixed-window' };
    const tally = { admitted: 0, refused: 0 };
    for (let turn = 0; turn < 3_000; turn += 1) {
      const { admitted, retryAfter, tiers } = await limiter.consume('s', limit);
      tally[admitted ? 'admitted' : 'refused'] += 1;
      expect([admitted, retryAfter === 0]).toEqual([admitted, admitted]);
      expect(tiers[0]?.remaining).toBe(0);
    }
    expect(tally.admitted).toBeGreaterThan(50);
    expect(tally.refused).toBeGreaterThan(50);
  });

  it('counts numbers of every size exactly', async () => {
    const most = 2 ** 40;
    const tiers: readonly Limit[] = [
      { limit: most, window: 2_000, algorithm: 'fixed-window' },
      { limit: most, window: 1_999 },
      { limit: most, window: 1_998, algorithm: 'token-bucket' },
      { limit: most, window: 1_997, algorithm: 'token-bucket', burst: most },
    ];
    const first = await limiter.consume('s', tiers, { cost: most - 1 });
    expect(first).toMatchObject({ admitted: true, by: 'store' });
    expect(first.tiers.slice(0, 2).map(({ remaining }) => remaining)).toEqual([1, 1]);
    expect((await limiter.consume('s', tiers, { cost: most })).admitted).toBe(false);
    const year: readonly Limit[] = ALGORITHMS.map((algorithm) => ({
      limit: 3,
      window: '366d',
      algorithm,
      name: algorithm,
    }));
    for (const remaining of [2, 1, 0]) {
      const { admitted, tiers: seen } = await limiter.consume('year', year);
      expect([admitted, ...seen.map((tier) => tier.remaining)]).toEqual([true, ...ALGORITHMS.map(() => remaining)]);
    }
    expect(await limiter.consume('year', year)).toMatchObject({ admitted: false, by: 'store' });
    for (const key of keysOf('year', year)) expect(Number(await ttlOf(key))).toBeGreaterThan(366 * 86_000_000);
  });

  it('logs ten thousand at once, and gives them back', async () => {
    const log: Limit = { limit: 10_000, window: '1h', algorithm: 'sliding-log' };
    const decision = await limiter.consume('s', log, { cost: 10_000 });
    expect(decision).toMatchObject({ admitted: true, tiers: [{ remaining: 0 }] });
    await limiter.refund('s', log, { cost: 4_000 });
    expect((await limiter.peek('s', log)).tiers[0]?.remaining).toBe(4_000);
  });

  const ttlOf = (key: string): Promise<unknown> => server.command('PTTL', key);
});
