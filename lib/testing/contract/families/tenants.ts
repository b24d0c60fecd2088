import assert from 'node:assert/strict';
import type { CacheClient } from '../../../client/cache-client.js';
import { defineScript } from '../../../driver/script.js';
import { marked } from '../marked.js';
import type { AddTest, Trial } from '../trial.js';
import { until } from '../until.js';

/** Gives back the names of its keys as it sees them. */
const KEY_NAMES = defineScript({
  name: 'contract-tenant-keys',
  lua: 'return KEYS',
  readOnly: true,
  embedded: (_context, keys) => [...keys],
});

/** Two tenants of this test, whose ids begin alike and are special in patterns. */
interface Tenants {
  readonly ids: readonly [string, string];
  readonly acme: CacheClient;
  readonly acmes: CacheClient;
  /** Sees what is really stored. */
  readonly bare: CacheClient;
  /** What the keys of `acme` really begin with. */
  readonly stored: string;
}

async function tenants({ client, key, keyPrefix, open }: Trial): Promise<Tenants> {
  const id = `${key('a*[me]-').replaceAll(/[:{}]/g, '.')}?`;
  const ids = [id, `${id}s`] as const;
  const stored = `${keyPrefix}tenant:{${id}}:`;
  return { ids, acme: client.forTenant(ids[0]), acmes: client.forTenant(ids[1]), bare: await open(''), stored };
}

async function collect(items: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const item of items) all.push(item);
  return all.toSorted();
}

