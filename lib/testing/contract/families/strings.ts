import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function strings(test: AddTest): void {
  test('[CMD-1] reads what was written, and null where nothing was', async ({ client, key }) => {
    assert.equal(await client.set(key(), marked('value')), 'OK');
    assert.equal(await client.get(key()), marked('value'));
    assert.equal(await client.get(key('missing')), null);
    assert.equal(await client.set(key('empty'), ''), 'OK');
    assert.equal(await client.get(key('empty')), '');
  });

  test('[CMD-1] getOrThrow gives the value, or says that there is none', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.getOrThrow(key()), marked('value'));
    await failsWith(client.getOrThrow(key('missing')), 'VALKEY_CACHE_MISS');
  });

  test('[CMD-1] set with nx writes only where there is nothing', async ({ client, key }) => {
    assert.equal(await client.set(key(), marked('first'), { nx: true }), 'OK');
    assert.equal(await client.set(key(), marked('second'), { nx: true }), null);
    assert.equal(await client.get(key()), marked('first'));
  });

  test('[CMD-1] set with xx writes only where there is something', async ({ client, key }) => {
    assert.equal(await client.set(key(), marked('first'), { xx: true }), null);
    assert.equal(await client.get(key()), null);
    await client.set(key(), marked('first'));
    assert.equal(await client.set(key(), marked('second'), { xx: true }), 'OK');
    assert.equal(await client.get(key()), marked('second'));
  });

  test('[CMD-1] set with get answers what was there before', async ({ client, key }) => {
    assert.equal(await client.set(key(), marked('first'), { get: true }), null);
    assert.equal(await client.set(key(), marked('second'), { get: true }), marked('first'));
    assert.equal(await client.get(key()), marked('second'));
  });

  test('[CMD-1] set with nx and get answers the value that stays', async ({ client, key }) => {
    assert.equal(await client.set(key(), marked('first'), { nx: true, get: true }), null);
    assert.equal(await client.set(key(), marked('second'), { nx: true, get: true }), marked('first'));
    assert.equal(await client.get(key()), marked('first'));
  });

  test('[CMD-1] setnx answers whether it was written', async ({ client, key }) => {
    assert.equal(await client.setnx(key(), marked('first')), true);
    assert.equal(await client.setnx(key(), marked('second')), false);
    assert.equal(await client.get(key()), marked('first'));
  });

  test('[CMD-1] getdel gives the value and removes it', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.getdel(key()), marked('value'));
    assert.equal(await client.getdel(key()), null);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-1] append adds to the end and counts bytes', async ({ client, key }) => {
    assert.equal(await client.append(key(), 'ab'), 2);
    assert.equal(await client.append(key(), 'ü'), 4);
    assert.equal(await client.get(key()), 'abü');
    assert.equal(await client.strlen(key()), 4);
    assert.equal(await client.strlen(key('missing')), 0);
  });

  test('[CMD-1] getrange and setrange work on parts of a string', async ({ client, key }) => {
    await client.set(key(), 'hello world');
    assert.equal(await client.getrange(key(), 0, 4), 'hello');
    assert.equal(await client.getrange(key(), -5, -1), 'world');
    assert.equal(await client.getrange(key(), 20, 30), '');
    assert.equal(await client.setrange(key(), 6, 'there'), 11);
    assert.equal(await client.get(key()), 'hello there');
    assert.equal(await client.setrange(key('new'), 2, 'x'), 3);
    assert.equal(await client.get(key('new')), '\0\0x');
  });

  test('[CMD-1] a string command refuses a key of another type', async ({ client, key }) => {
    await client.rpush(key(), marked('element'));
    await refusedBy(client.get(key()), 'WRONGTYPE');
    await refusedBy(client.incr(key()), 'WRONGTYPE');
    await refusedBy(client.append(key(), 'x'), 'WRONGTYPE');
    assert.deepEqual(await client.mget(key()), [null]);
    assert.equal(await client.set(key(), marked('replaced')), 'OK');
    assert.equal(await client.get(key()), marked('replaced'));
  });

  test('[DRV-5] a wrong type among many reads of one tick fails only its own', async ({ client, key }) => {
    await client.rpush(key('list'), marked('element'));
    await client.set(key('5'), marked('five'));
    const reads = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => client.get(key(index === 20 ? 'list' : String(index)))),
    );
    for (const [index, read] of reads.entries()) {
      if (index === 20) assert.equal(read.status, 'rejected');
      else assert.deepEqual(read, { status: 'fulfilled', value: index === 5 ? marked('five') : null });
    }
    await refusedBy(Promise.reject((reads[20] as PromiseRejectedResult).reason as Error), 'WRONGTYPE');
  });

  test('[DRV-5] commands of one tick take effect in the order they were called', async ({ client, key }) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => [client.set(key(), index), client.get(key())]).flat(),
    );
    const reads = results.filter((_, index) => index % 2 === 1);
    assert.deepEqual(
      reads,
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
  });

  test('[CMD-1] options that exclude each other are refused before anything is sent', async ({ client, key }) => {
    const both = { nx: true, xx: true } as unknown as { nx: true };
    await failsWith(client.set(key(), marked('value'), both), 'VALKEY_ARGUMENT_INVALID');
    await failsWith(client.set(key(), marked('value'), { ttl: 0 }), 'VALKEY_ARGUMENT_INVALID');
    await failsWith(client.set(key(), Number.NaN), 'VALKEY_ARGUMENT_INVALID');
    assert.equal(await client.get(key()), null);
  });
}
