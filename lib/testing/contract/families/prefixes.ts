import assert from 'node:assert/strict';
import { defineScript } from '../../../driver/script.js';
import { marked } from '../marked.js';
import type { AddTest, Trial } from '../trial.js';
import type { CacheClient } from '../../../client/cache-client.js';

/** Gives back the names of its keys as it sees them. */
const KEY_NAMES = defineScript({
  name: 'contract-keys',
  lua: 'return KEYS',
  readOnly: true,
  embedded: (_context, keys) => [...keys],
});

/** Two clients whose prefixes begin alike, and one that sees what is really stored. */
async function neighbours({ open, key }: Trial): Promise<{ user: CacheClient; users: CacheClient; all: CacheClient }> {
  const [user, users, all] = await Promise.all([open(key('user')), open(key('users')), open('')]);
  return { user, users, all };
}

async function collect(items: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const item of items) all.push(item);
  return all.toSorted();
}

export function prefixes(test: AddTest): void {
  test('[CMD-5] a key is stored under its prefix', async ({ client, key, keyPrefix, open }) => {
    const bare = await open('');
    assert.equal(client.keyPrefix, keyPrefix);
    await client.set(key(), marked('value'));
    assert.equal(await bare.get(keyPrefix + key()), marked('value'));
    await client.mset({ [key('a')]: 1, [key('b')]: 2 });
    assert.deepEqual(await bare.mget(keyPrefix + key('a'), keyPrefix + key('b')), ['1', '2']);
  });

  test('[CMD-5] two clients whose prefixes begin alike see nothing of each other', async (trial) => {
    const { user, users } = await neighbours(trial);
    await user.set(':1', marked('of user'));
    await users.set(':1', marked('of users'));
    assert.deepEqual([await user.get(':1'), await users.get(':1')], [marked('of user'), marked('of users')]);
    assert.equal(await user.del(':1'), 1);
    assert.equal(await users.get(':1'), marked('of users'));
    assert.deepEqual(await collect(users.scan()), [':1']);
  });

  test('[CMD-5] scan sees its own prefix only, and gives names without it', async (trial) => {
    const { user, users, all } = await neighbours(trial);
    await user.mset({ ':a': 1, ':b': 2 });
    await users.set(':c', 3);
    assert.deepEqual(await collect(user.scan({ match: ':*' })), [':a', ':b']);
    assert.deepEqual(await collect(users.scan()), [':c']);
    assert.deepEqual(await collect(all.scan({ match: `${trial.key('user')}*` })), [
      trial.key('user:a'),
      trial.key('user:b'),
      trial.key('users:c'),
    ]);
  });

  test('[CMD-5] glob characters in a prefix are literal', async ({ open, key }) => {
    const [globbed, similar] = await Promise.all([open(key('a[1]*?\\^-:')), open(key('a1xx:'))]);
    await globbed.mset({ one: 1, two: 2 });
    await similar.mset({ one: 3, three: 4 });
    assert.deepEqual(await collect(globbed.scan()), ['one', 'two']);
    assert.deepEqual(await collect(globbed.scan({ match: 'o*' })), ['one']);
    assert.deepEqual(await collect(similar.scan()), ['one', 'three']);
  });

  test('[CMD-5] channels and patterns of channels have the prefix too', async (trial) => {
    const { user, users, all } = await neighbours(trial);
    const [exact, pattern, outside] = await Promise.all([
      user.subscribe(':news'),
      user.psubscribe('*'),
      all.subscribe(trial.key('user:news')),
    ]);
    await users.publish(':news', marked('of users'));
    await user.publish(':news', marked('of user'));
    for (const subscription of [exact, pattern, outside]) {
      const { value } = await subscription.next();
      const isInside = subscription !== outside;
      // The pattern of `user` matches what `users` publishes: its prefix continues that of `user`.
      if (subscription === pattern && value?.text === marked('of users')) continue;
      assert.deepEqual([value?.channel, value?.text], [isInside ? ':news' : trial.key('user:news'), marked('of user')]);
    }
    await Promise.all([exact.close(), pattern.close(), outside.close()]);
  });

  test('[CMD-5] a pattern subscription under a prefix with glob characters is literal', async ({ open, key }) => {
    const [globbed, similar] = await Promise.all([open(key('a[1]*:')), open(key('a1x:'))]);
    const subscription = await globbed.psubscribe('n?ws');
    await similar.publish('news', marked('not this one'));
    await globbed.publish('news', marked('this one'));
    const { value } = await subscription.next();
    assert.deepEqual([value?.channel, value?.pattern, value?.text], ['news', 'n?ws', marked('this one')]);
    await subscription.close();
  });

  test('[CMD-5] keys in replies come without the prefix', async ({ client, key }) => {
    await client.rpush(key('list'), marked('a'), marked('b'));
    await client.zadd(key('zset'), { a: 1 });
    await client.xadd(key('stream'), { n: 1 }, { id: '1-0' });
    assert.equal((await client.blpop(key('list'), { timeout: 1_000 }))?.key, key('list'));
    assert.equal((await client.lmpop([key('list')], 'left'))?.key, key('list'));
    assert.equal((await client.bzpopmin(key('zset'), { timeout: 1_000 }))?.key, key('zset'));
    assert.equal((await client.xread({ [key('stream')]: '0' }))[0]?.stream, key('stream'));
  });

  test('[CMD-5] destinations and keys behind counts have the prefix', async ({ client, key, keyPrefix, open }) => {
    const bare = await open('');
    await client.sadd(key('a'), '1');
    await client.zadd(key('z'), { m: 1 });
    await client.sunionstore(key('to'), key('a'));
    await client.zunionstore(key('zto'), [key('z')]);
    await client.rename(key('a'), key('b'));
    await client.copy(key('b'), key('c'));
    for (const name of ['to', 'zto', 'b', 'c']) assert.equal(await bare.exists(keyPrefix + key(name)), 1, name);
    await client.xgroupCreate(key('s'), 'g', { create: true });
    assert.equal(await bare.exists(keyPrefix + key('s')), 1);
  });

  test('[CMD-5] keys of scripts have the prefix, in pipelines and transactions too', async (trial) => {
    const { client, key, keyPrefix } = trial;
    const expected = [keyPrefix + key('a'), keyPrefix + key('b')];
    assert.deepEqual(await client.run(KEY_NAMES, [key('a'), key('b')]), expected);
    assert.deepEqual(await client.pipeline((p) => [p.run(KEY_NAMES, [key('a'), key('b')])]), [expected]);
    assert.deepEqual(await client.transaction((t) => [t.run(KEY_NAMES, [key('a'), key('b')])]), [expected]);
  });

  test('[CMD-5] watched keys have the prefix', async ({ client, key, keyPrefix, open }) => {
    const bare = await open('');
    let attempts = 0;
    await client.transaction({ watch: [key()] }, async (t) => {
      attempts += 1;
      if (attempts === 1) await bare.set(keyPrefix + key(), marked('changed'));
      return [t.set(key('to'), 1)];
    });
    assert.equal(attempts, 2);
    assert.equal(await bare.get(keyPrefix + key('to')), '1');
  });

  test('[CMD-5] what reaches beyond the prefix is refused, except for a client without one', async (trial) => {
    const { user, all } = await neighbours(trial);
    for (const command of ['FLUSHDB', 'DBSIZE', 'RANDOMKEY', 'FLUSHALL']) {
      await assert.rejects(user.call(command), { code: 'VALKEY_UNSUPPORTED' });
    }
    assert.equal(typeof (await all.call('DBSIZE')), 'number');
  });

  test('[CMD-5] call applies the prefix to arguments and takes it off replies', async (trial) => {
    const { user, users, all } = await neighbours(trial);
    await users.set(':other', 1);
    await user.call('MSET', ':a', 1, ':b', 2);
    assert.equal(await all.get(trial.key('user:a')), '1');
    if (user.topology !== 'cluster')
      assert.deepEqual(((await user.call('KEYS', ':*')) as string[]).toSorted(), [':a', ':b']);
    assert.deepEqual(await user.call('LMPOP', 1, ':list', 'LEFT'), null);
    await user.rpush(':list', marked('x'));
    assert.deepEqual(await user.call('LMPOP', 1, ':list', 'LEFT'), [':list', [marked('x')]]);
  });
}
