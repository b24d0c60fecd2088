import assert from 'node:assert/strict';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

const SOME = Array.from({ length: 100 }, (_, index) => index);

export function manyKeys(test: AddTest): void {
  test('[CLU-1] mset and mget over all slots keep the order of the keys', async ({ client, scattered }) => {
    assert.equal(await client.mset(SOME.map((number) => [scattered(number), `value ${number}`] as const)), 'OK');
    const asked = [...SOME.toReversed(), 1_000, 3, 3];
    assert.deepEqual(
      await client.mget(asked.map(scattered)),
      asked.map((number) => (number === 1_000 ? null : `value ${number}`)),
    );
  });

  test('[CLU-1] mgetBuffer over all slots keeps the order of the keys', async ({ client, scattered }) => {
    await client.mset(new Map(SOME.map((number) => [scattered(number), Buffer.from([number, 255])])));
    assert.deepEqual(
      await client.mgetBuffer(SOME.map(scattered)),
      SOME.map((number) => Buffer.from([number, 255])),
    );
  });

  test('[CLU-1] exists, touch, del and unlink over all slots add up', async ({ client, scattered }) => {
    await client.mset(SOME.map((number) => [scattered(number), number] as const));
    const twice = [...SOME, 0, 1_000].map(scattered);
    assert.equal(await client.exists(twice), 101);
    assert.equal(await client.touch(twice), 101);
    assert.equal(await client.del(SOME.slice(0, 50).map(scattered)), 50);
    assert.equal(await client.unlink(SOME.map(scattered)), 50);
    assert.equal(await client.exists(twice), 0);
  });

  test('[CLU-1] keys of one slot keep their order too', async ({ client, key }) => {
    assert.equal(await client.mset({ [key('a')]: marked('a'), [key('b')]: marked('b') }), 'OK');
    assert.deepEqual(await client.mget(key('b'), key('missing'), key('a')), [marked('b'), null, marked('a')]);
  });

  test('[CMD-1] msetnx writes all or none', async ({ client, key }) => {
    assert.equal(await client.msetnx({ [key('a')]: 1, [key('b')]: 2 }), true);
    assert.equal(await client.msetnx({ [key('b')]: 3, [key('c')]: 4 }), false);
    assert.deepEqual(await client.mget(key('a'), key('b'), key('c')), ['1', '2', null]);
  });

  test('[CLU-1] an atomic command over several slots is refused on a cluster', async ({ client, scattered }) => {
    const pairs = SOME.map((number) => [scattered(number), number] as const);
    if (client.topology === 'cluster') {
      await failsWith(client.msetnx(pairs), 'VALKEY_CROSS_SLOT');
      await failsWith(client.sunion(SOME.map(scattered)), 'VALKEY_CROSS_SLOT');
    } else {
      assert.equal(await client.msetnx(pairs), true);
    }
  });

  test('[DRV-5] a thousand reads of one tick get their own answers', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    await client.mset(numbers.map((number) => [scattered(number), number] as const));
    const values = await Promise.all(numbers.map((number) => client.get(scattered(number))));
    assert.deepEqual(values, numbers.map(String));
  });
}
