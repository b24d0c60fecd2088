import assert from 'node:assert/strict';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function closing(test: AddTest): void {
  test('[RES-7] a closed client refuses every further call', async ({ open, key }) => {
    const client = await open();
    await client.set(key(), marked('value'));
    await client.close();
    const calls: readonly Promise<unknown>[] = [
      client.get(key()),
      client.set(key(), marked('other')),
      client.mget(key()),
      client.blpop(key('list'), { timeout: 0 }),
      client.call('GET', key()),
      client.transaction((t) => [t.get(key())]),
      client.transaction({ watch: [key()] }, (t) => [t.get(key())]),
      client.subscribe(key()),
      client.psubscribe(key('*')),
      client.scan().next(),
      client.ping(),
    ];
    for (const call of calls) await failsWith(call, 'VALKEY_CLIENT_CLOSED');
    const [result] = await client.pipeline((p) => [p.get(key())], { settled: true });
    assert.equal((result as { error?: { code: string } }).error?.code, 'VALKEY_CLIENT_CLOSED');
    assert.equal(client.underWay, 0);
  });

  test('[RES-7] what is under way finishes before a client closes', async ({ open, client, key }) => {
    const closed = await open();
    const writes = Array.from({ length: 100 }, () => closed.incr(key()));
    await closed.close();
    assert.deepEqual(
      await Promise.all(writes),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.equal(await client.get(key()), '100');
  });

  test('[RES-7] a wait that outlasts the drain limit is ended', async ({ open, client, key, blocked }) => {
    const closed = await open();
    const waiting = closed.blpop(key(), { timeout: 0 });
    const ended = assert.rejects(waiting, (error: { code: string }) =>
      ['VALKEY_CLIENT_CLOSED', 'VALKEY_OUTCOME_UNKNOWN'].includes(error.code),
    );
    await blocked(1);
    await closed.close();
    await ended;
    assert.equal(closed.underWay, 0);
    await blocked(0);
    await client.rpush(key(), marked('kept'));
    assert.equal(await client.llen(key()), 1);
  });

  test('[RES-7] closing ends subscriptions', async ({ open, key }) => {
    const client = await open();
    const subscription = await client.subscribe(key());
    const next = subscription.next();
    await client.close();
    assert.deepEqual(await next, { done: true, value: undefined });
    assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  });

  test('[RES-7] closing twice is closing once, and the state says so', async ({ open }) => {
    const client = await open();
    const states: string[] = [];
    const stop = client.onStatus(({ state }) => states.push(state));
    await Promise.all([client.close(), client.close()]);
    await client.close();
    stop();
    assert.equal(client.status().state, 'closed');
    assert.deepEqual(states, ['closed']);
  });

  test('[RES-7] other clients go on working', async ({ open, client, key }) => {
    const other = await open();
    await other.set(key(), marked('value'));
    await other.close();
    assert.equal(await client.get(key()), marked('value'));
  });
}
