import assert from 'node:assert/strict';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

const ALL = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
/** No UTF-8 at all: decoding and encoding it again would change it. */
const INVALID = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0d, 0x0a, 0xed, 0xa0, 0x80]);
const MEBIBYTE = 1_048_576;

export function bytes(test: AddTest): void {
  test('[CMD-8] all 256 bytes come back as they went', async ({ client, key }) => {
    await client.set(key(), ALL);
    assert.deepEqual(await client.getBuffer(key()), ALL);
    assert.equal(await client.strlen(key()), 256);
    assert.equal(await client.getBuffer(key('missing')), null);
  });

  test('[CMD-8] bytes that are no UTF-8 survive in every kind of value', async ({ client, key }) => {
    await client.hset(key('hash'), INVALID, INVALID);
    assert.deepEqual(await client.hgetBuffer(key('hash'), INVALID), INVALID);
    await client.rpush(key('list'), INVALID, ALL);
    assert.deepEqual(await client.rpopBuffer(key('list')), ALL);
    assert.deepEqual(await client.lpopBuffer(key('list')), INVALID);
    assert.equal(await client.lpopBuffer(key('list')), null);
    await client.sadd(key('set'), INVALID);
    assert.equal(await client.sismember(key('set'), INVALID), true);
    assert.equal(await client.sismember(key('set'), INVALID.toString()), false);
    await client.zadd(key('zset'), [{ member: INVALID, score: 7 }]);
    assert.equal(await client.zscore(key('zset'), INVALID), 7);
  });

  test('[CMD-8] a key may be bytes that are no UTF-8', async ({ client, key }) => {
    const name = Buffer.concat([Buffer.from(key()), INVALID]);
    const similar = Buffer.concat([Buffer.from(key()), Buffer.from([0xff, 0xfe, 0x01])]);
    await client.set(name, marked('value'));
    assert.equal(await client.get(name), marked('value'));
    assert.equal(await client.get(similar), null);
    assert.equal(await client.get(name.toString()), null);
    assert.equal(await client.del(name), 1);
  });

  test('[CMD-8] text and its bytes are the same key and the same value', async ({ client, key }) => {
    await client.set(key('ü'), 'größer');
    assert.equal(await client.get(Buffer.from(key('ü'))), 'größer');
    assert.deepEqual(await client.getBuffer(key('ü')), Buffer.from('größer'));
    assert.equal(await client.strlen(key('ü')), 8);
  });

  test('[CMD-8] line ends and protocol characters are data', async ({ client, key }) => {
    const text = '\r\n$5\r\n*3\r\n+OK\r\n-ERR\r\n:1\r\n\0';
    await client.set(key(text), text);
    assert.equal(await client.get(key(text)), text);
  });

  test('[CMD-8] changing a buffer after it was written or read changes nothing stored', async ({ client, key }) => {
    const value = Buffer.from('before');
    await client.set(key(), value);
    value.fill('x');
    const read = (await client.getBuffer(key())) as Buffer;
    assert.equal(read.toString(), 'before');
    read.fill('y');
    assert.equal(await client.get(key()), 'before');
  });

  test('[CMD-8] a value of several mebibytes comes back whole', async ({ client, key }) => {
    const value = Buffer.alloc(5 * MEBIBYTE, ALL);
    await client.set(key(), value);
    const read = (await client.getBuffer(key())) as Buffer;
    assert.ok(read.equals(value));
  });

  test('[CMD-8] bytes travel in pipelines and transactions', async ({ client, key }) => {
    const [, piped] = await client.pipeline((p) => [p.set(key('p'), ALL), p.getBuffer(key('p'))]);
    assert.deepEqual(piped, ALL);
    const [, transacted] = await client.transaction((t) => [t.set(key('t'), INVALID), t.getBuffer(key('t'))]);
    assert.deepEqual(transacted, INVALID);
  });
}
