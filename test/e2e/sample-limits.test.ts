import { setTimeout as pause } from 'node:timers/promises';
import { describeWithServers, startServer } from '../support/index.js';
import { killStorefronts, Storefront } from './storefront.js';
import { buildPackage } from './workbench.js';

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

beforeAll(buildPackage, 120_000);
afterEach(killStorefronts);

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describeWithServers('[RLM-1] the limits of the storefront', () => {
  it('[L4] gives 10 quotes in 10 s to an address, over all processes, and more after Retry-After', async () => {
    const server = await startServer();
    const variables = { VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) };
    const [first, second] = [await Storefront.start(variables), await Storefront.start(variables)];

    expect((await first.knock('/quotes', 6)).statuses).toEqual(times(6, 200));
    const { statuses, last } = await second.knock('/quotes', 5);

    expect(statuses).toEqual([...times(4, 200), 429]);
    expect(last.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(last.headers.get('ratelimit-policy')).toBe('"10-per-10s";q=10;w=10');
    expect(await last.json()).toMatchObject({ status: 429, 'violated-policies': ['10-per-10s'] });
    const seconds = Number(last.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    await pause(seconds * 1_000);
    expect((await second.knock('/quotes', 1)).statuses).toEqual([200]);
    await server.stop();
  });

  it('[L2] [RLM-2] gives 2 reports in 10 s on the free plan, and 25 on the other', async () => {
    const storefront = await Storefront.start();
    const free = await storefront.knock('/reports', 3);

    expect(free.statuses).toEqual([200, 200, 429]);
    expect(free.last.headers.get('ratelimit-policy')).toBe('"free-burst";q=5;w=10, "free";q=20;w=60');
    expect((await storefront.knock('/reports', 1, { 'x-plan': 'gold' })).statuses).toEqual([429]);
    const pro = await storefront.knock('/reports', 26, { 'x-plan': 'pro' });
    expect(pro.statuses).toEqual([...times(25, 200), 429]);
  });
});
