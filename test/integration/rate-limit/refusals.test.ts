import { events, RateLimiter } from '../../../lib/index.js';
import type { CacheClient, Limit, RateLimitEvent } from '../../../lib/index.js';
import { callsOf } from '../../faults/shards.js';
import { describeWithServers, until } from '../../support/index.js';
import { behindProxy } from '../behind-proxy.js';
import { openClient } from '../open-client.js';

const LONG: Limit = { limit: 5, window: '1m', algorithm: 'sliding-log' };

describeWithServers('what a limiter remembers of those it refused', () => {
  const site = behindProxy();
  let client: CacheClient;
  let limiter: RateLimiter;

  beforeEach(async () => {
    client = await openClient(site.target);
    limiter = new RateLimiter(client, { onStoreDown: 'closed', timeout: '10s' });
  });

  /** How often a script of ours has run. */
  const asked = async (): Promise<number> =>
    (await callsOf(site.server, 'evalsha')) + (await callsOf(site.server, 'evalsha_ro'));

  async function exhaust(subject: string, limit = LONG, cost = 1): Promise<void> {
    const { admitted } = await limiter.consume(subject, limit, { cost: limit.limit });
    expect(admitted).toBe(true);
    expect(await limiter.consume(subject, limit, { cost })).toMatchObject({ admitted: false, by: 'store' });
  }

  it('answers without a round trip, and counts the time down', async () => {
    await exhaust('s');
    const before = await asked();
    let last = Infinity;
    for (let turn = 0; turn < 200; turn += 1) {
      const decision = await (turn % 2 === 0 ? limiter.consume('s', LONG) : limiter.check('s', LONG));
      expect(decision).toMatchObject({ admitted: false, by: 'memory', refusedBy: { name: '5-per-60s', limit: 5 } });
      expect(decision.tiers).toHaveLength(1);
      expect(decision.retryAfter).toBeLessThanOrEqual(last);
      expect(decision.retryAfter).toBeGreaterThan(30_000);
      last = decision.retryAfter as number;
    }
    expect(await asked()).toBe(before);
  });

  it('[L4] asks for what costs less than what was refused, or more, and to look', async () => {
    await limiter.consume('s', LONG, { cost: 3 });
    expect(await limiter.consume('s', LONG, { cost: 3 })).toMatchObject({ admitted: false, by: 'store' });
    expect(await limiter.consume('s', LONG, { cost: 3 })).toMatchObject({ admitted: false, by: 'memory' });
    expect(await limiter.peek('s', LONG)).toMatchObject({ admitted: true, by: 'store' });
    expect(await limiter.consume('s', LONG, { cost: 2 })).toMatchObject({ admitted: true, by: 'store' });
    // More has to wait for longer than what was told of less.
    expect(await limiter.consume('s', LONG, { cost: 1 })).toMatchObject({ admitted: false, by: 'store' });
    expect(await limiter.consume('s', LONG, { cost: 4 })).toMatchObject({ admitted: false, by: 'store' });
  });

  it('asks about another subject, name or limit', async () => {
    await exhaust('s');
    expect(await limiter.consume('t', LONG)).toMatchObject({ admitted: true, by: 'store' });
    expect(await limiter.consume('s', LONG, { name: 'other' })).toMatchObject({ admitted: true, by: 'store' });
    expect(await limiter.consume('s', { ...LONG, limit: 6 })).toMatchObject({ admitted: true, by: 'store' });
  });

  it('asks again when the time is over, and then admits', async () => {
    const short: Limit = { limit: 2, window: 400, algorithm: 'fixed-window' };
    await exhaust('s', short);
    const before = await asked();
    const seen: string[] = [];
    await until(
      async () => {
        const { admitted, by } = await limiter.consume('s', short);
        seen.push(by);
        return admitted;
      },
      { what: 'the subject is admitted again', interval: 1 },
    );
    // Those who come in the last millisecond may be asked about.
    expect((await asked()) - before).toBeLessThanOrEqual(4);
    expect(seen.filter((by) => by === 'memory').length).toBeGreaterThan(5);
    expect(seen.at(-1)).toBe('store');
  });

  it('keeps to a block that is longer than the window', async () => {
    const blocking: Limit = { limit: 1, window: 50, block: '1h' };
    await exhaust('s', blocking);
    await until(async () => (await limiter.peek('s', blocking)).tiers[0]?.remaining === 1, { what: 'there is room' });
    const decision = await limiter.consume('s', blocking);
    expect(decision).toMatchObject({ admitted: false, by: 'memory' });
    expect(decision.retryAfter).toBeGreaterThan(3_500_000);
    // Another process, which remembers nothing, is told the same.
    const other = new RateLimiter(await openClient(site.target), { onStoreDown: 'closed', timeout: '10s' });
    expect(await other.consume('s', blocking)).toMatchObject({ admitted: false, by: 'store' });
  });

  it.each(['refund', 'reset'] as const)('forgets at a %s', async (what) => {
    await exhaust('s');
    await limiter[what]('s', LONG);
    expect(await limiter.consume('s', LONG)).toMatchObject({ admitted: true, by: 'store' });
  });

  it.each(['refund', 'reset'] as const)('forgets what was refused while a %s was on its way', async (what) => {
    await limiter.consume('s', LONG, { cost: 5 });
    site.proxy.delay(50);
    const refused = limiter.consume('s', LONG);
    await new Promise(setImmediate);
    await Promise.all([limiter[what]('s', LONG), refused]);
    site.proxy.heal();
    expect(await refused).toMatchObject({ admitted: false, by: 'store' });
    expect(await limiter.consume('s', LONG)).toMatchObject({ admitted: true, by: 'store' });
  });

  it('of no more subjects than it is told, and of none with 0', async () => {
    limiter = new RateLimiter(client, { blockList: 2, onStoreDown: 'closed' });
    for (const subject of ['a', 'b', 'c']) await exhaust(subject);
    expect(await limiter.consume('b', LONG)).toMatchObject({ by: 'memory' });
    expect(await limiter.consume('c', LONG)).toMatchObject({ by: 'memory' });
    expect(await limiter.consume('a', LONG)).toMatchObject({ admitted: false, by: 'store' });
    limiter = new RateLimiter(client, { blockList: 0, onStoreDown: 'closed' });
    await exhaust('d');
    expect(await limiter.consume('d', LONG)).toMatchObject({ admitted: false, by: 'store' });
  });

  it('tells of each decision, and of no look', async () => {
    const seen: RateLimitEvent[] = [];
    const stop = events.rateLimit.subscribe((event) => void seen.push(event));
    await exhaust('s');
    await limiter.consume('s', LONG);
    await limiter.check('s', LONG);
    await limiter.peek('s', LONG);
    await limiter.consume('s', LONG, { cost: 99 });
    stop();
    expect(seen.map(({ outcome, by, tier, limit }) => [outcome, by, tier, limit])).toEqual([
      ['admitted', 'store', undefined, 'default'],
      ['refused', 'store', '5-per-60s', 'default'],
      ['refused', 'memory', '5-per-60s', 'default'],
      ['refused', 'memory', '5-per-60s', 'default'],
    ]);
    expect(JSON.stringify(seen)).not.toContain('{:s');
  });
});
