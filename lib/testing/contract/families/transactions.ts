import assert from 'node:assert/strict';
import { PipelineError } from '../../../client/pipeline-error.js';
import { defineScript } from '../../../driver/script.js';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

/** Without a twin the embedded driver refuses it; with a text that is no Lua a server does. */
const BROKEN = defineScript({ name: 'broken', lua: 'this is no Lua' });

export function transactions(test: AddTest): void {
  test('[PIP-2] a transaction gives its results as a tuple, in order', async ({ client, key }) => {
    const results = await client.transaction((t) => [t.set(key('a'), 1), t.incr(key('a')), t.get(key('b')), t.del()]);
    assert.deepEqual(results, ['OK', 2, null, 0]);
  });

  test('[PIP-2] nobody sees half of a transaction', async ({ client, key, open }) => {
    const reader = await open();
    await client.mset({ [key('a')]: 0, [key('b')]: 0 });
    const writes = Array.from({ length: 50 }, () => client.transaction((t) => [t.incr(key('a')), t.incr(key('b'))]));
    const pairs = await Promise.all(Array.from({ length: 50 }, () => reader.mget(key('a'), key('b'))));
    for (const [a, b] of pairs) assert.equal(a, b);
    const results = await Promise.all(writes);
    assert.deepEqual(results.at(-1), [50, 50]);
  });

  test('[PIP-2] an error inside a transaction is its own command’s alone', async ({ client, key }) => {
    await client.set(key('text'), marked('text'));
    const failing = client.transaction((t) => [t.set(key('a'), 1), t.incr(key('text')), t.set(key('b'), 2)]);
    const error: unknown = await failing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof PipelineError);
    assert.deepEqual(
      error.results.map((result) => (result.ok ? result.value : (result.error as { code: string }).code)),
      ['OK', 'VALKEY_REPLY', 'OK'],
    );
    assert.deepEqual(await client.mget(key('a'), key('b')), ['1', '2']);
  });

  test('[PIP-2] a command that cannot be queued lets none of them apply', async ({ client, key }) => {
    const failing = client.transaction((t) => [t.set(key('a'), 1), t.call('SET', key('b')), t.set(key('c'), 3)]);
    await failsWith(failing, 'VALKEY_TRANSACTION_FAILED');
    assert.equal(await client.exists(key('a'), key('b'), key('c')), 0);
    assert.deepEqual(await client.transaction((t) => [t.set(key('a'), 1)]), ['OK']);
  });

  test('[PIP-2] a watched key that nobody changed lets the transaction through', async ({ client, key }) => {
    await client.set(key(), 5);
    const results = await client.transaction({ watch: [key()] }, async (t) => {
      const value = Number(await client.get(key()));
      return [t.set(key(), value * 2), t.get(key())];
    });
    assert.deepEqual(results, ['OK', '10']);
  });

  test('[PIP-2] a watched key that somebody changed starts the transaction over', async ({ client, key, open }) => {
    const rival = await open();
    await client.set(key(), 5);
    let attempts = 0;
    await client.transaction({ watch: [key()] }, async (t) => {
      attempts += 1;
      const value = Number(await client.get(key()));
      if (attempts === 1) await rival.set(key(), 7);
      return [t.set(key(), value * 2)];
    });
    assert.equal(attempts, 2);
    assert.equal(await client.get(key()), '14');
  });

  test('[PIP-2] writers that watch lose no update', async ({ client, key }) => {
    await client.set(key(), 0);
    const writers = Array.from({ length: 5 }, () =>
      client.transaction({ watch: [key()], attempts: 100 }, async (t) => {
        const value = Number(await client.get(key()));
        return [t.set(key(), value + 1)];
      }),
    );
    await Promise.all(writers);
    assert.equal(await client.get(key()), '5');
  });

  test('[PIP-2] a conflict in every attempt is an error, and nothing was applied', async ({ client, key }) => {
    const contested = client.transaction({ watch: [key(), key('other')], attempts: 3 }, async (t) => {
      await client.incr(key('other'));
      return [t.set(key(), marked('never'))];
    });
    await failsWith(contested, 'VALKEY_TRANSACTION_CONFLICT');
    assert.deepEqual(await client.mget(key(), key('other')), [null, '3']);
  });

  test('[PIP-2] a watched key that is deleted was changed too', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    const contested = client.transaction({ watch: [key()], attempts: 1 }, async (t) => {
      await client.del(key());
      return [t.set(key('never'), 1)];
    });
    await failsWith(contested, 'VALKEY_TRANSACTION_CONFLICT');
    assert.equal(await client.exists(key('never')), 0);
  });

  test('[PIP-2] what the function throws ends the transaction and its watch', async ({ client, key }) => {
    const reason = new Error('changed my mind');
    const given = client.transaction({ watch: [key()] }, () => {
      throw reason;
    });
    await assert.rejects(given, (error) => error === reason);
    await client.set(key(), marked('changed'));
    assert.deepEqual(await client.transaction({ watch: [key('b')], attempts: 1 }, (t) => [t.get(key())]), [
      marked('changed'),
    ]);
  });

  test('[PIP-2] a transaction over several slots or none is refused on a cluster', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const wide = client.transaction((t) => numbers.map((number) => t.incr(scattered(number))));
    if (client.topology === 'cluster') {
      await failsWith(wide, 'VALKEY_CROSS_SLOT');
      await failsWith(
        client.transaction((t) => [t.ping()]),
        'VALKEY_ARGUMENT_INVALID',
      );
      assert.equal(await client.exists(numbers.map(scattered)), 0);
    } else {
      assert.deepEqual(new Set(await wide), new Set([1]));
      assert.deepEqual(await client.transaction((t) => [t.ping()]), ['PONG']);
    }
  });

  test('[PIP-2] [PIP-3] a script that cannot run leaves the client usable', async ({ client, key }) => {
    const failing = client.transaction((t) => [t.set(key(), 1), t.run(BROKEN, [key()])]);
    await assert.rejects(failing, { name: /Error$/ });
    assert.equal(await client.set(key('after'), marked('value')), 'OK');
    assert.deepEqual(await client.transaction((t) => [t.get(key('after'))]), [marked('value')]);
  });
}
