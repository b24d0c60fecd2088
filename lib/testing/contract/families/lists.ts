import assert from 'node:assert/strict';
import { refusedBy } from '../failures.js';
import type { AddTest } from '../trial.js';

export function lists(test: AddTest): void {
  test('[CMD-2] elements are pushed to both ends and answered with the length', async ({ client, key }) => {
    assert.equal(await client.rpush(key(), 'c', 'd'), 2);
    assert.equal(await client.lpush(key(), 'b', 'a'), 4);
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'b', 'c', 'd']);
    assert.equal(await client.rpush(key()), 4);
    assert.equal(await client.llen(key()), 4);
    assert.equal(await client.llen(key('missing')), 0);
  });

  test('[CMD-2] lpushx and rpushx push to a list that exists only', async ({ client, key }) => {
    assert.equal(await client.lpushx(key(), 'a'), 0);
    assert.equal(await client.rpushx(key(), 'a'), 0);
    assert.equal(await client.exists(key()), 0);
    await client.rpush(key(), 'b');
    assert.equal(await client.lpushx(key(), 'a'), 2);
    assert.equal(await client.rpushx(key(), 'c', 'd'), 4);
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'b', 'c', 'd']);
  });

  test('[CMD-2] elements are popped from both ends, and the list goes with the last one', async ({ client, key }) => {
    await client.rpush(key(), 'a', 'b', 'c', 'd', 'e');
    assert.equal(await client.lpop(key()), 'a');
    assert.equal(await client.rpop(key()), 'e');
    assert.deepEqual(await client.rpop(key(), 2), ['d', 'c']);
    assert.deepEqual(await client.lpop(key(), 9), ['b']);
    assert.equal(await client.lpop(key()), null);
    assert.deepEqual(await client.rpop(key(), 2), []);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-2] lrange and lindex count from both ends', async ({ client, key }) => {
    await client.rpush(key(), 'a', 'b', 'c', 'd');
    assert.deepEqual(await client.lrange(key(), 1, 2), ['b', 'c']);
    assert.deepEqual(await client.lrange(key(), -2, 100), ['c', 'd']);
    assert.deepEqual(await client.lrange(key(), 3, 1), []);
    assert.equal(await client.lindex(key(), 0), 'a');
    assert.equal(await client.lindex(key(), -1), 'd');
    assert.equal(await client.lindex(key(), 4), null);
  });

  test('[CMD-2] lset replaces an element that exists', async ({ client, key }) => {
    await client.rpush(key(), 'a', 'b');
    assert.equal(await client.lset(key(), -1, 'z'), 'OK');
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'z']);
    await refusedBy(client.lset(key(), 2, 'x'), 'ERR', /index out of range/);
    await refusedBy(client.lset(key('missing'), 0, 'x'), 'ERR', /no such key/);
  });

  test('[CMD-2] lrem removes the first, the last or all equal elements', async ({ client, key }) => {
    await client.rpush(key(), 'x', 'a', 'x', 'b', 'x', 'x');
    assert.equal(await client.lrem(key(), 1, 'x'), 1);
    assert.equal(await client.lrem(key(), -1, 'x'), 1);
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'x', 'b', 'x']);
    assert.equal(await client.lrem(key(), 0, 'x'), 2);
    assert.equal(await client.lrem(key(), 0, 'x'), 0);
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'b']);
  });

  test('[CMD-2] ltrim keeps a part', async ({ client, key }) => {
    await client.rpush(key(), 'a', 'b', 'c', 'd');
    assert.equal(await client.ltrim(key(), 1, -2), 'OK');
    assert.deepEqual(await client.lrange(key(), 0, -1), ['b', 'c']);
    await client.ltrim(key(), 5, 9);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-2] linsert puts an element next to another', async ({ client, key }) => {
    assert.equal(await client.linsert(key(), 'before', 'b', 'a'), 0);
    await client.rpush(key(), 'b', 'd');
    assert.equal(await client.linsert(key(), 'before', 'b', 'a'), 3);
    assert.equal(await client.linsert(key(), 'after', 'b', 'c'), 4);
    assert.equal(await client.linsert(key(), 'after', 'x', 'y'), -1);
    assert.deepEqual(await client.lrange(key(), 0, -1), ['a', 'b', 'c', 'd']);
  });

  test('[CMD-2] lpos and lposMany find elements from either end', async ({ client, key }) => {
    await client.rpush(key(), 'a', 'b', 'a', 'c', 'a');
    assert.equal(await client.lpos(key(), 'a'), 0);
    assert.equal(await client.lpos(key(), 'a', { rank: 2 }), 2);
    assert.equal(await client.lpos(key(), 'a', { rank: -1 }), 4);
    assert.equal(await client.lpos(key(), 'c', { maxLength: 2 }), null);
    assert.equal(await client.lpos(key(), 'x'), null);
    assert.deepEqual(await client.lposMany(key(), 'a', 0), [0, 2, 4]);
    assert.deepEqual(await client.lposMany(key(), 'a', 2, { rank: -1 }), [4, 2]);
    assert.deepEqual(await client.lposMany(key(), 'x', 0), []);
  });

  test('[CMD-2] lmove moves an element between ends and lists', async ({ client, key }) => {
    await client.rpush(key('from'), 'a', 'b', 'c');
    assert.equal(await client.lmove(key('from'), key('to'), 'left', 'right'), 'a');
    assert.equal(await client.lmove(key('from'), key('to'), 'right', 'left'), 'c');
    assert.deepEqual(await client.lrange(key('to'), 0, -1), ['c', 'a']);
    assert.equal(await client.lmove(key('to'), key('to'), 'left', 'right'), 'c');
    assert.deepEqual(await client.lrange(key('to'), 0, -1), ['a', 'c']);
    assert.equal(await client.lmove(key('missing'), key('to'), 'left', 'right'), null);
  });

  test('[CMD-2] lmpop takes from the first list that has anything', async ({ client, key }) => {
    await client.rpush(key('b'), '1', '2', '3');
    await client.rpush(key('c'), '4');
    const lists = [key('a'), key('b'), key('c')];
    assert.deepEqual(await client.lmpop(lists, 'right', { count: 2 }), { key: key('b'), values: ['3', '2'] });
    assert.deepEqual(await client.lmpop(lists, 'left'), { key: key('b'), values: ['1'] });
    assert.deepEqual(await client.lmpop(lists, 'left', { count: 9 }), { key: key('c'), values: ['4'] });
    assert.equal(await client.lmpop(lists, 'left'), null);
  });

  test('[CMD-2] a list command refuses a key of another type', async ({ client, key }) => {
    await client.set(key(), 'text');
    await refusedBy(client.rpush(key(), 'a'), 'WRONGTYPE');
    await refusedBy(client.lrange(key(), 0, -1), 'WRONGTYPE');
    await refusedBy(client.lmove(key(), key('to'), 'left', 'left'), 'WRONGTYPE');
  });
}
