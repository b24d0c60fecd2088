import assert from 'node:assert/strict';
import type { CacheClient } from '../../../client/cache-client.js';
import { refusedBy } from '../failures.js';
import type { AddTest } from '../trial.js';

const ANNE = { group: 'g', consumer: 'anne' } as const;
const BERT = { group: 'g', consumer: 'bert' } as const;

/** A stream with entries `1-0` to `count-0` and a group that has read nothing. */
async function begin(client: CacheClient, key: string, count: number): Promise<void> {
  await client.xgroupCreate(key, 'g', { id: '0', create: true });
  for (let n = 1; n <= count; n += 1) await client.xadd(key, { n }, { id: `${n}-0` });
}

function idsOf(streams: readonly { readonly entries: readonly { readonly id: string }[] }[]): string[] {
  return streams.flatMap(({ entries }) => entries.map(({ id }) => id));
}

export function streamGroups(test: AddTest): void {
  test('[PUB-4] a group needs its stream, and exists once', async ({ client, key }) => {
    await refusedBy(client.xgroupCreate(key(), 'g'), 'ERR', /requires the key to exist/);
    assert.equal(await client.xgroupCreate(key(), 'g', { create: true }), 'OK');
    await refusedBy(client.xgroupCreate(key(), 'g'), 'BUSYGROUP');
    assert.equal(await client.xgroupDestroy(key(), 'g'), true);
    assert.equal(await client.xgroupDestroy(key(), 'g'), false);
    await refusedBy(client.xreadgroup(ANNE, { [key()]: '>' }), 'NOGROUP');
  });

  test('[PUB-4] each entry goes to one consumer of a group', async ({ client, key }) => {
    await begin(client, key(), 3);
    assert.deepEqual(idsOf(await client.xreadgroup(ANNE, { [key()]: '>' }, { count: 2 })), ['1-0', '2-0']);
    assert.deepEqual(idsOf(await client.xreadgroup(BERT, { [key()]: '>' })), ['3-0']);
    assert.deepEqual(await client.xreadgroup(ANNE, { [key()]: '>' }), []);
  });

  test('[PUB-4] a consumer sees again what it did not acknowledge', async ({ client, key }) => {
    await begin(client, key(), 2);
    await client.xreadgroup(ANNE, { [key()]: '>' });
    assert.equal(await client.xack(key(), 'g', '1-0', '9-9'), 1);
    assert.deepEqual(idsOf(await client.xreadgroup(ANNE, { [key()]: '0' })), ['2-0']);
    await client.xdel(key(), '2-0');
    const [pending] = await client.xreadgroup(ANNE, { [key()]: '0' });
    assert.deepEqual(pending, { stream: key(), entries: [{ id: '2-0', fields: null }] });
  });

  test('[PUB-4] what is read without acknowledgement is not pending', async ({ client, key }) => {
    await begin(client, key(), 1);
    assert.deepEqual(idsOf(await client.xreadgroup(ANNE, { [key()]: '>' }, { noAck: true })), ['1-0']);
    assert.equal((await client.xpending(key(), 'g')).count, 0);
  });

  test('[PUB-4] xreadgroup waits for what comes', async ({ client, key, blocked }) => {
    await begin(client, key(), 0);
    const reading = client.xreadgroup(ANNE, { [key()]: '>' }, { block: 0 });
    await blocked(1);
    const other = client.xreadgroup(BERT, { [key()]: '>' }, { block: 0 });
    await blocked(2);
    await client.xadd(key(), { n: 1 }, { id: '1-0' });
    assert.deepEqual(idsOf(await reading), ['1-0']);
    await client.xadd(key(), { n: 2 }, { id: '2-0' });
    assert.deepEqual(idsOf(await other), ['2-0']);
    assert.deepEqual(await client.xreadgroup(ANNE, { [key()]: '>' }, { block: 10 }), []);
  });

  test('[PUB-4] a group that is removed ends the wait of its consumers', async ({ client, key, blocked }) => {
    await begin(client, key(), 0);
    const reading = client.xreadgroup(ANNE, { [key()]: '>' }, { block: 0 });
    const refused = refusedBy(reading, 'NOGROUP');
    await blocked(1);
    await client.xgroupDestroy(key(), 'g');
    await refused;
  });

  test('[PUB-4] xpending and xpendingEntries tell what waits for whom', async ({ client, key }) => {
    await begin(client, key(), 3);
    assert.deepEqual(await client.xpending(key(), 'g'), { count: 0, first: null, last: null, consumers: [] });
    await client.xreadgroup(ANNE, { [key()]: '>' }, { count: 2 });
    await client.xreadgroup(BERT, { [key()]: '>' });
    assert.deepEqual(await client.xpending(key(), 'g'), {
      count: 3,
      first: '1-0',
      last: '3-0',
      consumers: [
        { name: 'anne', count: 2 },
        { name: 'bert', count: 1 },
      ],
    });
    const pending = await client.xpendingEntries(key(), 'g', { count: 10, consumer: 'anne', start: '2-0' });
    assert.deepEqual(
      pending.map(({ id, consumer, deliveries }) => ({ id, consumer, deliveries })),
      [{ id: '2-0', consumer: 'anne', deliveries: 1 }],
    );
    assert.deepEqual(await client.xpendingEntries(key(), 'g', { count: 10, minIdle: '1h' }), []);
  });

  test('[PUB-4] xclaim takes named entries over', async ({ client, key }) => {
    await begin(client, key(), 2);
    await client.xreadgroup(ANNE, { [key()]: '>' });
    assert.deepEqual(await client.xclaim(key(), BERT, ['1-0'], { minIdle: '1h' }), []);
    const claimed = await client.xclaim(key(), BERT, ['1-0', '9-9'], { minIdle: 0 });
    assert.deepEqual(
      claimed.map(({ id, fields }) => [id, { ...fields }]),
      [['1-0', { n: '1' }]],
    );
    const [entry] = await client.xpendingEntries(key(), 'g', { count: 1 });
    assert.deepEqual([entry?.consumer, entry?.deliveries], ['bert', 2]);
  });

  test('[PUB-4] xautoclaim takes abandoned entries over, page by page', async ({ client, key }) => {
    await begin(client, key(), 4);
    await client.xreadgroup(ANNE, { [key()]: '>' });
    await client.xdel(key(), '2-0');
    const first = await client.xautoclaim(key(), BERT, { minIdle: 0, count: 2 });
    assert.deepEqual([first.next, first.entries.map(({ id }) => id), first.deleted], ['3-0', ['1-0'], ['2-0']]);
    const rest = await client.xautoclaim(key(), BERT, { minIdle: 0, start: first.next });
    assert.deepEqual([rest.next, rest.entries.map(({ id }) => id), rest.deleted], ['0-0', ['3-0', '4-0'], []]);
    assert.deepEqual((await client.xautoclaim(key(), ANNE, { minIdle: '1h' })).entries, []);
    assert.deepEqual((await client.xpending(key(), 'g')).consumers, [{ name: 'bert', count: 3 }]);
  });

  test('[PUB-4] consumers are made, listed and removed', async ({ client, key }) => {
    await begin(client, key(), 2);
    assert.equal(await client.xgroupCreateconsumer(key(), 'g', 'anne'), true);
    assert.equal(await client.xgroupCreateconsumer(key(), 'g', 'anne'), false);
    await client.xreadgroup(BERT, { [key()]: '>' });
    const consumers = await client.xinfoConsumers(key(), 'g');
    assert.deepEqual(
      consumers.map(({ name, pending }) => [name, pending]),
      [
        ['anne', 0],
        ['bert', 2],
      ],
    );
    assert.equal(consumers[0]?.inactive, -1);
    assert.ok((consumers[1]?.idle ?? -1) >= 0);
    assert.equal(await client.xgroupDelconsumer(key(), 'g', 'bert'), 2);
    assert.equal((await client.xpending(key(), 'g')).count, 0);
  });

  test('[PUB-4] a group goes on where it is told to', async ({ client, key }) => {
    await begin(client, key(), 3);
    assert.equal(await client.xgroupSetid(key(), 'g', '2-0'), 'OK');
    assert.deepEqual(idsOf(await client.xreadgroup(ANNE, { [key()]: '>' })), ['3-0']);
    assert.equal(await client.xgroupSetid(key(), 'g', '$'), 'OK');
    assert.deepEqual(await client.xreadgroup(ANNE, { [key()]: '>' }), []);
  });

  test('[PUB-4] xinfoGroups tells how far groups are', async ({ client, key }) => {
    await begin(client, key(), 3);
    await client.xreadgroup(ANNE, { [key()]: '>' }, { count: 2 });
    await client.xgroupCreate(key(), 'late');
    assert.deepEqual(await client.xinfoGroups(key()), [
      { name: 'g', consumers: 1, pending: 2, lastDeliveredId: '2-0', entriesRead: 2, lag: 1 },
      { name: 'late', consumers: 0, pending: 0, lastDeliveredId: '3-0', entriesRead: null, lag: 0 },
    ]);
  });
}
