import { describeWithServers, startServer, until } from '../support/index.js';
import type { Server } from '../support/index.js';
import { killStorefronts, Storefront } from './storefront.js';
import { buildPackage } from './workbench.js';

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

const ORDER = { productId: '7', quantity: 2 };

beforeAll(buildPackage, 120_000);
afterEach(killStorefronts);

async function order(shop: Storefront, key: string | undefined, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
  return shop.request('/orders', { method: 'POST', headers, body: JSON.stringify(body) });
}

/** What somebody notices who orders. */
async function buy(shop: Storefront, other: Storefront): Promise<void> {
  const first = await order(shop, '"one"', ORDER);
  const { orderId } = (await first.json()) as { readonly orderId: string };
  expect([first.status, first.headers.get('location')]).toEqual([201, `/orders/${orderId}`]);
  expect(first.headers.get('idempotency-replayed')).toBeNull();

  const again = await order(other, 'one', { quantity: 2, productId: '7' });
  expect([again.status, again.headers.get('location'), await again.json()]).toEqual([
    201,
    `/orders/${orderId}`,
    { orderId },
  ]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');

  const statuses = [
    await order(shop, undefined, ORDER),
    await order(shop, 'one', { ...ORDER, quantity: 3 }),
    await order(shop, 'two', { ...ORDER, quantity: 'many' }),
    await order(shop, 'three', { ...ORDER, quantity: 0 }),
    await order(shop, 'four', []),
  ].map(({ status }) => status);
  expect(statuses).toEqual([400, 422, 400, 400, 400]);

  let keys = 0;
  const refused = await until(
    async () => {
      const key = `at-once-${(keys += 1)}`;
      const both = await Promise.all([order(shop, key, ORDER), order(other, key, ORDER)]);
      return both.find(({ status }) => status === 409);
    },
    { what: 'two meet' },
  );
  expect([refused.headers.get('retry-after'), refused.headers.get('content-type')]).toEqual([
    '1',
    expect.stringContaining('application/problem+json'),
  ]);
}

it('takes an order once, without a server', async () => {
  const shop = await Storefront.start();
  await buy(shop, shop);
});

describeWithServers('two storefronts', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  it('take an order once, and none while their server is away', async () => {
    const variables = { VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) };
    const [shop, other] = await Promise.all([Storefront.start(variables), Storefront.start(variables)]);
    await buy(shop, other);

    server.pause();
    const refused = await order(shop, 'six', ORDER);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    server.resume();
  });
});
