import assert from 'node:assert/strict';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function scopes(test: AddTest): void {
  test('[CMD-6] a call under an aborted signal rejects with its reason and is not sent', async ({ client, key }) => {
    const reason = new Error('enough');
    const aborted = client.with({ signal: AbortSignal.abort(reason) });
    for (const call of [aborted.set(key(), 1), aborted.mget(key()), aborted.call('SET', key(), 1)]) {
      await assert.rejects(call, (error) => error === reason);
    }
    await assert.rejects(
      aborted.transaction((t) => [t.set(key(), 1)]),
      (error) => error === reason,
    );
    await assert.rejects(aborted.subscribe(key()), (error) => error === reason);
    assert.equal(await client.exists(key()), 0);
  });

  test('[CMD-6] an abort ends all calls of its scope, and no others', async ({ client, key, blocked }) => {
    const stop = new AbortController();
    const scoped = client.with({ signal: stop.signal });
    const ended = Promise.allSettled([
      scoped.blpop(key('a'), { timeout: 0 }),
      scoped.xread({ [key('s')]: '$' }, { block: 0 }),
    ]);
    await blocked(2);
    const other = client.blpop(key('b'), { timeout: 0 });
    await blocked(3);
    stop.abort('why');
    for (const result of await ended) assert.deepEqual(result, { status: 'rejected', reason: 'why' });
    await client.rpush(key('b'), marked('served'));
    assert.equal((await other)?.value, marked('served'));
    await blocked(0);
  });

  test('[CMD-6] a signal that never fires changes nothing', async ({ client, key }) => {
    const scoped = client.with({ signal: new AbortController().signal, timeout: '5s' });
    await scoped.set(key(), 'value');
    assert.deepEqual(await scoped.pipeline((p) => [p.get(key()), p.strlen(key())]), ['value', 5]);
    assert.deepEqual(await scoped.transaction({ watch: [key()] }, (t) => [t.get(key())]), ['value']);
    assert.equal(client.underWay, 0);
  });

  test('[CMD-6] the preference of a scope decides who may answer', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    assert.equal(await client.with({ route: 'primary' }).get(key()), marked('value'));
    // A replica may be behind, but it answers.
    const answer = await client.with({ route: 'preferReplica' }).get(key());
    assert.ok(answer === marked('value') || answer === null);
    assert.throws(() => client.with({ route: 'nowhere' as 'primary' }), { code: 'VALKEY_ARGUMENT_INVALID' });
  });

  test('[CMD-6] a scope inside a scope keeps what it does not replace', async ({ client, key }) => {
    const reason = new Error('enough');
    const inner = client.with({ signal: AbortSignal.abort(reason) }).with({ timeout: '1s' });
    await assert.rejects(inner.get(key()), (error) => error === reason);
    assert.throws(() => client.with({ timeout: 0 }), { code: 'VALKEY_ARGUMENT_INVALID' });
    await failsWith(client.with({ timeout: 20 }).blpop(key(), { timeout: 0 }), 'VALKEY_OUTCOME_UNKNOWN');
  });
}
