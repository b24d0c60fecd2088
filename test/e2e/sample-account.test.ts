import { describeWithServers, startServer } from '../support/index.js';
import { killStorefronts, Storefront } from './storefront.js';
import { buildPackage } from './workbench.js';

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

beforeAll(buildPackage, 120_000);
afterEach(killStorefronts);

const bearer = (token: string): { readonly headers: Readonly<Record<string, string>> } => ({
  headers: { authorization: `Bearer ${token}` },
});

async function statusOfMe(storefront: Storefront, token: string): Promise<number> {
  return (await storefront.request('/me', bearer(token))).status;
}

async function logout(storefront: Storefront, token: string): Promise<number> {
  return (await storefront.request('/logout', { method: 'POST', ...bearer(token) })).status;
}

describe('[ACC-1] accounts of the storefront without a server', () => {
  it('tells who somebody is and may do, and asks for that once', async () => {
    const storefront = await Storefront.start();
    const permissions = ['orders:read', 'orders:write'];

    for (const token of ['anne.phone', 'anne.laptop']) {
      const answer = await storefront.request('/me', bearer(token));
      expect([answer.status, await answer.json()]).toEqual([200, { user: 'anne', permissions }]);
    }
    const owner = await storefront.request('/me', bearer('owner.phone'));

    expect(await owner.json()).toEqual({ user: 'owner', permissions: [...permissions, 'products:write'] });
    expect((await storefront.get('/stats')).body).toMatchObject({ loads: { permissions: 2 } });
  });

  it('turns away who has no token, and who has given it up', async () => {
    const storefront = await Storefront.start();

    expect((await storefront.request('/me')).status).toBe(401);
    for (const token of ['anne', '.phone', 'anne.', '']) expect(await statusOfMe(storefront, token)).toBe(401);
    expect(await logout(storefront, 'anne')).toBe(401);

    expect(await statusOfMe(storefront, 'anne.phone')).toBe(200);
    expect(await logout(storefront, 'anne.phone')).toBe(204);
    expect(await statusOfMe(storefront, 'anne.phone')).toBe(401);
    expect(await logout(storefront, 'anne.phone')).toBe(401);
    expect(await statusOfMe(storefront, 'anne.laptop')).toBe(200);
    expect(storefront.log).not.toContain('anne.phone');
  });
});

describeWithServers('[ACC-1] accounts of the storefront with a server', () => {
  it('a token given up in one process is turned away by the others; and nobody passes when that cannot be told', async () => {
    const server = await startServer();
    const variables = { VALKEY_HOST: server.host, VALKEY_PORT: String(server.port) };
    const [first, second] = [await Storefront.start(variables), await Storefront.start(variables)];
    expect(await statusOfMe(second, 'anne.phone')).toBe(200);

    expect(await logout(first, 'anne.phone')).toBe(204);
    expect(await statusOfMe(second, 'anne.phone')).toBe(401);
    const stored = (await server.command('KEYS', '*')) as string[];
    expect(stored.filter((key) => key.startsWith('token-blacklist:'))).toHaveLength(1);
    expect(stored.join()).not.toContain('phone');

    await server.kill();
    expect(await statusOfMe(second, 'anne.phone')).toBe(503);
    expect(await statusOfMe(second, 'anne.laptop')).toBe(503);
    expect(await logout(first, 'anne.laptop')).toBe(503);
    await server.stop();
  });
});
