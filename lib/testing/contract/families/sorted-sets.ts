import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function sortedSets(test: AddTest): void {
  test('[CMD-2] zadd takes lists, Maps and objects and counts what is new', async ({ client, key }) => {
    assert.equal(await client.zadd(key(), [{ member: marked('a'), score: 1 }]), 1);
    assert.equal(await client.zadd(key(), new Map([[marked('b'), 2]])), 1);
    assert.equal(await client.zadd(key(), { [marked('a')]: 5, c: 3 }), 1);
    assert.deepEqual(await client.zrange(key(), 0, -1), [marked('b'), 'c', marked('a')]);
    assert.equal(await client.zcard(key()), 3);
    assert.equal(await client.zcard(key('missing')), 0);
  });

  test('[CMD-2] zadd changes on conditions', async ({ client, key }) => {
    await client.zadd(key(), { a: 5 });
    assert.equal(await client.zadd(key(), { a: 1, b: 1 }, { nx: true }), 1);
    assert.equal(await client.zadd(key(), { a: 6, c: 1 }, { xx: true, changed: true }), 1);
    assert.equal(await client.zadd(key(), { a: 4, b: 9 }, { gt: true, changed: true }), 1);
    assert.equal(await client.zadd(key(), { a: 4, b: 10 }, { lt: true, changed: true }), 1);
    assert.deepEqual(await client.zmscore(key(), 'a', 'b', 'c'), [4, 9, null]);
    const both = { nx: true, gt: true } as unknown as { nx: true };
    await failsWith(client.zadd(key(), { a: 1 }, both), 'VALKEY_ARGUMENT_INVALID');
  });

  test('[CMD-2] scores keep fractions, extremes and infinities', async ({ client, key }) => {
    const scores = { low: -Infinity, tiny: 5e-324, half: 0.1, safe: 2 ** 53, huge: 1.7e308, high: Infinity };
    await client.zadd(key(), scores);
    assert.deepEqual(await client.zmscore(key(), Object.keys(scores)), Object.values(scores));
    assert.deepEqual(await client.zrange(key(), 0, -1), Object.keys(scores));
    assert.equal(await client.zscore(key(), marked('missing')), null);
  });

  test('[CMD-2] members of one score are in the order of their bytes', async ({ client, key }) => {
    await client.zadd(key(), { ü: 1, b: 1, B: 1, a: 1, '': 1, ab: 1 });
    assert.deepEqual(await client.zrange(key(), 0, -1), ['', 'B', 'a', 'ab', 'b', 'ü']);
  });

  test('[CMD-2] zincrby adds to a score', async ({ client, key }) => {
    assert.equal(await client.zincrby(key(), 1.5, marked('a')), 1.5);
    assert.equal(await client.zincrby(key(), -3, marked('a')), -1.5);
    await client.zadd(key(), { b: Infinity });
    await refusedBy(client.zincrby(key(), -Infinity, 'b'), 'ERR', /not a number/);
  });

  test('[CMD-2] zrem removes members, and the set with the last one', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2 });
    assert.equal(await client.zrem(key(), 'a', 'x'), 1);
    assert.equal(await client.zrem(key(), ['b']), 1);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-2] zrank and zrevrank count from either end', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3 });
    assert.equal(await client.zrank(key(), 'a'), 0);
    assert.equal(await client.zrank(key(), 'c'), 2);
    assert.equal(await client.zrevrank(key(), 'c'), 0);
    assert.equal(await client.zrank(key(), 'x'), null);
    assert.equal(await client.zrevrank(key('missing'), 'a'), null);
  });

  test('[CMD-2] zpopmin and zpopmax take from the ends', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3, d: 4, e: 5 });
    assert.deepEqual(await client.zpopmin(key()), { member: 'a', score: 1 });
    assert.deepEqual(await client.zpopmax(key()), { member: 'e', score: 5 });
    assert.deepEqual(await client.zpopmax(key(), 2), [
      { member: 'd', score: 4 },
      { member: 'c', score: 3 },
    ]);
    assert.deepEqual(await client.zpopmin(key(), 9), [{ member: 'b', score: 2 }]);
    assert.equal(await client.zpopmin(key()), null);
    assert.deepEqual(await client.zpopmax(key(), 2), []);
  });

  test('[CMD-2] zmpop takes from the first sorted set that has anything', async ({ client, key }) => {
    await client.zadd(key('b'), { x: 1, y: 2 });
    const sets = [key('a'), key('b')];
    assert.deepEqual(await client.zmpop(sets, 'max'), { key: key('b'), members: [{ member: 'y', score: 2 }] });
    assert.deepEqual(await client.zmpop(sets, 'min', { count: 3 }), {
      key: key('b'),
      members: [{ member: 'x', score: 1 }],
    });
    assert.equal(await client.zmpop(sets, 'min'), null);
  });

  test('[CMD-2] zrandmember leaves members where they are', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3 });
    assert.ok(['a', 'b', 'c'].includes((await client.zrandmember(key())) as string));
    assert.deepEqual((await client.zrandmember(key(), 9)).toSorted(), ['a', 'b', 'c']);
    assert.equal((await client.zrandmember(key(), -9)).length, 9);
    assert.equal(await client.zrandmember(key('missing')), null);
  });

  test('[CMD-2] a sorted set command refuses a key of another type', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await refusedBy(client.zadd(key(), { a: 1 }), 'WRONGTYPE');
    await refusedBy(client.zrange(key(), 0, -1), 'WRONGTYPE');
    await refusedBy(client.zunion([key('missing'), key()]), 'WRONGTYPE');
  });
}
