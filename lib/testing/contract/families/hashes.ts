import assert from 'node:assert/strict';
import { refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function hashes(test: AddTest): void {
  test('[CMD-2] hset writes fields one by one and many at once, and counts the new ones', async ({ client, key }) => {
    assert.equal(await client.hset(key(), 'a', 1), 1);
    assert.equal(await client.hset(key(), { a: 2, b: 3 }), 1);
    assert.equal(await client.hset(key(), new Map([['c', 4]])), 1);
    assert.equal(await client.hset(key(), [['d', 'five']]), 1);
    assert.deepEqual({ ...(await client.hgetall(key())) }, { a: '2', b: '3', c: '4', d: 'five' });
  });

  test('[CMD-2] hget and hmget read fields, null where there is none', async ({ client, key }) => {
    await client.hset(key(), { a: '1', b: '' });
    assert.equal(await client.hget(key(), 'a'), '1');
    assert.equal(await client.hget(key(), 'missing'), null);
    assert.equal(await client.hget(key('missing'), 'a'), null);
    assert.deepEqual(await client.hmget(key(), 'b', 'missing', 'a'), ['', null, '1']);
    assert.deepEqual(await client.hmget(key('missing'), ['a', 'b']), [null, null]);
  });

  test('[CMD-2] hgetall of nothing is empty, and any name can be a field', async ({ client, key }) => {
    assert.deepEqual({ ...(await client.hgetall(key('missing'))) }, {});
    await client.hset(key(), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['', 'c'],
    ]);
    const fields = new Map(Object.entries(await client.hgetall(key())));
    assert.deepEqual([fields.get('__proto__'), fields.get('constructor'), fields.get('')], ['a', 'b', 'c']);
    assert.equal(fields.size, 3);
  });

  test('[CMD-2] hgetBuffer gives bytes', async ({ client, key }) => {
    await client.hset(key(), 'field', Buffer.from([0, 255]));
    assert.deepEqual(await client.hgetBuffer(key(), 'field'), Buffer.from([0, 255]));
    assert.equal(await client.hgetBuffer(key(), 'missing'), null);
  });

  test('[CMD-2] hsetnx does not replace', async ({ client, key }) => {
    assert.equal(await client.hsetnx(key(), 'field', marked('first')), true);
    assert.equal(await client.hsetnx(key(), 'field', marked('second')), false);
    assert.equal(await client.hget(key(), 'field'), marked('first'));
  });

  test('[CMD-2] hdel removes fields, and the hash with the last one', async ({ client, key }) => {
    await client.hset(key(), { a: 1, b: 2, c: 3 });
    assert.equal(await client.hdel(key(), 'a', 'missing'), 1);
    assert.equal(await client.hdel(key(), ['b', 'c']), 2);
    assert.equal(await client.exists(key()), 0);
    assert.equal(await client.hdel(key(), 'a'), 0);
  });

  test('[CMD-2] hexists, hlen, hstrlen, hkeys and hvals tell about fields', async ({ client, key }) => {
    await client.hset(key(), { a: 'ü', b: 'two' });
    assert.equal(await client.hexists(key(), 'a'), true);
    assert.equal(await client.hexists(key(), 'c'), false);
    assert.equal(await client.hlen(key()), 2);
    assert.equal(await client.hlen(key('missing')), 0);
    assert.equal(await client.hstrlen(key(), 'a'), 2);
    assert.equal(await client.hstrlen(key(), 'c'), 0);
    assert.deepEqual((await client.hkeys(key())).toSorted(), ['a', 'b']);
    assert.deepEqual((await client.hvals(key())).toSorted(), ['two', 'ü']);
    assert.deepEqual(await client.hkeys(key('missing')), []);
  });

  test('[CMD-2] [CMD-8] hincrby counts, exactly beyond 2^53', async ({ client, key }) => {
    assert.equal(await client.hincrby(key(), 'n', 5), 5);
    assert.equal(await client.hincrby(key(), 'n', -7), -2);
    assert.equal(await client.hincrby(key(), 'n', 2n ** 60n), 2n ** 60n - 2n);
    await refusedBy(client.hincrby(key(), 'n', 2n ** 63n - 1n), 'ERR', /overflow/);
    await client.hset(key(), 'text', marked('x'));
    await refusedBy(client.hincrby(key(), 'text', 1), 'ERR', /hash value is not an integer/);
  });

  test('[CMD-2] hincrbyfloat adds fractions', async ({ client, key }) => {
    assert.equal(await client.hincrbyfloat(key(), 'n', 10.5), 10.5);
    assert.equal(await client.hincrbyfloat(key(), 'n', -0.1), 10.4);
    assert.equal(await client.hget(key(), 'n'), '10.4');
    await client.hset(key(), 'text', marked('x'));
    await refusedBy(client.hincrbyfloat(key(), 'text', 1), 'ERR', /hash value is not a float/);
  });

  test('[CMD-2] hrandfield gives different fields, or repeats them', async ({ client, key }) => {
    await client.hset(key(), { a: 1, b: 2, c: 3 });
    const one = await client.hrandfield(key());
    assert.ok(one !== null && ['a', 'b', 'c'].includes(one));
    assert.deepEqual((await client.hrandfield(key(), 10)).toSorted(), ['a', 'b', 'c']);
    assert.equal((await client.hrandfield(key(), -10)).length, 10);
    assert.equal(await client.hrandfield(key('missing')), null);
    assert.deepEqual(await client.hrandfield(key('missing'), 2), []);
  });

  test('[CMD-2] hrandfieldWithValues gives the values too', async ({ client, key }) => {
    await client.hset(key(), { a: 1, b: 2 });
    const pairs = await client.hrandfieldWithValues(key(), 5);
    assert.deepEqual(Object.fromEntries(pairs.map(({ field, value }) => [field, value])), { a: '1', b: '2' });
    assert.equal((await client.hrandfieldWithValues(key(), -5)).length, 5);
  });

  test('[CMD-2] a hash command refuses a key of another type', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await refusedBy(client.hset(key(), 'a', 1), 'WRONGTYPE');
    await refusedBy(client.hgetall(key()), 'WRONGTYPE');
    await refusedBy(client.hincrby(key(), 'a', 1), 'WRONGTYPE');
    assert.equal(await client.get(key()), marked('text'));
  });
}
