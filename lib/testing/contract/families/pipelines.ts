import assert from 'node:assert/strict';
import { PipelineError } from '../../../client/pipeline-error.js';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

export function pipelines(test: AddTest): void {
  test('[PIP-1] a pipeline gives its results as a tuple, in order', async ({ client, key }) => {
    const [stored, read, count, fields, missing] = await client.pipeline((p) => [
      p.set(key('a'), '1'),
      p.get(key('a')),
      p.incr(key('n')),
      p.hset(key('h'), { a: 1, b: 2 }),
      p.get(key('missing')),
    ]);
    const typed: readonly ['OK' | null, string | null, number | bigint, number, string | null] = [
      stored,
      read,
      count,
      fields,
      missing,
    ];
    assert.deepEqual(typed, ['OK', '1', 1, 2, null]);
  });

  test('[PIP-1] only what the function returns is answered, in the order it is returned', async ({ client, key }) => {
    const results = await client.pipeline((p) => {
      const first = p.incr(key());
      p.incr(key());
      return [p.incr(key()), first];
    });
    assert.deepEqual(results, [3, 1]);
    assert.equal(await client.pipeline((p) => p.get(key())), '3');
  });

  test('[PIP-1] a failure names its position, and all others are executed', async ({ client, key }) => {
    await client.set(key('text'), marked('text'));
    const failing = client.pipeline((p) => [
      p.set(key('a'), 1),
      p.incr(key('text')),
      p.set(key('b'), 2),
      p.get(key('text')),
    ]);
    const error: unknown = await failing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof PipelineError);
    assert.equal(error.code, 'VALKEY_PIPELINE_FAILED');
    assert.deepEqual(
      error.results.map((result) => (result.ok ? result.value : (result.error as { kind: string }).kind)),
      ['OK', 'ERR', 'OK', marked('text')],
    );
    assert.deepEqual(await client.mget(key('a'), key('b')), ['1', '2']);
  });

  test('[PIP-1] a settled pipeline never throws', async ({ client, key }) => {
    await client.rpush(key('list'), marked('element'));
    const [good, bad] = await client.pipeline((p) => [p.set(key(), 1), p.get(key('list'))], { settled: true });
    assert.deepEqual(good, { ok: true, value: 'OK' });
    assert.equal(bad.ok, false);
    assert.equal((bad.error as { kind: string }).kind, 'WRONGTYPE');
  });

  test('[PIP-1] a chain collects its results', async ({ client, key }) => {
    const chain = client.pipeline().set(key(), 1).incr(key()).get(key()).del();
    assert.equal(chain.length, 4);
    const typed: readonly ['OK' | null, number | bigint, string | null, number] = await chain.exec();
    assert.deepEqual(typed, ['OK', 2, '2', 0]);
    const overloads: readonly [string | null, string[], string] = await client
      .pipeline()
      .set(key(), 3, { get: true })
      .lpop(key('list'), 2)
      .ping()
      .exec();
    assert.deepEqual(overloads, ['2', [], 'PONG']);
    await failsWith(client.pipeline().lpush(key(), marked('x'), marked('y')).exec(), 'VALKEY_PIPELINE_FAILED');
  });

  test('[PIP-1] [CLU-2] a thousand commands over all slots come back in order', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    const results = await client.pipeline((p) =>
      numbers.flatMap((number) => [p.set(scattered(number), number), p.get(scattered(number))]),
    );
    assert.deepEqual(
      results,
      numbers.flatMap((number) => ['OK', String(number)]),
    );
  });

  test('[PIP-1] [CLU-1] commands over many keys are split inside a pipeline too', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const [, values, there, removed] = await client.pipeline((p) => [
      p.mset(numbers.map((number) => [scattered(number), number] as const)),
      p.mget(numbers.map(scattered)),
      p.exists(numbers.map(scattered)),
      p.del(numbers.map(scattered)),
    ]);
    assert.deepEqual(values, numbers.map(String));
    assert.deepEqual([there, removed], [50, 50]);
  });

  test('[PIP-1] [CLU-2] one failure among many slots stays alone', async ({ client, scattered }) => {
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    await client.rpush(scattered(30), marked('element'));
    const results = await client.pipeline((p) => numbers.map((number) => p.incr(scattered(number))), {
      settled: true,
    });
    assert.deepEqual(
      results.map(({ ok }) => ok),
      numbers.map((number) => number !== 30),
    );
  });

  test('[PIP-1] commands of one slot take effect in the order they were queued', async ({ client, key }) => {
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    await client.pipeline((p) => numbers.map((number) => p.rpush(key(), number)));
    assert.deepEqual(await client.lrange(key(), 0, -1), numbers.map(String));
  });

  test('[PIP-1] any known command can be queued, an unknown or blocking connection command not', async ({
    client,
    key,
  }) => {
    assert.deepEqual(await client.pipeline((p) => [p.call('SET', key(), 1), p.call('INCR', key())]), ['OK', 2]);
    await failsWith(
      client.pipeline((p) => [p.set(key(), 9), p.call('NO.SUCH', key())]),
      'VALKEY_ARGUMENT_INVALID',
    );
    await failsWith(
      client.pipeline((p) => [p.call('BLPOP', key(), 0)]),
      'VALKEY_ARGUMENT_INVALID',
    );
    assert.equal(await client.get(key()), '2');
  });

  test('[PIP-1] [CMD-6] an aborted pipeline is not sent', async ({ client, key }) => {
    const reason = new Error('enough');
    const aborted = client.with({ signal: AbortSignal.abort(reason) });
    const results = await aborted.pipeline((p) => [p.set(key(), 1), p.get(key())], { settled: true });
    for (const result of results) assert.deepEqual(result, { ok: false, error: reason });
    await assert.rejects(
      aborted.pipeline((p) => [p.set(key(), 1)]),
      (error) => error === reason,
    );
    assert.equal(await client.exists(key()), 0);
  });
}