export function tenancy(addTest: AddTest): void {
  const test = (title: string, body: (trial: Trial, tenants: Tenants) => Promise<void>): void =>
    addTest(`[TEN-1] ${title}`, async (trial) => body(trial, await tenants(trial)));

  test('keys of a tenant are stored under its id, behind the key prefix', async (_trial, {
    acme,
    ids,
    bare,
    stored,
  }) => {
    assert.equal(acme.tenant, ids[0]);
    await acme.set('cart', marked('value'));
    assert.equal(await bare.get(`${stored}cart`), marked('value'));
    await acme.mset({ a: 1, b: 2 });
    assert.deepEqual(await bare.mget(`${stored}a`, `${stored}b`), ['1', '2']);
  });

  test('tenants see nothing of each other', async (_trial, { acme, acmes }) => {
    await acme.mset({ cart: marked('of acme'), own: 1 });
    await acmes.set('cart', marked('of acmes'));
    assert.deepEqual([await acme.get('cart'), await acmes.get('cart')], [marked('of acme'), marked('of acmes')]);
    assert.deepEqual(await collect(acme.scan()), ['cart', 'own']);
    assert.deepEqual(await collect(acme.scan({ match: 'c*' })), ['cart']);
    assert.deepEqual(await collect(acmes.scan()), ['cart']);
    assert.equal(await acme.del('cart', 'own'), 2);
    assert.equal(await acmes.exists('cart', 'own'), 1);
  });

  test('a tenant lies in one slot: its keys go together in one command and one transaction', async (_trial, {
    acme,
  }) => {
    const names = ['one', 'two', 'three', 'four'];
    await acme.transaction((t) => names.map((name) => t.set(name, marked(name))));
    assert.deepEqual(await acme.mget(names), names.map(marked));
    assert.equal(await acme.msetnx({ one: 1, five: 5 }), false);
    assert.equal(new Set(names.map((name) => acme.nodeOf(name))).size, 1);
    await acme.rename('one', 'uno');
    assert.equal(await acme.exists(names), 3);
  });

  test('pipelines, watched keys and scripts are of the tenant', async (_trial, { acme, bare, stored }) => {
    assert.deepEqual(await acme.pipeline((p) => [p.set('n', 1), p.incr('n')]), ['OK', 2]);
    assert.equal(await bare.get(`${stored}n`), '2');
    let attempts = 0;
    await acme.transaction({ watch: ['n'] }, async (t) => {
      attempts += 1;
      if (attempts === 1) await bare.incr(`${stored}n`);
      return [t.set('seen', (await acme.get('n')) as string)];
    });
    assert.deepEqual([attempts, await acme.get('seen')], [2, '3']);
    const expected = [`${stored}a`, `${stored}b`];
    assert.deepEqual(await acme.run(KEY_NAMES, ['a', 'b']), expected);
    assert.deepEqual(await acme.pipeline((p) => [p.run(KEY_NAMES, ['a', 'b'])]), [expected]);
    assert.deepEqual(await acme.transaction((t) => [t.run(KEY_NAMES, ['a', 'b'])]), [expected]);
  });

  test('replies name keys without the tenant', async (_trial, { acme }) => {
    await acme.rpush('list', marked('a'), marked('b'));
    await acme.zadd('zset', { member: 1 });
    await acme.hset('hash', 'field', marked('value'));
    await acme.xadd('stream', { n: 1 }, { id: '1-0' });
    assert.equal((await acme.lmpop(['list'], 'left'))?.key, 'list');
    assert.equal((await acme.blpop('list', { timeout: 1_000 }))?.key, 'list');
    assert.equal((await acme.xread({ stream: '0' }))[0]?.stream, 'stream');
    for await (const { member } of acme.zscan('zset')) assert.equal(member, 'member');
    for await (const [field] of acme.hscan('hash')) assert.equal(field, 'field');
  });

  test('call is of the tenant, and refuses what reaches beyond it', async (_trial, { acme, acmes, bare, stored }) => {
    await acmes.set('other', 1);
    await acme.call('MSET', 'a', 1, 'b', 2);
    assert.equal(await bare.get(`${stored}a`), '1');
    await acme.rpush('list', marked('x'));
    assert.deepEqual(await acme.call('LMPOP', 1, 'list', 'LEFT'), ['list', [marked('x')]]);
    if (acme.topology !== 'cluster')
      assert.deepEqual(((await acme.call('KEYS', '*')) as string[]).toSorted(), ['a', 'b']);
    for (const command of ['FLUSHDB', 'DBSIZE', 'RANDOMKEY', 'FLUSHALL']) {
      await assert.rejects(acme.call(command), { code: 'VALKEY_UNSUPPORTED' });
    }
  });

  test('channels and patterns of channels are of the tenant', async (trial, { acme, acmes, ids }) => {
    const [exact, pattern, outside] = await Promise.all([
      acme.subscribe('news'),
      acme.psubscribe('n?ws'),
      trial.client.subscribe(`tenant:{${ids[0]}}:news`),
    ]);
    await acmes.publish('news', marked('of acmes'));
    await acme.publish('news', marked('of acme'));
    for (const subscription of [exact, pattern, outside]) {
      const { value } = await subscription.next();
      const channel = subscription === outside ? `tenant:{${ids[0]}}:news` : 'news';
      assert.deepEqual([value?.channel, value?.text], [channel, marked('of acme')]);
    }
    await Promise.all([exact.close(), pattern.close(), outside.close()]);
  });

  test('subscriptions of a tenant end with the client', async (trial, { ids }) => {
    const closed = await trial.open();
    const subscription = await closed.forTenant(ids[0]).subscribe('news');
    const next = subscription.next();
    await closed.close();
    assert.equal((await next).done, true);
  });

  test('changes are told of the tenant only', async ({ capabilities }, { acme, acmes }) => {
    if (!capabilities.tracking) return;
    const [keys, covered]: [string[], boolean[]] = [[], []];
    const stop = acme.track('p:', { changed: (key) => keys.push(key), covered: (is) => covered.push(is) });
    await until('changes are told', () => covered.at(-1) === true);
    await acmes.set('p:elsewhere', marked('value'));
    await acme.set('p:a', marked('value'));
    await until('the change is told', () => keys.length > 0);
    assert.deepEqual(keys, ['p:a']);
    stop();
  });

  test('a scope holds for the tenant too', async ({ client, key }, { acme, ids }) => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const scoped of [acme.with({ signal }), client.with({ signal }).forTenant(ids[0])]) {
      await assert.rejects(scoped.set(key(), 1), (error) => error === reason);
      assert.equal(scoped.tenant, ids[0]);
    }
  });

  test('ids that would reach into keys of others are refused, and a tenant has no tenants', async ({ client }, {
    acme,
  }) => {
    for (const id of ['', 'a:b', 'a{b', 'a}b', 'a\nb', '\ud800', 'x'.repeat(129), 7, null, undefined]) {
      assert.throws(() => client.forTenant(id as string), { code: 'VALKEY_ARGUMENT_INVALID' }, String(id));
    }
    assert.throws(() => acme.forTenant('b'), { code: 'VALKEY_ARGUMENT_INVALID' });
    assert.throws(() => client.forTenant(), { code: 'VALKEY_ARGUMENT_INVALID' });
  });
}
