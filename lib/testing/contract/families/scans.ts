import assert from 'node:assert/strict';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

/** More than one page of any scan. */
const MANY = Array.from({ length: 1_500 }, (_, index) => index);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}

export function scans(test: AddTest): void {
  test('[CMD-7] scan gives every key of all primaries once', async ({ client, scattered }) => {
    await client.mset(MANY.map((number) => [scattered(number), number] as const));
    const found = await collect(client.scan({ match: `${scattered(0).slice(0, -1)}*` }));
    assert.deepEqual(found.toSorted(), MANY.map(scattered).toSorted());
    await client.unlink(MANY.map(scattered));
  });

  test('[CMD-7] scan looks for patterns and types', async ({ client, key }) => {
    await client.mset({ [key('ab')]: 1, [key('ac')]: 1, [key('bc')]: 1 });
    await client.sadd(key('ad'), marked('member'));
    const named = async (match: string, type?: string): Promise<string[]> =>
      (await collect(client.scan({ match: key(match), ...(type === undefined ? {} : { type }) }))).toSorted();
    assert.deepEqual(await named('a?'), [key('ab'), key('ac'), key('ad')]);
    assert.deepEqual(await named('[ab]c'), [key('ac'), key('bc')]);
    assert.deepEqual(await named('a*', 'set'), [key('ad')]);
    assert.deepEqual(await named('a*', 'string'), [key('ab'), key('ac')]);
    assert.deepEqual(await named('x*'), []);
  });

  test('[CMD-7] scan can be left early', async ({ client, key }) => {
    await client.mset({ [key('a')]: 1, [key('b')]: 1 });
    const seen: string[] = [];
    for await (const found of client.scan({ match: key('*'), count: 1 })) {
      seen.push(found);
      break;
    }
    assert.equal(seen.length, 1);
    await client.ping();
  });

  test('[CMD-7] a scan of a bad count or under an aborted scope rejects', async ({ client, key }) => {
    await failsWith(collect(client.scan({ count: 0 })), 'VALKEY_ARGUMENT_INVALID');
    const reason = new Error('enough');
    const aborted = client.with({ signal: AbortSignal.abort(reason) });
    await assert.rejects(collect(aborted.scan()), (error) => error === reason);
    await client.set(key(), marked('text'));
    await refusedBy(collect(client.hscan(key())), 'WRONGTYPE');
  });

  test('[CMD-7] hscan gives every field once', async ({ client, key }) => {
    await client.hset(key(), new Map(MANY.map((number) => [`f${number}`, number])));
    const found = await collect(client.hscan(key()));
    assert.equal(found.length, MANY.length);
    assert.deepEqual(found.map(([, value]) => value).toSorted(byNumber), MANY.map(String));
    for (const [field, value] of found) assert.equal(field, `f${value}`);
    assert.deepEqual((await collect(client.hscan(key(), { match: 'f1?' }))).length, 10);
  });

  test('[CMD-7] sscan gives every member once', async ({ client, key }) => {
    await client.sadd(key(), MANY);
    assert.deepEqual((await collect(client.sscan(key()))).toSorted(byNumber), MANY.map(String));
    assert.deepEqual((await collect(client.sscan(key(), { match: '149?' }))).length, 10);
    assert.deepEqual(await collect(client.sscan(key('missing'))), []);
  });

  test('[CMD-7] zscan gives every member once, with its score', async ({ client, key }) => {
    await client.zadd(
      key(),
      MANY.map((number) => ({ member: number, score: number + 0.5 })),
    );
    await client.zadd(key(), { top: Infinity, bottom: -Infinity });
    const scores = new Map((await collect(client.zscan(key()))).map(({ member, score }) => [member, score]));
    assert.equal(scores.size, MANY.length + 2);
    for (const number of MANY) assert.equal(scores.get(String(number)), number + 0.5);
    assert.deepEqual([scores.get('top'), scores.get('bottom')], [Infinity, -Infinity]);
  });

  test('[CMD-7] a small collection is scanned like a large one', async ({ client, key }) => {
    await client.hset(key('h'), 'a', '1');
    await client.sadd(key('s'), marked('text'));
    await client.zadd(key('z'), { a: 1.5 });
    assert.deepEqual(await collect(client.hscan(key('h'))), [['a', '1']]);
    assert.deepEqual(await collect(client.sscan(key('s'))), [marked('text')]);
    assert.deepEqual(await collect(client.zscan(key('z'))), [{ member: 'a', score: 1.5 }]);
  });
}
