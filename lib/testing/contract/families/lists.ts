import assert from 'node:assert/strict';
import { refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function lists(test: AddTest): void {
  test('[CMD-2] elements are pushed to both ends and answered with the length', async ({ client, key }) => {
    assert.equal(await client.rpush(key(), marked('c'), marked('d')), 2);
    assert.equal(await client.lpush(key(), marked('b'), marked('a')), 4);
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('b'), marked('c'), marked('d')]);
    assert.equal(await client.rpush(key()), 4);
    assert.equal(await client.llen(key()), 4);
    assert.equal(await client.llen(key('missing')), 0);
  });

  test('[CMD-2] lpushx and rpushx push to a list that exists only', async ({ client, key }) => {
    assert.equal(await client.lpushx(key(), marked('a')), 0);
    assert.equal(await client.rpushx(key(), marked('a')), 0);
    assert.equal(await client.exists(key()), 0);
    await client.rpush(key(), marked('b'));
    assert.equal(await client.lpushx(key(), marked('a')), 2);
    assert.equal(await client.rpushx(key(), marked('c'), marked('d')), 4);
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('b'), marked('c'), marked('d')]);
  });

  test('[CMD-2] elements are popped from both ends, and the list goes with the last one', async ({ client, key }) => {
    await client.rpush(key(), marked('a'), marked('b'), marked('c'), marked('d'), marked('e'));
    assert.equal(await client.lpop(key()), marked('a'));
    assert.equal(await client.rpop(key()), marked('e'));
    assert.deepEqual(await client.rpop(key(), 2), [marked('d'), marked('c')]);
    assert.deepEqual(await client.lpop(key(), 9), [marked('b')]);
    assert.equal(await client.lpop(key()), null);
    assert.deepEqual(await client.rpop(key(), 2), []);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-2] lrange and lindex count from both ends', async ({ client, key }) => {
    await client.rpush(key(), marked('a'), marked('b'), marked('c'), marked('d'));
    assert.deepEqual(await client.lrange(key(), 1, 2), [marked('b'), marked('c')]);
    assert.deepEqual(await client.lrange(key(), -2, 100), [marked('c'), marked('d')]);
    assert.deepEqual(await client.lrange(key(), 3, 1), []);
    assert.equal(await client.lindex(key(), 0), marked('a'));
    assert.equal(await client.lindex(key(), -1), marked('d'));
    assert.equal(await client.lindex(key(), 4), null);
  });

  test('[CMD-2] lset replaces an element that exists', async ({ client, key }) => {
    await client.rpush(key(), marked('a'), marked('b'));
    assert.equal(await client.lset(key(), -1, marked('z')), 'OK');
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('z')]);
    await refusedBy(client.lset(key(), 2, marked('x')), 'ERR', /index out of range/);
    await refusedBy(client.lset(key('missing'), 0, marked('x')), 'ERR', /no such key/);
  });

  test('[CMD-2] lrem removes the first, the last or all equal elements', async ({ client, key }) => {
    await client.rpush(key(), marked('x'), marked('a'), marked('x'), marked('b'), marked('x'), marked('x'));
    assert.equal(await client.lrem(key(), 1, marked('x')), 1);
    assert.equal(await client.lrem(key(), -1, marked('x')), 1);
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('x'), marked('b'), marked('x')]);
    assert.equal(await client.lrem(key(), 0, marked('x')), 2);
    assert.equal(await client.lrem(key(), 0, marked('x')), 0);
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('b')]);
  });

  test('[CMD-2] ltrim keeps a part', async ({ client, key }) => {
    await client.rpush(key(), marked('a'), marked('b'), marked('c'), marked('d'));
    assert.equal(await client.ltrim(key(), 1, -2), 'OK');
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('b'), marked('c')]);
    await client.ltrim(key(), 5, 9);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-2] linsert puts an element next to another', async ({ client, key }) => {
    assert.equal(await client.linsert(key(), 'before', marked('b'), marked('a')), 0);
    await client.rpush(key(), marked('b'), marked('d'));
    assert.equal(await client.linsert(key(), 'before', marked('b'), marked('a')), 3);
    assert.equal(await client.linsert(key(), 'after', marked('b'), marked('c')), 4);
    assert.equal(await client.linsert(key(), 'after', marked('x'), marked('y')), -1);
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('a'), marked('b'), marked('c'), marked('d')]);
  });

  test('[CMD-2] lpos and lposMany find elements from either end', async ({ client, key }) => {
    await client.rpush(key(), marked('a'), marked('b'), marked('a'), marked('c'), marked('a'));
    assert.equal(await client.lpos(key(), marked('a')), 0);
    assert.equal(await client.lpos(key(), marked('a'), { rank: 2 }), 2);
    assert.equal(await client.lpos(key(), marked('a'), { rank: -1 }), 4);
    assert.equal(await client.lpos(key(), marked('c'), { maxLength: 2 }), null);
    assert.equal(await client.lpos(key(), marked('x')), null);
    assert.deepEqual(await client.lposMany(key(), marked('a'), 0), [0, 2, 4]);
    assert.deepEqual(await client.lposMany(key(), marked('a'), 2, { rank: -1 }), [4, 2]);
    assert.deepEqual(await client.lposMany(key(), marked('x'), 0), []);
  });

  test('[CMD-2] lmove moves an element between ends and lists', async ({ client, key }) => {
    await client.rpush(key('from'), marked('a'), marked('b'), marked('c'));
    assert.equal(await client.lmove(key('from'), key('to'), 'left', 'right'), marked('a'));
    assert.equal(await client.lmove(key('from'), key('to'), 'right', 'left'), marked('c'));
    assert.deepEqual(await client.lrange(key('to'), 0, -1), [marked('c'), marked('a')]);
    assert.equal(await client.lmove(key('to'), key('to'), 'left', 'right'), marked('c'));
    assert.deepEqual(await client.lrange(key('to'), 0, -1), [marked('a'), marked('c')]);
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
    await client.set(key(), marked('text'));
    await refusedBy(client.rpush(key(), marked('a')), 'WRONGTYPE');
    await refusedBy(client.lrange(key(), 0, -1), 'WRONGTYPE');
    await refusedBy(client.lmove(key(), key('to'), 'left', 'left'), 'WRONGTYPE');
  });
}
