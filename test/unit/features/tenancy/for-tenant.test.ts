import {
  currentTenant,
  createClient,
  resolveSettings,
  runAsTenant,
  stripTenant,
  tenantKey,
  tenantPattern,
} from '../../../../lib/index.js';
import type { CacheClient, CommandCall, Interceptor } from '../../../../lib/index.js';
import { createTestClient, recordingClient } from '../../../../lib/testing/index.js';

const open: CacheClient[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

async function testClient(keyPrefix = ''): Promise<CacheClient> {
  const { client } = await createTestClient({ keyPrefix });
  open.push(client);
  return client;
}

/** A client in process with an interceptor around its commands. */
async function intercepted(interceptor: Interceptor): Promise<CacheClient> {
  const { settings } = resolveSettings({ mode: 'embedded', keyPrefix: 'shop:' }, {});
  const client = createClient(settings, { interceptors: [interceptor] });
  open.push(client);
  await client.connect();
  return client;
}

describe('[TEN-1] the current tenant', () => {
  it('is that of runAsTenant, across awaits and nested ones, and nobody elsewhere', async () => {
    expect(currentTenant()).toBeUndefined();
    const seen = await runAsTenant('acme', async () => {
      const first = currentTenant();
      await new Promise((resolve) => setImmediate(resolve));
      const inner = await runAsTenant('globex', async () => currentTenant());
      return [first, inner, currentTenant()];
    });
    expect(seen).toEqual(['acme', 'globex', 'acme']);
    expect(currentTenant()).toBeUndefined();
  });

  it('is not mixed up by those that run at the same time', async () => {
    const client = await testClient();
    const ids = Array.from({ length: 50 }, (_, index) => `tenant-${index}`);
    await Promise.all(
      ids.map((id) =>
        runAsTenant(id, async () => {
          await client.forTenant().set('name', id);
          expect(currentTenant()).toBe(id);
          expect(await client.forTenant().get('name')).toBe(id);
        }),
      ),
    );
    expect(await client.mget(ids.map((id) => tenantKey(id, 'name')))).toEqual(ids);
  });

  it('is whose client forTenant() gives, and without one says what to do', async () => {
    const client = await testClient();
    expect(runAsTenant('acme', () => client.forTenant().tenant)).toBe('acme');
    expect(runAsTenant('acme', () => client.forTenant('globex').tenant)).toBe('globex');
    expect(client.tenant).toBeUndefined();
    expect(() => client.forTenant()).toThrow('There is no current tenant. Name one');
  });

  it('never stands in for an id that is undefined by mistake', async () => {
    const client = await testClient();
    const lost = undefined as unknown as string;
    expect(() => runAsTenant('acme', () => client.forTenant(lost))).toThrow('of type undefined');
    expect(() => runAsTenant(lost, () => 1)).toThrow('of type undefined');
  });
});

describe('[TEN-1] the id of a tenant', () => {
  it.each(['a', 'Acme & Söhne', '0'.repeat(128), 'a*[b]?', '\u{1F600}'])('may be %p', async (id) => {
    const client = await testClient();
    expect(client.forTenant(id).tenant).toBe(id);
    expect(stripTenant(tenantKey(id, 'cart'))).toBe('cart');
  });

  it.each(['', 'a:b', '{a', 'a}', 'a\r\nb', '\u0000', '\u007f', '\udc00', '0'.repeat(129), null, 7, {}])(
    'may not be %p',
    async (id) => {
      const client = await testClient();
      const invalid = expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID', subject: 'tenant' }) as Error;
      for (const attempt of [
        () => client.forTenant(id as string),
        () => tenantKey(id as string, 'cart'),
        () => tenantPattern(id as string),
        () => runAsTenant(id as string, () => 1),
      ]) {
        expect(attempt).toThrow(invalid);
      }
    },
  );

  it('is not repeated in the error, whatever it is', () => {
    expect(() => tenantKey('s3cret:1', 'cart')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') as string }) as Error,
    );
  });
});

describe('[TEN-1] whole names', () => {
  it('are made, matched and stripped', async () => {
    const client = await testClient('shop:');
    await client.forTenant('a*-[b]').mset({ 'cart:1': 1, 'cart:2': 2, list: 3 });
    await client.forTenant('axx-b').set('cart:1', 1);
    const found: string[] = [];
    for await (const key of client.scan({ match: tenantPattern('a*-[b]', 'cart:*') })) found.push(key);
    expect(found.toSorted()).toEqual(['tenant:{a*-[b]}:cart:1', 'tenant:{a*-[b]}:cart:2']);
    expect(found.map(stripTenant).toSorted()).toEqual(['cart:1', 'cart:2']);
    expect(tenantPattern('acme')).toBe('tenant:{acme}:*');
  });

  it.each(['cart', 'tenant:{}:cart', 'tenant:acme:cart', 'x:tenant:{acme}:cart', 'tenant:{a:b}:cart'])(
    'of nobody are left as they are: %s',
    (name) => {
      expect(stripTenant(name)).toBe(name);
    },
  );

  it('are stripped once: what a tenant calls its keys is its own', () => {
    expect(stripTenant('tenant:{acme}:tenant:{globex}:cart')).toBe('tenant:{globex}:cart');
  });
});

describe('[TEN-1] what stands around commands', () => {
  it('sees the keys of tenants apart, so that an interceptor that remembers cannot mix them up', async () => {
    const remembered = new Map<string, unknown>();
    const client = await intercepted({
      async intercept(call, next) {
        if (call.command !== 'GET') return next(call);
        const name = String(call.args[0]);
        if (!remembered.has(name)) remembered.set(name, await next(call));
        return remembered.get(name) as string;
      },
    });
    await client.forTenant('acme').set('cart', 'of acme');
    await client.forTenant('globex').set('cart', 'of globex');
    for (let times = 0; times < 2; times += 1) {
      expect(await client.forTenant('acme').get('cart')).toBe('of acme');
      expect(await client.forTenant('globex').get('cart')).toBe('of globex');
    }
    expect([...remembered.keys()]).toEqual(['tenant:{acme}:cart', 'tenant:{globex}:cart']);
  });

  it('hooks see the same of commands, pipelines and scans', async () => {
    const seen: CommandCall[] = [];
    const client = await intercepted({ afterCommand: (call) => void seen.push(call) });
    const acme = client.forTenant('acme');
    await acme.pipeline((p) => [p.set('a', 1), p.get('b')]);
    for await (const key of acme.scan({ match: 'a*' })) expect(key).toBe('a');
    const keys = seen
      .filter(({ command }) => command !== 'ROLE')
      .map(({ args }) => String(args[args[0] === '0' ? 2 : 0]));
    expect(keys).toEqual(['tenant:{acme}:a', 'tenant:{acme}:b', 'tenant:{acme}:a*']);
  });

  it('rejects, and does not throw, what cannot be prefixed', async () => {
    const client = await testClient();
    const acme = client.forTenant('a*b');
    await acme.rpush('list', 1);
    await expect(acme.call('SORT', 'list', 'BY', 'w_*')).rejects.toMatchObject({ code: 'VALKEY_UNSUPPORTED' });
  });

  it('is of one client: what is under way, its state and its end', async () => {
    const { client, recording } = await recordingClient();
    open.push(client);
    const acme = client.forTenant('acme');
    recording.hang('GET', { times: 1 });
    const hanging = acme.get('cart');
    hanging.catch(() => undefined);
    expect([client.underWay, acme.underWay]).toEqual([1, 1]);
    expect([acme.name, acme.topology, acme.nodes()]).toEqual([client.name, client.topology, client.nodes()]);
    expect((await acme.health()).state).toBe('ready');
    await client.close();
    await expect(acme.get('cart')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    await expect(acme.subscribe('news')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
  });
});
