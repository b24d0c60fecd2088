import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

const RICH = {
  text: '2026-01-01T00:00:00.000Z',
  nothing: null,
  left: undefined,
  list: [1, 'two', [3]],
  date: new Date(1_767_225_600_000),
  big: 2n ** 70n,
  map: new Map<unknown, unknown>([['key', new Set([1, 2])]]),
  bytes: Buffer.from([0, 255]),
  notANumber: Number.NaN,
  marked: { '@@date': 'no date' },
};

export function json(test: AddTest): void {
  test('[CMD-4] [C8] setJson and getJson give back what they were given', async ({ client, key }) => {
    assert.equal(await client.setJson(key(), RICH), 'OK');
    assert.deepEqual(await client.getJson(key()), RICH);
    assert.equal(await client.getJson(key('missing')), null);
  });

  test('[CMD-4] [C8] plain data is stored as plain JSON', async ({ client, key }) => {
    await client.setJson(key(), { id: 7, name: 'tea' });
    assert.equal(await client.get(key()), '{"id":7,"name":"tea"}');
    await client.set(key('foreign'), '{"id":8}');
    assert.deepEqual(await client.getJson(key('foreign')), { id: 8 });
  });

  test('[CMD-4] [C8] setJson takes the options of set', async ({ client, key }) => {
    assert.equal(await client.setJson(key(), 1, { nx: true, ttl: '1m' }), 'OK');
    assert.equal(await client.setJson(key(), 2, { nx: true }), null);
    assert.equal(await client.getJson(key()), 1);
    assert.ok(((await client.pttl(key())) as number) > 0);
  });

  test('[CMD-4] [C8] mgetJson over all slots keeps the order of the keys', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(numbers.map((number) => client.setJson(scattered(number), { number })));
    assert.deepEqual(await client.mgetJson([...numbers, 99].map(scattered)), [
      ...numbers.map((number) => ({ number })),
      null,
    ]);
  });

  test('[CMD-4] [C8] what cannot be read or written is an error of its own', async ({ client, key }) => {
    await client.set(key(), marked('no JSON'));
    await failsWith(client.getJson(key()), 'VALKEY_DECODE_FAILED');
    await failsWith(
      client.setJson(key(), () => 1),
      'VALKEY_ENCODE_FAILED',
    );
    assert.equal(await client.get(key()), marked('no JSON'));
    await client.rpush(key('list'), marked('element'));
    await refusedBy(client.getJson(key('list')), 'WRONGTYPE');
  });

  test('[CMD-4] [C8] JSON travels in pipelines', async ({ client, key }) => {
    const [, value] = await client.pipeline((p) => [p.setJson(key(), RICH), p.getJson(key())]);
    assert.deepEqual(value, RICH);
  });
}
