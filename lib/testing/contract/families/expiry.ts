import assert from 'node:assert/strict';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';
import { until } from '../until.js';

/** Milliseconds a test may take between setting a time to live and reading it back. */
const SLACK = 10_000;
const MINUTE = 60_000;

function assertAbout(actual: number | null, expected: number): void {
  assert.ok(
    actual !== null && actual <= expected && actual > expected - SLACK,
    `${String(actual)} is not about ${expected}`,
  );
}

export function expiry(test: AddTest): void {
  test('[CMD-1] ttl and its kin tell missing, everlasting and ending keys apart', async ({ client, key }) => {
    await client.set(key('stays'), marked('value'));
    await client.set(key('ends'), marked('value'), { ttl: '1m' });
    const ends = Date.now() + MINUTE;
    for (const ask of ['ttl', 'pttl', 'expiretime', 'pexpiretime'] as const) {
      assert.equal(await client[ask](key('missing')), null);
      assert.equal(await client[ask](key('stays')), -1);
    }
    assertAbout(((await client.ttl(key('ends'))) as number) * 1_000, MINUTE);
    assertAbout(await client.pttl(key('ends')), MINUTE);
    const exact = (await client.pexpiretime(key('ends'))) as number;
    assert.ok(Math.abs(exact - ends) < SLACK + MINUTE, String(exact));
    assert.ok(Math.abs(((await client.expiretime(key('ends'))) as number) - exact / 1_000) <= 1);
  });

  test('[CMD-1] a key is gone once its time is over', async ({ client, key }) => {
    await client.set(key(), marked('value'), { ttl: 20 });
    await until('the key is gone', async () => (await client.get(key())) === null);
    assert.equal(await client.exists(key()), 0);
    assert.equal(await client.type(key()), 'none');
    assert.equal(await client.set(key(), marked('again'), { nx: true }), 'OK');
  });

  test('[CMD-1] a collection is gone once its time is over', async ({ client, key }) => {
    await client.hset(key(), 'field', marked('value'));
    assert.equal(await client.pexpire(key(), 20), true);
    await until('the hash is gone', async () => (await client.hlen(key())) === 0);
    assert.equal(await client.hset(key(), 'other', marked('value')), 1);
    assert.equal(await client.pttl(key()), -1);
  });

  test('[CMD-1] set forgets the old time to live unless told to keep it', async ({ client, key }) => {
    await client.set(key(), marked('value'), { ttl: '1m' });
    await client.set(key(), marked('kept'), { keepTtl: true });
    assertAbout(await client.pttl(key()), MINUTE);
    await client.set(key(), marked('forgotten'));
    assert.equal(await client.pttl(key()), -1);
  });

  test('[CMD-1] set with expireAt ends the key at an instant', async ({ client, key }) => {
    const at = new Date(Date.now() + MINUTE);
    await client.set(key('date'), marked('value'), { expireAt: at });
    assert.equal(await client.pexpiretime(key('date')), at.getTime());
    await client.set(key('number'), marked('value'), { expireAt: at.getTime() });
    assert.equal(await client.pexpiretime(key('number')), at.getTime());
    await client.set(key('past'), marked('value'), { expireAt: 1 });
    assert.equal(await client.get(key('past')), null);
  });

  test('[CMD-1] getex changes the time to live of what it reads', async ({ client, key }) => {
    assert.equal(await client.getex(key(), { ttl: '1m' }), null);
    await client.set(key(), marked('value'));
    assert.equal(await client.getex(key(), { ttl: '1m' }), marked('value'));
    assertAbout(await client.pttl(key()), MINUTE);
    assert.equal(await client.getex(key()), marked('value'));
    assertAbout(await client.pttl(key()), MINUTE);
    const at = Date.now() + 2 * MINUTE;
    assert.equal(await client.getex(key(), { expireAt: at }), marked('value'));
    assert.equal(await client.pexpiretime(key()), at);
    assert.equal(await client.getex(key(), { persist: true }), marked('value'));
    assert.equal(await client.pttl(key()), -1);
  });

  test('[CMD-1] expire takes seconds, pexpire milliseconds, both durations', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.expire(key(), 60), true);
    assertAbout(await client.pttl(key()), MINUTE);
    assert.equal(await client.expire(key(), '2m'), true);
    assertAbout(await client.pttl(key()), 2 * MINUTE);
    assert.equal(await client.pexpire(key(), MINUTE), true);
    assertAbout(await client.pttl(key()), MINUTE);
    assert.equal(await client.expire(key('missing'), 60), false);
    assert.equal(await client.expire(key(), 0), true);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-1] expireat and pexpireat end keys at instants', async ({ client, key }) => {
    const seconds = Math.floor(Date.now() / 1_000) + 60;
    await client.set(key(), marked('value'));
    assert.equal(await client.expireat(key(), seconds), true);
    assert.equal(await client.expiretime(key()), seconds);
    assert.equal(await client.pexpireat(key(), seconds * 1_000 + 7), true);
    assert.equal(await client.pexpiretime(key()), seconds * 1_000 + 7);
    assert.equal(await client.expireat(key(), new Date(seconds * 1_000 + 8)), true);
    assert.equal(await client.pexpiretime(key()), seconds * 1_000 + 8);
    assert.equal(await client.pexpireat(key(), new Date(1)), true);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-1] a time to live can be set on conditions', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.expire(key(), 100, { xx: true }), false);
    assert.equal(await client.expire(key(), 100, { gt: true }), false);
    assert.equal(await client.expire(key(), 100, { nx: true }), true);
    assert.equal(await client.expire(key(), 200, { nx: true }), false);
    assert.equal(await client.expire(key(), 50, { gt: true }), false);
    assert.equal(await client.expire(key(), 200, { gt: true }), true);
    assert.equal(await client.expire(key(), 300, { lt: true }), false);
    assert.equal(await client.expire(key(), 100, { lt: true }), true);
    assert.equal(await client.expire(key(), 60, { xx: true }), true);
    assertAbout(await client.pttl(key()), MINUTE);
  });

  test('[CMD-1] persist takes the time to live away, once', async ({ client, key }) => {
    await client.set(key(), marked('value'), { ttl: '1m' });
    assert.equal(await client.persist(key()), true);
    assert.equal(await client.persist(key()), false);
    assert.equal(await client.pttl(key()), -1);
    assert.equal(await client.persist(key('missing')), false);
  });
}
