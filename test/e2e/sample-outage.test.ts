import { type Server, describeWithServers, startServer, until } from '../support/index.js';
import { entryOf, killStorefronts, Storefront } from './storefront.js';
import { buildPackage } from './workbench.js';

/** Milliseconds a shopper may wait, whatever becomes of the cache. */
const PATIENCE = 1_000;

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

beforeAll(buildPackage, 120_000);
afterEach(killStorefronts);

/** How long a product took; it has to be the right one. */
async function buy(shopfront: Storefront, id: string): Promise<number> {
  const startedAt = performance.now();
  const answer = await shopfront.get(`/products/${id}`);
  const took = performance.now() - startedAt;
  expect(answer).toEqual({ status: 200, body: { id, name: `Product ${id}`, price: 100 } });
  return took;
}

/** How the cache is, for terminus. */
async function readiness(shopfront: Storefront): Promise<unknown> {
  const { status, body } = await shopfront.get('/health/ready');
  return { http: status, cache: (body as { details: { cache: { status: string } } }).details.cache.status };
}

/** A figure of the metrics page, by the beginning of its line. */
async function figure(shopfront: Storefront, sample: string): Promise<number> {
  const line = (await shopfront.text('/metrics')).split('\n').find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? NaN);
}

describe('the storefront without a server', () => {
  it('is ready, and shows its metrics', async () => {
    const shopfront = await Storefront.start();

    await buy(shopfront, '7');
    await buy(shopfront, '7');

    expect(await readiness(shopfront)).toEqual({ http: 200, cache: 'up' });
    expect(
      await figure(shopfront, 'valkey_command_duration_seconds_count{client="default",command="EVALSHA"}'),
    ).toBeGreaterThan(0);
    expect(await figure(shopfront, 'valkey_nodes_connected{client="default",role="primary"}')).toBe(1);
  });
});

describeWithServers('[HLT-3] the storefront in an outage', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });

  afterEach(() => server.stop());

  const open = async (): Promise<Storefront> => {
    const shopfront = await Storefront.start({ VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) });
    await buy(shopfront, '1');
    expect(await readiness(shopfront)).toEqual({ http: 200, cache: 'up' });
    return shopfront;
  };

  it.each([
    ['frozen', (): unknown => server.pause()],
    ['gone', (): unknown => server.kill()],
  ])('goes on selling, each product within a second, with its server %s', async (_how, harm) => {
    const shopfront = await open();
    await harm();

    const took: number[] = [];
    for (let id = 1; id <= 8; id += 1) took.push(await buy(shopfront, String(id)));

    expect(Math.max(...took)).toBeLessThan(PATIENCE);
    // The circuit has opened: nobody waits for the cache any more.
    expect(took.at(-1)).toBeLessThan(250);
    expect(await readiness(shopfront)).toEqual({ http: 200, cache: 'degraded' });
    expect((await shopfront.get('/health/live')).status).toBe(200);
    expect(
      await figure(
        shopfront,
        'valkey_breaker_transitions_total{client="default",route="' + server.addr + '",state="open"}',
      ),
    ).toBeGreaterThan(0);
  });

  it('finds its cache again after the server has thawed', async () => {
    const shopfront = await open();
    server.pause();
    for (let id = 1; id <= 4; id += 1) await buy(shopfront, String(id));
    server.resume();

    const isBack = async (): Promise<boolean> =>
      JSON.stringify(await readiness(shopfront)) === JSON.stringify({ http: 200, cache: 'up' });
    await until(isBack, { what: 'the storefront finds its cache', timeout: 20_000, interval: 100 });
    await buy(shopfront, '99');
    const isKept = async (): Promise<boolean> => (await server.command('EXISTS', entryOf('99'))) === 1;
    await until(isKept, { what: 'the server holds the product' });
  });
});
