import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function sortedSetRanges(test: AddTest): void {
  test('[CMD-2] zrange by rank goes both ways', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3, d: 4 });
    assert.deepEqual(await client.zrange(key(), 1, 2), ['b', 'c']);
    assert.deepEqual(await client.zrange(key(), -2, -1), ['c', 'd']);
    assert.deepEqual(await client.zrange(key(), 0, 1, { reverse: true }), ['d', 'c']);
    assert.deepEqual(await client.zrange(key(), 3, 1), []);
    assert.deepEqual(await client.zrange(key(), 0, 0, { withScores: true }), [{ member: 'a', score: 1 }]);
    assert.deepEqual(await client.zrange(key('missing'), 0, -1), []);
  });

  test('[CMD-2] zrange by score knows open ends, infinities and limits', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3, d: 4 });
    assert.deepEqual(await client.zrange(key(), 2, 3, { by: 'score' }), ['b', 'c']);
    assert.deepEqual(await client.zrange(key(), '(2', '+inf', { by: 'score' }), ['c', 'd']);
    assert.deepEqual(await client.zrange(key(), -Infinity, Infinity, { by: 'score', limit: { offset: 1, count: 2 } }), [
      'b',
      'c',
    ]);
    assert.deepEqual(await client.zrange(key(), 3, '(1', { by: 'score', reverse: true, withScores: true }), [
      { member: 'c', score: 3 },
      { member: 'b', score: 2 },
    ]);
    await refusedBy(client.zrange(key(), 'x', 1, { by: 'score' }), 'ERR', /min or max is not a float/);
  });

  test('[CMD-2] zrange by name knows open ends and limits', async ({ client, key }) => {
    await client.zadd(key(), { a: 0, b: 0, c: 0, d: 0 });
    assert.deepEqual(await client.zrange(key(), '[b', '(d', { by: 'lex' }), ['b', 'c']);
    assert.deepEqual(
      await client.zrange(key(), '+', '-', { by: 'lex', reverse: true, limit: { offset: 1, count: 2 } }),
      ['c', 'b'],
    );
    await refusedBy(client.zrange(key(), 'b', 'd', { by: 'lex' }), 'ERR', /not valid string range/);
    await failsWith(client.zrange(key(), 0, 1, { limit: { offset: 0, count: 1 } }), 'VALKEY_ARGUMENT_INVALID');
  });

  test('[CMD-2] zrangestore replaces the destination', async ({ client, key }) => {
    await client.zadd(key('from'), { a: 1, b: 2, c: 3 });
    await client.set(key('to'), marked('text'));
    assert.equal(await client.zrangestore(key('to'), key('from'), 2, 9, { by: 'score' }), 2);
    assert.deepEqual(await client.zrange(key('to'), 0, -1), ['b', 'c']);
    assert.equal(await client.zrangestore(key('to'), key('from'), 7, 9), 0);
    assert.equal(await client.exists(key('to')), 0);
  });

  test('[CMD-2] zcount and zlexcount count ranges', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3 });
    assert.equal(await client.zcount(key(), 2, '+inf'), 2);
    assert.equal(await client.zcount(key(), '(1', '(3'), 1);
    assert.equal(await client.zcount(key(), 9, 8), 0);
    await client.zadd(key('same'), { a: 0, b: 0, c: 0 });
    assert.equal(await client.zlexcount(key('same'), '-', '+'), 3);
    assert.equal(await client.zlexcount(key('same'), '(a', '[c'), 2);
  });

  test('[CMD-2] zremrangebyrank, …byscore and …bylex remove ranges', async ({ client, key }) => {
    await client.zadd(key(), { a: 1, b: 2, c: 3, d: 4, e: 5 });
    assert.equal(await client.zremrangebyrank(key(), 0, 1), 2);
    assert.equal(await client.zremrangebyscore(key(), '(3', 4), 1);
    assert.deepEqual(await client.zrange(key(), 0, -1), ['c', 'e']);
    await client.zadd(key('same'), { a: 0, b: 0, c: 0 });
    assert.equal(await client.zremrangebylex(key('same'), '[a', '(c'), 2);
    assert.deepEqual(await client.zrange(key('same'), 0, -1), ['c']);
  });

  test('[CMD-2] zinter, zunion and zdiff combine members and scores', async ({ client, key }) => {
    await client.zadd(key('a'), { x: 1, y: 2 });
    await client.zadd(key('b'), { y: 10, z: 3 });
    const both = [key('a'), key('b')];
    assert.deepEqual(await client.zinter(both), [{ member: 'y', score: 12 }]);
    assert.deepEqual(await client.zunion(both, { aggregate: 'max' }), [
      { member: 'x', score: 1 },
      { member: 'z', score: 3 },
      { member: 'y', score: 10 },
    ]);
    assert.deepEqual(await client.zunion(both, { weights: [2, -1] }), [
      { member: 'y', score: -6 },
      { member: 'z', score: -3 },
      { member: 'x', score: 2 },
    ]);
    assert.deepEqual(await client.zinter(both, { aggregate: 'min' }), [{ member: 'y', score: 2 }]);
    assert.deepEqual(await client.zdiff(both), [{ member: 'x', score: 1 }]);
    await failsWith(client.zunion(both, { weights: [1] }), 'VALKEY_ARGUMENT_INVALID');
  });

  test('[CMD-2] zunion takes plain sets too, with a score of 1', async ({ client, key }) => {
    await client.sadd(key('set'), 'x');
    await client.zadd(key('zset'), { x: 2 });
    assert.deepEqual(await client.zunion([key('set'), key('zset')]), [{ member: 'x', score: 3 }]);
  });

  test('[CMD-2] zintercard counts up to a limit', async ({ client, key }) => {
    await client.zadd(key('a'), { x: 1, y: 2, z: 3 });
    await client.zadd(key('b'), { x: 1, y: 2 });
    assert.equal(await client.zintercard([key('a'), key('b')]), 2);
    assert.equal(await client.zintercard([key('a'), key('b')], { limit: 1 }), 1);
    assert.equal(await client.zintercard([key('a'), key('missing')]), 0);
  });

  test('[CMD-2] zinterstore, zunionstore and zdiffstore replace the destination', async ({ client, key }) => {
    await client.zadd(key('a'), { x: 1, y: 2 });
    await client.zadd(key('b'), { y: 10, z: 3 });
    const both = [key('a'), key('b')];
    assert.equal(await client.zunionstore(key('to'), both), 3);
    assert.equal(await client.zscore(key('to'), 'y'), 12);
    assert.equal(await client.zinterstore(key('to'), both, { weights: [10, 1], aggregate: 'max' }), 1);
    assert.deepEqual(await client.zrange(key('to'), 0, -1, { withScores: true }), [{ member: 'y', score: 20 }]);
    assert.equal(await client.zdiffstore(key('to'), both), 1);
    assert.deepEqual(await client.zrange(key('to'), 0, -1), ['x']);
    assert.equal(await client.zinterstore(key('to'), [key('a'), key('missing')]), 0);
    assert.equal(await client.exists(key('to')), 0);
  });
}
