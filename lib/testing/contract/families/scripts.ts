import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Reply } from '../../../driver/driver.js';
import { defineScript, type Script } from '../../../driver/script.js';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

/** A script no server knows yet: adds to a counter and gives the sum as text, with the extra arguments. */
function newScript(): Script {
  return defineScript({
    name: 'contract-add',
    lua: `-- ${randomBytes(8).toString('hex')}
      local sum = server.call('INCRBY', KEYS[1], ARGV[1])
      return { tostring(sum), #KEYS, #ARGV, ARGV[2] or false }`,
    embedded(context, [key], args) {
      const sum = context.call('INCRBY', key as string, args[0] as string);
      return [String(sum), 1, args.length, args[1] ?? null];
    },
  });
}

const ECHO = defineScript({
  name: 'contract-echo',
  lua: 'return ARGV[1]',
  readOnly: true,
  embedded: (_context, _keys, [first]) => first ?? null,
});

const REFUSE = defineScript({
  name: 'contract-refuse',
  lua: `return server.call('INCR', KEYS[1])`,
  embedded: (context, [key]) => context.call('INCR', key as string),
});

const MOVE = defineScript({
  name: 'contract-move',
  lua: `local n = server.call('DECR', KEYS[1])
        server.call('INCR', KEYS[2])
        return n`,
  embedded(context, [from, to]) {
    const left = context.call('DECR', from as string);
    context.call('INCR', to as string);
    return left;
  },
});

export function scripts(test: AddTest): void {
  test('[PIP-3] a script runs with its keys and arguments', async ({ client, key }) => {
    assert.deepEqual(await client.run(newScript(), [key()], [5]), ['5', 1, 1, null]);
    assert.deepEqual(await client.run(newScript(), [key()], [-2, marked('more')]), ['3', 1, 2, marked('more')]);
    assert.equal(await client.get(key()), '3');
  });

  test('[PIP-3] a script that no server knows is brought along, also the second time', async ({ client, key }) => {
    const script = newScript();
    await client.run(script, [key()], [1]);
    if (client.topology !== 'embedded') await client.call('SCRIPT', 'FLUSH');
    await client.run(script, [key()], [1]);
    await Promise.all(Array.from({ length: 20 }, () => client.run(script, [key()], [1])));
    assert.equal(await client.get(key()), '22');
  });

  test('[PIP-3] a script runs on whichever node owns its key', async ({ client, scattered }) => {
    const script = newScript();
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const replies = await Promise.all(numbers.map((number) => client.run(script, [scattered(number)], [number])));
    assert.deepEqual(
      replies.map((reply) => (reply as readonly Reply[])[0]),
      numbers.map(String),
    );
  });

  test('[PIP-3] an unknown script runs in a pipeline, in its turn', async ({ client, key, scattered }) => {
    const script = newScript();
    const results = await client.pipeline((p) => [
      p.set(key(), 10),
      p.run(script, [key()], [1]),
      p.get(key()),
      p.run(script, [key()], [1]),
      p.get(key()),
      p.run(script, [scattered(1)], [1]),
    ]);
    assert.deepEqual(
      results.map((result) => (Array.isArray(result) ? (result[0] as Reply) : result)),
      ['OK', '11', '11', '12', '12', '1'],
    );
  });

  test('[PIP-3] an unknown script runs in a transaction, in its turn', async ({ client, key }) => {
    const script = newScript();
    const results = await client.transaction((t) => [
      t.set(key(), 10),
      t.run(script, [key()], [1]),
      t.run(script, [key()], [1]),
      t.get(key()),
    ]);
    assert.deepEqual(
      results.map((result) => (Array.isArray(result) ? (result[0] as Reply) : result)),
      ['OK', '11', '12', '12'],
    );
  });

  test('[PIP-3] an error inside a script is the caller’s', async ({ client, key }) => {
    await client.rpush(key('list'), marked('element'));
    await refusedBy(client.run(REFUSE, [key('list')]), 'WRONGTYPE');
    await client.set(key('text'), marked('text'));
    await refusedBy(client.run(REFUSE, [key('text')]), 'ERR', /not an integer/);
    await failsWith(
      client.pipeline((p) => [p.run(REFUSE, [key('list')])]),
      'VALKEY_PIPELINE_FAILED',
    );
  });

  test('[PIP-3] a script is atomic', async ({ client, key }) => {
    await client.mset({ [key('a')]: 100, [key('b')]: 0 });
    const moves = Array.from({ length: 40 }, () => client.run(MOVE, [key('a'), key('b')]));
    const sums = await Promise.all(Array.from({ length: 40 }, () => client.mget(key('a'), key('b'))));
    for (const [a, b] of sums) assert.equal(Number(a) + Number(b), 100);
    await Promise.all(moves);
    assert.deepEqual(await client.mget(key('a'), key('b')), ['60', '40']);
  });

  test('[PIP-3] [CMD-8] a script takes and gives bytes, and its reply can be decoded', async ({ client, key }) => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    assert.deepEqual(await client.run(ECHO, [key()], [bytes], { binary: true }), bytes);
    assert.equal(await client.run(ECHO, [key()], ['21'], { decode: (reply) => Number(reply) * 2 }), 42);
    assert.equal(await client.run(ECHO, [key()], ['']), '');
    assert.equal(await client.run(ECHO, [key()]), null);
  });

  test('[PIP-3] [CLU-1] a script over several slots is refused on a cluster', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const wide = client.run(ECHO, numbers.map(scattered), [marked('ran')]);
    if (client.topology === 'cluster') await failsWith(wide, 'VALKEY_CROSS_SLOT');
    else assert.equal(await wide, marked('ran'));
  });
}
