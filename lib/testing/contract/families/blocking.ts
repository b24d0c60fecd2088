import assert from 'node:assert/strict';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

const FOR_EVER = { timeout: 0 } as const;
/** The shortest wait: for tests that nothing comes. */
const BRIEFLY = { timeout: 20 } as const;

export function blocking(test: AddTest): void {
  test('[CMD-2] blpop and brpop take at once what is there', async ({ client, key }) => {
    await client.rpush(key('b'), '1', '2', '3');
    const lists = [key('a'), key('b')];
    assert.deepEqual(await client.blpop(lists, FOR_EVER), { key: key('b'), value: '1' });
    assert.deepEqual(await client.brpop(lists, FOR_EVER), { key: key('b'), value: '3' });
    assert.deepEqual(await client.blpop(key('b'), FOR_EVER), { key: key('b'), value: '2' });
  });

  test('[CMD-2] a blocking command is answered null when its time is over', async ({ client, key }) => {
    const began = performance.now();
    assert.equal(await client.blpop(key(), BRIEFLY), null);
    assert.ok(performance.now() - began >= BRIEFLY.timeout - 5);
    const others = [
      client.brpop([key(), key('other')], BRIEFLY),
      client.blmove(key(), key('to'), 'left', 'right', BRIEFLY),
      client.blmpop([key()], 'left', BRIEFLY),
      client.bzpopmin(key(), BRIEFLY),
      client.bzpopmax(key(), BRIEFLY),
      client.bzmpop([key()], 'max', BRIEFLY),
    ];
    assert.deepEqual(await Promise.all(others), [null, null, null, null, null, null]);
  });

  test('[CMD-2] a waiting command is served by the push it waits for', async ({ client, key, blocked }) => {
    const popped = client.blpop([key('a'), key('b')], FOR_EVER);
    await blocked(1);
    assert.equal(await client.rpush(key('b'), marked('first'), marked('second')), 2);
    assert.deepEqual(await popped, { key: key('b'), value: marked('first') });
    assert.deepEqual(await client.lrange(key('b'), 0, -1), [marked('second')]);
  });

  test('[CMD-2] who waited longest is served first', async ({ client, key, blocked }) => {
    const first = client.blpop(key(), FOR_EVER);
    await blocked(1);
    const second = client.brpop(key(), FOR_EVER);
    await blocked(2);
    const third = client.blpop(key(), FOR_EVER);
    await blocked(3);
    await client.rpush(key(), marked('a'));
    assert.equal((await first)?.value, marked('a'));
    await client.rpush(key(), marked('b'), marked('c'));
    assert.deepEqual([(await second)?.value, (await third)?.value], [marked('c'), marked('b')]);
  });

  test('[CMD-2] a waiting command holds up nobody else', async ({ client, key, blocked }) => {
    const waiting = client.blpop(key('empty'), FOR_EVER);
    await blocked(1);
    await client.set(key(), marked('value'));
    assert.equal(await client.get(key()), marked('value'));
    assert.deepEqual(await client.pipeline((p) => [p.incr(key('n')), p.get(key())]), [1, marked('value')]);
    await client.rpush(key('empty'), marked('end'));
    assert.equal((await waiting)?.value, marked('end'));
  });

  test('[CMD-2] blmove moves what comes', async ({ client, key, blocked }) => {
    const moved = client.blmove(key('from'), key('to'), 'left', 'right', FOR_EVER);
    await blocked(1);
    await client.rpush(key('from'), marked('a'), marked('b'));
    assert.equal(await moved, marked('a'));
    assert.deepEqual(await client.lrange(key('to'), 0, -1), [marked('a')]);
  });

  test('[CMD-2] a move can serve another one that waits', async ({ client, key, blocked }) => {
    const popped = client.blpop(key('to'), FOR_EVER);
    await blocked(1);
    await client.rpush(key('from'), marked('a'));
    assert.equal(await client.lmove(key('from'), key('to'), 'left', 'right'), marked('a'));
    assert.deepEqual(await popped, { key: key('to'), value: marked('a') });
    assert.equal(await client.exists(key('to')), 0);
  });

  test('[CMD-2] blmpop takes several of what comes', async ({ client, key, blocked }) => {
    const popped = client.blmpop([key('a'), key('b')], 'right', { ...FOR_EVER, count: 2 });
    await blocked(1);
    await client.rpush(key('b'), '1', '2', '3');
    assert.deepEqual(await popped, { key: key('b'), values: ['3', '2'] });
  });

  test('[CMD-2] bzpopmin, bzpopmax and bzmpop take members that come', async ({ client, key, blocked }) => {
    const least = client.bzpopmin(key(), FOR_EVER);
    await blocked(1);
    const greatest = client.bzpopmax([key('other'), key()], FOR_EVER);
    await blocked(2);
    const several = client.bzmpop([key()], 'min', { ...FOR_EVER, count: 5 });
    await blocked(3);
    await client.zadd(key(), { a: 1, b: 2, c: 3, d: 4.5 });
    assert.deepEqual(await least, { key: key(), member: 'a', score: 1 });
    assert.deepEqual(await greatest, { key: key(), member: 'd', score: 4.5 });
    assert.deepEqual(await several, {
      key: key(),
      members: [
        { member: 'b', score: 2 },
        { member: 'c', score: 3 },
      ],
    });
  });

  test('[CMD-2] a transaction serves who waits only with its last state', async ({ client, key, blocked }) => {
    const waiting = client.blpop(key(), FOR_EVER);
    await blocked(1);
    await client.transaction((t) => [t.rpush(key(), marked('gone')), t.del(key())]);
    await client.transaction((t) => [t.rpush(key(), marked('a')), t.lpush(key(), marked('b'))]);
    assert.equal((await waiting)?.value, marked('b'));
  });

  test('[CMD-6] an aborted wait rejects at once and takes nothing afterwards', async ({ client, key, blocked }) => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const waiting = client.with({ signal: stop.signal }).blpop(key(), FOR_EVER);
    await blocked(1);
    stop.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await blocked(0);
    await client.rpush(key(), marked('kept'));
    assert.deepEqual(await client.lrange(key(), 0, -1), [marked('kept')]);
  });

  test('[CMD-6] a wait ends with the deadline of its scope', async ({ client, key, blocked }) => {
    const hasty = client.with({ timeout: '30ms' });
    // What it might have taken meanwhile is not known; a command that only reads has nothing to fear.
    await failsWith(hasty.blpop(key(), FOR_EVER), 'VALKEY_OUTCOME_UNKNOWN');
    await failsWith(hasty.xread({ [key('stream')]: '$' }, { block: 0 }), 'VALKEY_DEADLINE_EXCEEDED');
    await blocked(0);
    await client.rpush(key(), marked('kept'));
    assert.equal(await client.llen(key()), 1);
  });
}
