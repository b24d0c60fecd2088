import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

const LARGEST = 2n ** 63n - 1n;

export function numbers(test: AddTest): void {
  test('[CMD-1] counters count up and down from nothing', async ({ client, key }) => {
    assert.equal(await client.incr(key()), 1);
    assert.equal(await client.incrby(key(), 41), 42);
    assert.equal(await client.decr(key()), 41);
    assert.equal(await client.decrby(key(), 50), -9);
    assert.equal(await client.get(key()), '-9');
  });

  test('[CMD-8] a counter is exact on both sides of 2^53', async ({ client, key }) => {
    await client.set(key(), Number.MAX_SAFE_INTEGER - 1);
    assert.equal(await client.incr(key()), Number.MAX_SAFE_INTEGER);
    assert.equal(await client.incr(key()), 2n ** 53n);
    assert.equal(await client.incr(key()), 2n ** 53n + 1n);
    assert.equal(await client.decrby(key(), 2), Number.MAX_SAFE_INTEGER);
  });

  test('[CMD-8] a counter takes and gives the largest 64-bit number', async ({ client, key }) => {
    assert.equal(await client.incrby(key(), LARGEST), LARGEST);
    assert.equal(await client.get(key()), String(LARGEST));
    assert.equal(await client.decrby(key('low'), LARGEST), -LARGEST);
    assert.equal(await client.decr(key('low')), -LARGEST - 1n);
  });

  test('[CMD-8] a counter refuses to overflow and stays as it is', async ({ client, key }) => {
    await client.set(key(), LARGEST);
    await refusedBy(client.incr(key()), 'ERR', /overflow/);
    assert.equal(await client.get(key()), String(LARGEST));
  });

  test('[CMD-1] a counter refuses what is no integer', async ({ client, key }) => {
    for (const value of ['text', '1.5', '', ' 1', '01', '9223372036854775808']) {
      await client.set(key(), value);
      await refusedBy(client.incr(key()), 'ERR', /not an integer or out of range/);
      assert.equal(await client.get(key()), value);
    }
  });

  test('[CMD-8] an amount that a number cannot hold exactly is refused', async ({ client, key }) => {
    await failsWith(client.incrby(key(), 1.5), 'VALKEY_ARGUMENT_INVALID');
    await failsWith(client.incrby(key(), 2 ** 53), 'VALKEY_ARGUMENT_INVALID');
    assert.equal(await client.incrby(key(), 2n ** 53n), 2n ** 53n);
  });

  test('[CMD-1] incrbyfloat adds fractions', async ({ client, key }) => {
    assert.equal(await client.incrbyfloat(key(), 10.5), 10.5);
    assert.equal(await client.incrbyfloat(key(), -0.1), 10.4);
    await client.set(key('round'), '3.0e3');
    assert.equal(await client.incrbyfloat(key('round'), 200), 3200);
    assert.equal(await client.get(key('round')), '3200');
  });

  test('[CMD-1] incrbyfloat refuses what is no number', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await refusedBy(client.incrbyfloat(key(), 1), 'ERR', /not a valid float/);
  });

  test('[CMD-1] a counter keeps its time to live', async ({ client, key }) => {
    await client.set(key(), 1, { ttl: '1m' });
    await client.incr(key());
    await client.incrbyfloat(key(), 0.5);
    const left = (await client.pttl(key())) as number;
    assert.ok(left > 0 && left <= 60_000, String(left));
  });
}
