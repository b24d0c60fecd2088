import { events, RateLimiter } from '../../lib/index.js';
import type { CacheClient, Decision, Limit, RateLimiterOptions } from '../../lib/index.js';
import { keysOf } from '../unit/features/rate-limit/hostile.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';
import {
  describeWithServers,
  leftovers,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import type { FaultProxy, Server, UnhandledWatch } from '../support/index.js';

/** Milliseconds for one decision. */
const TIMEOUT = 250;
/** What a busy machine may add. */
const SLACK = 3_000;
const CALLS = 400;
const LIMIT: Limit = { limit: 1_000_000, window: '1h', algorithm: 'fixed-window' };
const [KEY = ''] = keysOf('s', [LIMIT]);

/** How a server can be gone, and come back. */
const ENDS: readonly (readonly [string, (site: Site) => Promise<void> | void, (site: Site) => Promise<void> | void])[] =
  [
    ['killed', ({ server }) => server.kill(), ({ server }) => server.restart()],
    ['frozen', ({ server }) => server.pause(), ({ server }) => server.resume()],
    ['behind a black hole', ({ proxy }) => proxy.blackHole(), ({ proxy }) => proxy.heal()],
  ];

interface Site {
  readonly server: Server;
  readonly proxy: FaultProxy;
}

describeWithServers('a limiter whose server is away', () => {
  let site: Site;
  let client: CacheClient;
  let watch: UnhandledWatch;
  const limiters = new Set<RateLimiter>();

  beforeEach(async () => {
    watch = watchUnhandled();
    const server = await startServer();
    site = { server, proxy: await startFaultProxy(server) };
    client = await openClient({
      host: site.proxy.host,
      port: site.proxy.port,
      resilience: { breaker: { failures: 5, halfOpenAfter: 200 } },
    });
  });
  afterEach(async () => {
    await Promise.all(Array.from(limiters, (limiter) => limiter.close()));
    limiters.clear();
    await closeClients();
    await site.proxy.close();
    await site.server.stop();
    expect(await watch.stop()).toEqual([]);
  });
  afterAll(() => expect(leftovers()).toEqual([]));

  function limiterFor(options: RateLimiterOptions): RateLimiter {
    const limiter = new RateLimiter(client, { timeout: TIMEOUT, ...options });
    limiters.add(limiter);
    return limiter;
  }

  /** So many calls at once: how each of them ended, and how long the slowest took. */
  async function wave(
    limiter: RateLimiter,
    times = CALLS,
  ): Promise<{ readonly ends: unknown[]; readonly took: number }> {
    const startedAt = performance.now();
    const ends = await Promise.all(Array.from({ length: times }, () => ending(limiter.consume('s', LIMIT))));
    return { ends, took: performance.now() - startedAt };
  }

  const counted = async (): Promise<number> => Number(await site.server.command('GET', KEY));
  const isBack = (limiter: RateLimiter): Promise<unknown> =>
    until(async () => ((await ending(limiter.consume('probe', LIMIT))) as Decision).by === 'store', {
      what: 'the store decides again',
    });

  const MODES = {
    local: (end: unknown) => ({ admitted: (end as Decision).admitted, by: (end as Decision).by }),
    open: (end: unknown) => ({ admitted: (end as Decision).admitted, by: (end as Decision).by }),
    closed: (end: unknown) => codeOf(end),
  };
  const EXPECTED = {
    local: { admitted: true, by: 'local' },
    open: { admitted: true, by: 'none' },
    closed: 'VALKEY_RATE_LIMIT_UNAVAILABLE',
  };

  describe.each(ENDS)('%s', (how, takeAway, bringBack) => {
    it.each(['local', 'open', 'closed'] as const)(
      '[L6] ends every call in time, works again without a restart, and repeats nothing later: %s',
      async (mode) => {
        const limiter = limiterFor({ onStoreDown: mode });
        expect(await limiter.consume('s', LIMIT)).toMatchObject({ admitted: true, by: 'store' });
        await takeAway(site);

        // Wave after wave costs no more than the first one: nothing piles up.
        const times: number[] = [];
        for (let turn = 0; turn < 6; turn += 1) {
          const { ends, took } = await wave(limiter);
          for (const end of ends) expect(MODES[mode](end)).toEqual(EXPECTED[mode]);
          times.push(took);
        }
        expect(Math.max(...times)).toBeLessThan(TIMEOUT + SLACK);

        await bringBack(site);
        await isBack(limiter);
        const late = await counted();
        // What was on its way to a frozen server is counted when it thaws, each call once.
        expect(late).toBeLessThanOrEqual(how === 'killed' ? 0 : 1 + CALLS * times.length);
        const { ends } = await wave(limiter, 50);
        expect(ends.map((end) => (end as Decision).by)).toEqual(Array(50).fill('store'));
        // Nothing came in between, nor comes now.
        await isBack(limiter);
        expect(await counted()).toBe(late + 50);
      },
      30_000,
    );
  });

  it('[L6] while it is frozen sends no more than the circuit lets through', async () => {
    const limiter = limiterFor({});
    await wave(limiter, 10);
    site.server.pause();
    const isOpen = (): boolean => client.circuits()[0]?.state === 'open';
    await until(async () => (await wave(limiter)) && isOpen(), { what: 'the circuit opens' });
    const { toServer } = site.proxy.bytes;
    for (let turn = 0; turn < 20; turn += 1) await wave(limiter);
    // 8,000 calls: probes of the circuit, each with a batch, and what a connection says at its beginning.
    expect(site.proxy.bytes.toServer - toServer).toBeLessThan(20_000);
    site.server.resume();
    await isBack(limiter);
  });

  it('[L6] keeps the limits in this process meanwhile, and blocks as well', async () => {
    const limiter = limiterFor({});
    await site.server.kill();
    const tiers: readonly Limit[] = [
      { limit: 5, window: '1h', algorithm: 'sliding-log' },
      { limit: 100, window: '2h', algorithm: 'token-bucket' },
    ];
    const many = await Promise.all(Array.from({ length: 50 }, () => limiter.consume('s', tiers)));
    expect(many.filter(({ admitted }) => admitted)).toHaveLength(5);
    expect(new Set(many.map(({ by }) => by))).toEqual(new Set(['local']));
    expect(many.at(-1)).toMatchObject({
      refusedBy: { name: '5-per-3600s' },
      tiers: [{ remaining: 0 }, { remaining: 95 }],
    });
    expect(many.at(-1)?.retryAfter).toBeGreaterThan(3_500_000);
    expect(await limiter.check('s', tiers)).toMatchObject({ admitted: false, by: 'local' });
    expect(await limiter.peek('s', tiers)).toMatchObject({
      admitted: true,
      by: 'local',
      tiers: [{ remaining: 0 }, {}],
    });
    expect((await limiter.consume('t', tiers)).admitted).toBe(true);
    const blocking: Limit = { limit: 1, window: 1, block: '1h' };
    await limiter.consume('blocked', blocking);
    await until(async () => !(await limiter.consume('blocked', blocking)).admitted, {
      what: 'it is refused',
      interval: 0,
    });
    const decision = await limiter.consume('blocked', blocking);
    expect(decision).toMatchObject({ admitted: false, by: 'local' });
    expect(decision.retryAfter).toBeGreaterThan(3_500_000);
  });

  it('[L6] does not carry what it refused itself over to the time after', async () => {
    const limiter = limiterFor({});
    const one: Limit = { limit: 1, window: '1h' };
    await site.server.kill();
    await limiter.consume('s', one);
    expect(await limiter.consume('s', one)).toMatchObject({ admitted: false, by: 'local' });
    await site.server.restart();
    await isBack(limiter);
    expect(await limiter.consume('s', one)).toMatchObject({ admitted: true, by: 'store' });
  });

  it('[L6] still refuses without asking those whom the store refused', async () => {
    const limiter = limiterFor({ onStoreDown: 'open' });
    const one: Limit = { limit: 1, window: '1h' };
    await limiter.consume('s', one);
    await limiter.consume('s', one);
    await site.server.kill();
    expect(await limiter.consume('s', one)).toMatchObject({ admitted: false, by: 'memory' });
    expect(await limiter.consume('t', one)).toMatchObject({ admitted: true, by: 'none' });
  });

  it('rejects what is done by hand, so that nobody believes it is done', async () => {
    const limiter = limiterFor({});
    await site.server.kill();
    for (const end of await Promise.all([limiter.refund('s', LIMIT), limiter.reset('s', LIMIT)].map(ending))) {
      expect(codeOf(end)).toMatch(/^VALKEY_/);
    }
  });

  it('[L6] says who decided, and why it was not the store', async () => {
    const seen: unknown[] = [];
    const stop = events.rateLimit.subscribe(({ outcome, by, code }) => void seen.push([outcome, by, typeof code]));
    const [local, open, closed] = (['local', 'open', 'closed'] as const).map((onStoreDown) =>
      limiterFor({ onStoreDown }),
    );
    await site.server.kill();
    for (const limiter of [local, open, closed]) {
      await ending((limiter as RateLimiter).consume('s', LIMIT));
      await ending((limiter as RateLimiter).check('s', LIMIT));
    }
    stop();
    expect(seen).toEqual([
      ['admitted', 'local', 'string'],
      ['admitted', 'none', 'string'],
      ['refused', 'none', 'string'],
    ]);
  });
});
