import assert from 'node:assert/strict';
import { refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function sets(test: AddTest): void {
  test('[CMD-2] sadd and srem count what changed', async ({ client, key }) => {
    assert.equal(await client.sadd(key(), marked('a'), marked('b'), marked('a')), 2);
    assert.equal(await client.sadd(key(), [marked('b'), marked('c')]), 1);
    assert.equal(await client.scard(key()), 3);
    assert.equal(await client.srem(key(), marked('a'), marked('x')), 1);
    assert.deepEqual((await client.smembers(key())).toSorted(), [marked('b'), marked('c')]);
    assert.equal(await client.srem(key(), marked('b'), marked('c')), 2);
    assert.equal(await client.exists(key()), 0);
    assert.deepEqual(await client.smembers(key()), []);
    assert.equal(await client.scard(key()), 0);
  });

  test('[CMD-2] sismember and smismember tell who belongs', async ({ client, key }) => {
    await client.sadd(key(), marked('a'), 7, '');
    assert.equal(await client.sismember(key(), '7'), true);
    assert.equal(await client.sismember(key(), marked('x')), false);
    assert.equal(await client.sismember(key('missing'), marked('a')), false);
    assert.deepEqual(await client.smismember(key(), marked('x'), marked('a'), 7, ''), [false, true, true, true]);
    assert.deepEqual(await client.smismember(key('missing'), [marked('a'), marked('b')]), [false, false]);
  });

  test('[CMD-2] smove moves a member that is there', async ({ client, key }) => {
    await client.sadd(key('from'), marked('a'), marked('b'));
    assert.equal(await client.smove(key('from'), key('to'), marked('a')), true);
    assert.equal(await client.smove(key('from'), key('to'), marked('a')), false);
    assert.deepEqual(await client.smembers(key('from')), [marked('b')]);
    assert.deepEqual(await client.smembers(key('to')), [marked('a')]);
  });

  test('[CMD-2] spop takes members, each once', async ({ client, key }) => {
    await client.sadd(key(), marked('a'), marked('b'), marked('c'), marked('d'));
    const one = (await client.spop(key())) as string;
    const two = await client.spop(key(), 2);
    const rest = await client.spop(key(), 9);
    assert.deepEqual([one, ...two, ...rest].toSorted(), [marked('a'), marked('b'), marked('c'), marked('d')]);
    assert.equal(two.length, 2);
    assert.equal(await client.spop(key()), null);
    assert.deepEqual(await client.spop(key(), 1), []);
  });

  test('[CMD-2] srandmember leaves members where they are', async ({ client, key }) => {
    await client.sadd(key(), marked('a'), marked('b'), marked('c'));
    assert.ok([marked('a'), marked('b'), marked('c')].includes((await client.srandmember(key())) as string));
    assert.deepEqual((await client.srandmember(key(), 9)).toSorted(), [marked('a'), marked('b'), marked('c')]);
    assert.equal((await client.srandmember(key(), -9)).length, 9);
    assert.equal(await client.scard(key()), 3);
    assert.equal(await client.srandmember(key('missing')), null);
    assert.deepEqual(await client.srandmember(key('missing'), 3), []);
  });

  test('[CMD-2] sinter, sunion and sdiff combine sets', async ({ client, key }) => {
    await client.sadd(key('a'), '1', '2', '3');
    await client.sadd(key('b'), '2', '3', '4');
    assert.deepEqual((await client.sinter(key('a'), key('b'))).toSorted(), ['2', '3']);
    assert.deepEqual((await client.sunion([key('a'), key('b')])).toSorted(), ['1', '2', '3', '4']);
    assert.deepEqual(await client.sdiff(key('a'), key('b')), ['1']);
    assert.deepEqual(await client.sinter(key('a'), key('missing')), []);
    assert.equal((await client.sdiff(key('a'), key('missing'))).length, 3);
  });

  test('[CMD-2] sintercard counts up to a limit', async ({ client, key }) => {
    await client.sadd(key('a'), '1', '2', '3');
    await client.sadd(key('b'), '1', '2', '3', '4');
    assert.equal(await client.sintercard([key('a'), key('b')]), 3);
    assert.equal(await client.sintercard([key('a'), key('b')], { limit: 2 }), 2);
    assert.equal(await client.sintercard([key('a'), key('missing')]), 0);
  });

  test('[CMD-2] sinterstore, sunionstore and sdiffstore replace the destination', async ({ client, key }) => {
    await client.sadd(key('a'), '1', '2');
    await client.sadd(key('b'), '2', '3');
    await client.set(key('to'), marked('text'));
    assert.equal(await client.sunionstore(key('to'), key('a'), key('b')), 3);
    assert.equal(await client.sinterstore(key('to'), [key('a'), key('b')]), 1);
    assert.deepEqual(await client.smembers(key('to')), ['2']);
    assert.equal(await client.sdiffstore(key('to'), key('a'), key('b')), 1);
    assert.deepEqual(await client.smembers(key('to')), ['1']);
    assert.equal(await client.sinterstore(key('to'), key('a'), key('missing')), 0);
    assert.equal(await client.exists(key('to')), 0);
  });

  test('[CMD-2] a set command refuses a key of another type', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await client.sadd(key('set'), marked('a'));
    await refusedBy(client.sadd(key(), marked('a')), 'WRONGTYPE');
    await refusedBy(client.smembers(key()), 'WRONGTYPE');
    await refusedBy(client.sunion(key('set'), key()), 'WRONGTYPE');
    await refusedBy(client.smove(key('set'), key(), marked('a')), 'WRONGTYPE');
    assert.deepEqual(await client.smembers(key('set')), [marked('a')]);
  });
}
