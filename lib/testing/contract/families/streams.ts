import assert from 'node:assert/strict';
import type { CacheClient } from '../../../client/cache-client.js';
import { failsWith, refusedBy } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

/** Entries `1-0` to `count-0`, each with its number. */
async function fill(client: CacheClient, key: string, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await client.pipeline((p) => numbers.map((n) => p.xadd(key, { n }, { id: `${n}-0` })));
}

function plain<E extends { readonly fields: Record<string, string> | null }>(entries: readonly E[]): unknown[] {
  return entries.map((entry) => ({ ...entry, fields: entry.fields && { ...entry.fields } }));
}

function idsOf(entries: readonly { readonly id: string }[]): string[] {
  return entries.map(({ id }) => id);
}

export function streams(test: AddTest): void {
  test('[PUB-4] xadd makes growing ids and takes given ones', async ({ client, key }) => {
    const first = await client.xadd(key(), { n: 1 });
    const second = await client.xadd(key(), [['n', Buffer.from(marked('2'))]]);
    assert.match(first, /^\d+-\d+$/);
    assert.deepEqual(idsOf(await client.xrange(key(), '-', '+')), [first, second]);
    assert.equal(await client.xadd(key('own'), { n: 1 }, { id: '5-3' }), '5-3');
    assert.equal(await client.xadd(key('own'), { n: 2 }, { id: '5-*' }), '5-4');
    await refusedBy(client.xadd(key('own'), { n: marked('3') }, { id: '5-4' }), 'ERR', /equal or smaller/);
    await failsWith(client.xadd(key('own'), {}), 'VALKEY_ARGUMENT_INVALID');
  });

  test('[PUB-4] xadd can leave a missing stream missing', async ({ client, key }) => {
    assert.equal(await client.xadd(key(), { n: 1 }, { create: false }), null);
    assert.equal(await client.exists(key()), 0);
    await client.xadd(key(), { n: 1 });
    assert.match((await client.xadd(key(), { n: 2 }, { create: false })) as string, /-/);
  });

  test('[PUB-4] xadd and xtrim keep a stream short', async ({ client, key }) => {
    await fill(client, key(), 5);
    await client.xadd(key(), { n: 6 }, { id: '6-0', trim: { maxLength: 3, exact: true } });
    assert.deepEqual(idsOf(await client.xrange(key(), '-', '+')), ['4-0', '5-0', '6-0']);
    assert.equal(await client.xtrim(key(), { minId: '6-0', exact: true }), 2);
    assert.equal(await client.xlen(key()), 1);
    assert.equal(await client.xtrim(key(), { maxLength: 0, exact: true }), 1);
    assert.equal(await client.exists(key()), 1);
  });

  test('[PUB-4] xrange and xrevrange read between ids', async ({ client, key }) => {
    await fill(client, key(), 4);
    assert.deepEqual(plain(await client.xrange(key(), '2', '3')), [
      { id: '2-0', fields: { n: '2' } },
      { id: '3-0', fields: { n: '3' } },
    ]);
    assert.deepEqual(idsOf(await client.xrange(key(), '(2-0', '+', { count: 1 })), ['3-0']);
    assert.deepEqual(idsOf(await client.xrevrange(key(), '+', '-', { count: 2 })), ['4-0', '3-0']);
    assert.deepEqual(await client.xrange(key('missing'), '-', '+'), []);
  });

  test('[PUB-4] xdel and xlen count entries', async ({ client, key }) => {
    await fill(client, key(), 3);
    assert.equal(await client.xlen(key()), 3);
    assert.equal(await client.xdel(key(), '1-0', '9-9'), 1);
    assert.equal(await client.xdel(key(), ['2-0', '3-0']), 2);
    assert.equal(await client.xlen(key()), 0);
    assert.equal(await client.type(key()), 'stream');
    assert.equal(await client.xlen(key('missing')), 0);
  });

  test('[PUB-4] xread reads what came after an id, from several streams', async ({ client, key }) => {
    await fill(client, key('a'), 3);
    await fill(client, key('b'), 1);
    const read = await client.xread({ [key('a')]: '1-0', [key('b')]: '0', [key('missing')]: '0' }, { count: 1 });
    assert.deepEqual(
      read.map(({ stream, entries }) => [stream, idsOf(entries)]),
      [
        [key('a'), ['2-0']],
        [key('b'), ['1-0']],
      ],
    );
    assert.deepEqual(await client.xread({ [key('a')]: '3-0' }), []);
  });

  test('[PUB-4] xread waits for what comes', async ({ client, key, blocked }) => {
    await fill(client, key(), 1);
    const reading = client.xread({ [key('other')]: '$', [key()]: '$' }, { block: 0 });
    await blocked(1);
    await client.xadd(key(), { n: 2 }, { id: '2-0' });
    const [{ stream, entries } = { stream: '', entries: [] }] = await reading;
    assert.equal(stream, key());
    assert.deepEqual(plain(entries), [{ id: '2-0', fields: { n: '2' } }]);
    assert.deepEqual(await client.xread({ [key()]: '$' }, { block: 10 }), []);
  });

  test('[PUB-4] one entry reaches all readers that wait', async ({ client, key, blocked }) => {
    const readers = [client.xread({ [key()]: '$' }, { block: 0 })];
    await blocked(1);
    readers.push(client.xread({ [key()]: '0' }, { block: 0 }));
    await blocked(2);
    await client.xadd(key(), { n: 1 }, { id: '1-0' });
    for (const read of await Promise.all(readers)) assert.deepEqual(idsOf(read[0]?.entries ?? []), ['1-0']);
  });

  test('[PUB-4] xinfoStream tells about a stream', async ({ client, key }) => {
    await fill(client, key(), 3);
    await client.xdel(key(), '3-0');
    await client.xgroupCreate(key(), 'group');
    const info = await client.xinfoStream(key());
    assert.deepEqual(
      { ...info, firstEntry: info.firstEntry?.id, lastEntry: info.lastEntry?.id },
      {
        length: 2,
        groups: 1,
        lastGeneratedId: '3-0',
        maxDeletedEntryId: '3-0',
        entriesAdded: 3,
        firstEntry: '1-0',
        lastEntry: '2-0',
      },
    );
    await refusedBy(client.xinfoStream(key('missing')), 'ERR', /no such key/);
  });

  test('[PUB-4] a stream command refuses a key of another type', async ({ client, key }) => {
    await client.set(key(), marked('text'));
    await refusedBy(client.xadd(key(), { n: 1 }), 'WRONGTYPE');
    await refusedBy(client.xrange(key(), '-', '+'), 'WRONGTYPE');
    await refusedBy(client.xread({ [key()]: '0' }), 'WRONGTYPE');
  });
}
