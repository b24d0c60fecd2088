import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function calls(test: AddTest): void {
  test('[CMD-3] call sends any known command, by its name in any case', async ({ client, key }) => {
    assert.equal(await client.call('set', key(), 'value', 'EX', 60), 'OK');
    assert.equal(await client.call('GET', key()), 'value');
    assert.deepEqual(await client.call('MGET', key(), key('missing')), ['value', null]);
    assert.equal(await client.call('INCRBY', key('n'), 2n ** 60n), 2n ** 60n);
    assert.equal(await client.call('SETRANGE', key(), 5, Buffer.from('!')), 6);
  });

  test('[CMD-3] call is routed by the real keys of a command', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    await Promise.all(numbers.map((number) => client.zadd(scattered(number), { member: number })));
    for (const number of numbers) {
      const name = scattered(number);
      assert.deepEqual(await client.call('ZMPOP', 1, name, 'MIN'), [name, [['member', String(number)]]]);
      assert.equal(await client.exists(name), 0);
    }
  });

  test('[CMD-3] keys that do not come first are found', async ({ client, scattered, capabilities }) => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(numbers.map((number) => client.set(scattered(number), number)));
    const asked = numbers.map((number) => client.call('OBJECT', 'ENCODING', scattered(number)));
    if (capabilities.introspection) {
      assert.deepEqual(
        await Promise.all(asked),
        numbers.map(() => 'int'),
      );
    } else for (const each of asked) await failsWith(each, 'VALKEY_UNSUPPORTED');
  });

  test('[CMD-3] [PIP-3] Lua of the caller’s own runs where its keys are', async ({
    client,
    scattered,
    capabilities,
  }) => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const text = `return server.call('INCRBY', KEYS[1], ARGV[1])`;
    const runs = numbers.map((number) => client.call('EVAL', text, 1, scattered(number), number));
    if (capabilities.lua) assert.deepEqual(await Promise.all(runs), numbers);
    else for (const run of runs) await failsWith(run, 'VALKEY_UNSUPPORTED');
  });

  test('[CMD-3] a blocking command sent by call holds up nobody', async ({ client, key, blocked }) => {
    const waiting = client.call('BLPOP', key(), 0);
    await blocked(1);
    assert.equal(await client.rpush(key(), marked('element')), 1);
    assert.deepEqual(await waiting, [key(), marked('element')]);
  });

  test('[CMD-3] an error reply and a wrong number of arguments reject', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await refusedBy(client.call('LPUSH', key(), 'x'), 'WRONGTYPE');
    await refusedBy(client.call('GET', key(), 'too', 'many'), 'ERR', /wrong number of arguments/);
    await refusedBy(client.call('SET', key(), 'value', 'NONSENSE'), 'ERR', /syntax error/);
    assert.equal(await client.get(key()), marked('text'));
  });

  test('[CMD-3] a command nobody knows is refused', async ({ client, key }) => {
    await failsWith(client.call('NO.SUCH.COMMAND', key()), 'VALKEY_UNSUPPORTED');
    assert.equal(await client.ping(), 'PONG');
  });

  test('[CMD-3] commands that would change a shared connection are refused', async ({ client }) => {
    for (const command of ['MULTI', 'SUBSCRIBE', 'SELECT', 'HELLO', 'WATCH', 'MONITOR']) {
      await failsWith(client.call(command, '1'), 'VALKEY_UNSUPPORTED');
    }
    assert.equal(await client.ping(), 'PONG');
  });

  test('[CMD-3] the keys of a command that only the server knows are asked of it', async (trial) => {
    const { client, scattered, key, capabilities } = trial;
    const { renamed } = capabilities;
    if (!renamed) return;
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    for (const number of numbers) {
      assert.equal(await client.call(renamed.GETSET, scattered(number), number), null);
      assert.equal(await client.get(scattered(number)), String(number));
      const text = `return server.call('GET', KEYS[1])`;
      assert.equal(await client.call(renamed.EVAL_RO, text, 1, scattered(number), 'more'), String(number));
    }
    await refusedBy(client.call(renamed.GETSET, key()), 'ERR', /wrong number of arguments/);
  });
}
