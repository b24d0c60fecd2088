import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function keys(test: AddTest): void {
  test('[CMD-1] del and unlink remove keys and count them', async ({ client, key }) => {
    await client.mset({ [key('a')]: 1, [key('b')]: 2, [key('c')]: 3 });
    assert.equal(await client.del(key('a')), 1);
    assert.equal(await client.del(key('a')), 0);
    assert.equal(await client.unlink(key('b'), key('c'), key('missing')), 2);
    assert.equal(await client.exists(key('a'), key('b'), key('c')), 0);
  });

  test('[CMD-1] exists counts a key as often as it is named', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.exists(key()), 1);
    assert.equal(await client.exists([key(), key(), key('missing')]), 2);
  });

  test('[CMD-1] touch counts the keys that exist', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.touch(key(), key('missing')), 1);
    assert.equal(await client.get(key()), marked('value'));
  });

  test('[CMD-1] type tells what a key holds', async ({ client, key }) => {
    await client.set(key('string'), marked('value'));
    await client.rpush(key('list'), marked('element'));
    await client.sadd(key('set'), marked('member'));
    await client.zadd(key('zset'), { member: 1 });
    await client.hset(key('hash'), 'field', marked('value'));
    await client.xadd(key('stream'), { field: marked('value') });
    for (const type of ['string', 'list', 'set', 'zset', 'hash', 'stream']) {
      assert.equal(await client.type(key(type)), type);
    }
    assert.equal(await client.type(key('missing')), 'none');
  });

  test('[CMD-1] rename takes value and time to live along and replaces', async ({ client, key }) => {
    await client.set(key('old'), marked('value'), { ttl: '1m' });
    await client.set(key('new'), marked('replaced'));
    assert.equal(await client.rename(key('old'), key('new')), 'OK');
    assert.equal(await client.exists(key('old')), 0);
    assert.equal(await client.get(key('new')), marked('value'));
    assert.ok(((await client.ttl(key('new'))) as number) > 0);
    await refusedBy(client.rename(key('old'), key('new')), 'ERR', /no such key/);
  });

  test('[CMD-1] renamenx does not replace', async ({ client, key }) => {
    await client.mset({ [key('old')]: marked('value'), [key('taken')]: marked('other') });
    assert.equal(await client.renamenx(key('old'), key('taken')), false);
    assert.equal(await client.get(key('taken')), marked('other'));
    assert.equal(await client.renamenx(key('old'), key('free')), true);
    assert.equal(await client.get(key('free')), marked('value'));
  });

  test('[CMD-1] copy makes a key of its own', async ({ client, key }) => {
    await client.rpush(key('source'), marked('a'), marked('b'));
    assert.equal(await client.copy(key('source'), key('copy')), true);
    await client.rpush(key('source'), marked('c'));
    assert.deepEqual(await client.lrange(key('copy'), 0, -1), [marked('a'), marked('b')]);
    assert.equal(await client.copy(key('source'), key('copy')), false);
    assert.equal(await client.copy(key('source'), key('copy'), { replace: true }), true);
    assert.deepEqual(await client.lrange(key('copy'), 0, -1), [marked('a'), marked('b'), marked('c')]);
    assert.equal(await client.copy(key('missing'), key('nowhere')), false);
  });

  test('[CMD-8] empty input is answered without a trip', async ({ client, key }) => {
    await client.set(key('kept'), marked('value'));
    const before = client.underWay;
    const answers = [
      client.del(),
      client.unlink([]),
      client.exists(),
      client.touch([]),
      client.mget([]),
      client.mgetBuffer(),
      client.mgetJson(),
      client.mset({}),
      client.msetnx([]),
      client.hset(key(), {}),
      client.hmget(key()),
      client.hdel(key(), []),
      client.sadd(key()),
      client.srem(key(), []),
      client.smismember(key()),
      client.sinter(),
      client.zadd(key(), []),
      client.zrem(key()),
      client.zmscore(key()),
      client.zinter([]),
      client.xdel(key()),
      client.xack(key(), 'group'),
      client.xread({}),
      client.lmpop([], 'left'),
      client.blpop([], { timeout: 0 }),
    ];
    assert.equal(client.underWay, before);
    assert.deepEqual(await Promise.all(answers), [
      0,
      0,
      0,
      0,
      [],
      [],
      [],
      'OK',
      true,
      0,
      [],
      0,
      0,
      0,
      [],
      [],
      0,
      0,
      [],
      [],
      0,
      0,
      [],
      null,
      null,
    ]);
    assert.equal(await client.get(key('kept')), marked('value'));
  });

  test('[CMD-8] a pipeline and a transaction of nothing are answered without a trip', async ({ client }) => {
    const before = client.underWay;
    const results = [client.pipeline(() => []), client.transaction(() => []), client.pipeline().exec()];
    assert.equal(client.underWay, before);
    assert.deepEqual(await Promise.all(results), [[], [], []]);
  });

  test('[CMD-8] storing the combination of nothing is refused', async ({ client, key }) => {
    await client.sadd(key(), marked('kept'));
    await failsWith(client.sinterstore(key()), 'VALKEY_ARGUMENT_INVALID');
    await failsWith(client.zunionstore(key(), []), 'VALKEY_ARGUMENT_INVALID');
    assert.deepEqual(await client.smembers(key()), [marked('kept')]);
  });
}
