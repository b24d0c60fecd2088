import { describeWithServers, freePort, startCluster, startSentinel, startServer, until } from '../support/index.js';
import { entryOf, killStorefronts, Storefront } from './storefront.js';
import { buildPackage } from './workbench.js';

/** Milliseconds within which an orderly end is over. */
const ENDED_WITHIN = 3_000;

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

beforeAll(buildPackage, 120_000);
afterEach(killStorefronts);

/** What a shopper notices, wherever the cache is. */
async function shop(shopfront: Storefront): Promise<void> {
  const product = { id: '7', name: 'Product 7', price: 100 };
  const answers = [await shopfront.get('/products/7'), await shopfront.get('/products/7')];
  expect(answers).toEqual([
    { status: 200, body: product },
    { status: 200, body: product },
  ]);
  expect((await shopfront.get('/stats')).body).toMatchObject({ loads: { products: 1 } });

  expect(await shopfront.put('/products/7', { price: 80 })).toBe(204);
  expect((await shopfront.get('/products/7')).body).toEqual({ ...product, price: 80 });
  expect((await shopfront.get('/stats')).body).toMatchObject({ loads: { products: 2 } });

  expect(await shopfront.put('/products/7', { price: 'free' })).toBe(400);
  expect((await shopfront.get('/products/7')).body).toEqual({ ...product, price: 80 });
}

async function expectOrderlyEnd(shopfront: Storefront): Promise<void> {
  const began = performance.now();
  expect(await shopfront.end()).toBe(0);
  expect(performance.now() - began).toBeLessThan(ENDED_WITHIN);
}

describe('the storefront without a server', () => {
  it('loads each product once, says where its data is, and ends on SIGTERM', async () => {
    const shopfront = await Storefront.start();

    await shop(shopfront);
    await expectOrderlyEnd(shopfront);

    expect(shopfront.log.match(/keeps its data in this process/g)).toHaveLength(1);
  });

  it('[LCK-1] ships an order once at a time: who comes meanwhile is told so', async () => {
    const shopfront = await Storefront.start();
    const answers = await Promise.all([1, 2].map(() => shopfront.request('/orders/7/ship', { method: 'POST' })));

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const shipped = answers.find(({ status }) => status === 200);
    expect(await shipped?.json()).toEqual({ orderId: '7', shipped: true });
    expect((await shopfront.request('/orders/7/ship', { method: 'POST' })).status).toBe(200);
  });

  it('does not start in production', async () => {
    await expect(Storefront.start({ NODE_ENV: 'production' })).rejects.toThrow('VALKEY_MODE=embedded');
  });
});

describeWithServers('the storefront with servers', () => {
  it('loads each product once on a single server, and ends on SIGTERM', async () => {
    const server = await startServer();
    const shopfront = await Storefront.start({ VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) });

    await shop(shopfront);
    expect(await server.command('EXISTS', entryOf('7'))).toBe(1);
    await expectOrderlyEnd(shopfront);
    await until(async () => (await server.info('clients'))['connected_clients'] === '1', {
      what: 'the server has no client left',
    });
    await server.stop();
  });

  it('[RES-6] starts without its server, and uses it once it is there', async () => {
    const port = await freePort();
    const shopfront = await Storefront.start({ VALKEY_HOST: '127.0.0.1', VALKEY_PORT: String(port) });
    expect((await shopfront.get('/products/1')).status).toBe(200);

    const server = await startServer({ port });
    const isCached = async (): Promise<boolean> => {
      await shopfront.get('/products/2');
      return (await server.command('EXISTS', entryOf('2'))) === 1;
    };
    await until(isCached, { what: 'the server holds a product', timeout: 15_000 });
    await expectOrderlyEnd(shopfront);
    await server.stop();
  });

  it('goes on selling when its server is killed, and ends on SIGTERM all the same', async () => {
    const server = await startServer();
    const shopfront = await Storefront.start({ VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) });
    await shopfront.get('/products/7');

    await server.kill();
    const began = performance.now();
    const answer = await shopfront.get('/products/7');
    const took = performance.now() - began;

    expect(answer).toEqual({ status: 200, body: { id: '7', name: 'Product 7', price: 100 } });
    expect(took).toBeLessThan(8_000);
    expect((await shopfront.get('/health/live')).status).toBe(200);
    await expectOrderlyEnd(shopfront);
    await server.stop();
  });

  it('loads each product once on a cluster, and ends on SIGTERM', async () => {
    const cluster = await startCluster({ replicas: 0 });
    const shopfront = await Storefront.start({ VALKEY_ADDRS: cluster.addrs.join(',') });

    await shop(shopfront);
    await expectOrderlyEnd(shopfront);
    const held = await Promise.all(cluster.nodes.map((node) => node.command('KEYS', 'cache:default:*')));
    await cluster.stop();

    expect(held.flat()).toEqual([entryOf('7')]);
  });

  it('loads each product once behind sentinels, and ends on SIGTERM', async () => {
    const group = await startSentinel({ replicas: 1 });
    const shopfront = await Storefront.start({
      VALKEY_SENTINEL_ADDRS: group.addrs.join(','),
      VALKEY_SENTINEL_MASTER_NAME: group.name,
    });

    await shop(shopfront);
    await expectOrderlyEnd(shopfront);
    const held = await (await group.primary()).command('EXISTS', entryOf('7'));
    await group.stop();

    expect(held).toBe(1);
  });
});
