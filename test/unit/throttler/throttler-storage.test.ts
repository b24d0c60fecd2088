import type { RateLimitEvent } from '../../../lib/core/events.js';
import { events } from '../../../lib/core/events.js';
import { createTestClient } from '../../../lib/testing/index.js';
import type { TestClient } from '../../../lib/testing/index.js';
import { ValkeyThrottlerStorage } from '../../../lib/throttler/index.js';
import type { RateLimiterOptions, ThrottlerRecord } from '../../../lib/throttler/index.js';
import { until } from '../../support/index.js';

/** Nothing is remembered in the process: its clock is not the one of the test. */
const PLAIN: RateLimiterOptions = { blockList: 0, onStoreDown: 'closed' };
const MINUTE = 60_000;

let test: TestClient;
let storage: ValkeyThrottlerStorage;

beforeEach(async () => {
  test = await createTestClient();
  storage = new ValkeyThrottlerStorage(test.client, PLAIN);
});
afterEach(() => test.client.close());

/** One hit: three a minute, then blocked for ten seconds, if nothing else is said. */
function hit({
  key = 'anne',
  ttl = MINUTE,
  limit = 3,
  block = 10_000,
  name = 'default',
} = {}): Promise<ThrottlerRecord> {
  return storage.increment(key, ttl, limit, block, name);
}

async function hits(count: number, options: Parameters<typeof hit>[0] = {}): Promise<ThrottlerRecord[]> {
  const records: ThrottlerRecord[] = [];
  for (let index = 0; index < count; index += 1) records.push(await hit(options));
  return records;
}

describe('[RLM-5] the storage for @nestjs/throttler', () => {
  it('counts hits, and says in seconds, rounded up, when the window ends', async () => {
    expect(await hit()).toEqual({ totalHits: 1, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    test.clock.advance(500);
    expect(await hit()).toEqual({ totalHits: 2, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    test.clock.advance(58_600);
    expect(await hit()).toEqual({ totalHits: 3, timeToExpire: 1, isBlocked: false, timeToBlockExpire: 0 });
  });

  it('begins anew when the window is over', async () => {
    await hits(3);
    test.clock.advance(MINUTE);
    expect(await hit()).toMatchObject({ totalHits: 1, timeToExpire: 60, isBlocked: false });
  });

  it('blocks with the first hit over the limit, and counts nothing while it is blocked', async () => {
    await hits(3);
    expect(await hit()).toEqual({ totalHits: 4, timeToExpire: 60, isBlocked: true, timeToBlockExpire: 10 });
    test.clock.advance(9_500);
    expect(await hit()).toEqual({ totalHits: 4, timeToExpire: 51, isBlocked: true, timeToBlockExpire: 1 });
  });

  it('does not block again at once after a block shorter than the window', async () => {
    await hits(4);
    test.clock.advance(10_000);
    expect(await hits(3)).toMatchObject([
      { totalHits: 1, timeToExpire: 60, isBlocked: false },
      { totalHits: 2, isBlocked: false },
      { totalHits: 3, isBlocked: false },
    ]);
    expect(await hit()).toMatchObject({ isBlocked: true, timeToBlockExpire: 10 });
  });

  it('holds a block that is longer than the window', async () => {
    await hits(4, { block: 2 * MINUTE });
    test.clock.advance(MINUTE + 1);
    expect(await hit({ block: 2 * MINUTE })).toEqual({
      totalHits: 4,
      timeToExpire: 0,
      isBlocked: true,
      timeToBlockExpire: 60,
    });
    test.clock.advance(MINUTE);
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
  });

  it('refuses until the window ends, and writes nothing, where there is no block', async () => {
    await hits(3, { block: 0 });
    const [key = ''] = await keys();
    const before = await test.client.get(key);
    test.clock.advance(20_000);
    expect(await hits(2, { block: 0 })).toEqual(
      Array.from({ length: 2 }, () => ({ totalHits: 4, timeToExpire: 40, isBlocked: true, timeToBlockExpire: 40 })),
    );
    expect(await test.client.get(key)).toBe(before);
    test.clock.advance(40_000);
    expect(await hit({ block: 0 })).toMatchObject({ totalHits: 1, isBlocked: false });
  });

  it('keeps a block that was set, whatever block and limit the next hit names', async () => {
    await hits(4, { block: 30_000 });
    expect(await hit({ block: 1_000, limit: 100 })).toMatchObject({ isBlocked: true, timeToBlockExpire: 30 });
    expect(await hit({ block: 0, limit: 100 })).toMatchObject({ isBlocked: true, timeToBlockExpire: 30 });
  });

  it('counts keys apart, and throttlers apart that share a key', async () => {
    await hits(3);
    expect(await hit({ key: 'bert' })).toMatchObject({ totalHits: 1 });
    expect(await hit({ name: 'long' })).toMatchObject({ totalHits: 1 });
    // Put together carelessly these two would be one.
    expect(await hit({ name: 'a:b', key: 'c' })).toMatchObject({ totalHits: 1 });
    expect(await hit({ name: 'a', key: 'b:c' })).toMatchObject({ totalHits: 1 });
  });

  it('takes what throttler takes: no hit at all, no window, no end, no bound', async () => {
    expect(await hit({ limit: 0 })).toMatchObject({ totalHits: 1, isBlocked: true, timeToBlockExpire: 10 });
    expect(await hits(2, { key: 'no window', ttl: 0, limit: 1 })).toMatchObject([
      { totalHits: 1, timeToExpire: 0, isBlocked: false },
      { totalHits: 1, timeToExpire: 0, isBlocked: false },
    ]);
    expect(await hit({ key: 'no end', ttl: Infinity })).toMatchObject({ totalHits: 1, timeToExpire: 366 * 86_400 });
    expect(await hit({ key: 'no bound', limit: Infinity })).toMatchObject({ totalHits: 1, isBlocked: false });
    expect(await hit({ key: 'parts', ttl: 0.5 })).toMatchObject({ totalHits: 1, timeToExpire: 1 });
  });

  it.each(['local', 'open', 'closed'] as const)(
    'refuses what is no number, whatever %s does without the server',
    async (onStoreDown) => {
      storage = new ValkeyThrottlerStorage(test.client, { ...PLAIN, onStoreDown });
      const failure = { code: 'VALKEY_ARGUMENT_INVALID' };

      await expect(hit({ limit: Number.NaN })).rejects.toMatchObject({
        ...failure,
        message: 'limit of the throttler "default" is NaN: it must be a number.',
      });
      await expect(hit({ ttl: Number('soon') })).rejects.toMatchObject(failure);
      await expect(hit({ block: undefined as unknown as number, ttl: {} as number })).rejects.toMatchObject(failure);
    },
  );

  it.each([
    ['a hash', (key: string) => test.client.hset(key, { a: '1' })],
    ['words', (key: string) => test.client.set(key, 'one two three')],
    ['a number', (key: string) => test.client.set(key, '7')],
    ['times of another age', (key: string) => test.client.set(key, '9 9999999999999999 9999999999999999')],
  ])('begins anew over %s, and gives the key an end', async (_what, plant) => {
    await hit();
    const [key = ''] = await keys();
    await test.client.del(key);
    await plant(key);
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
    expect(await test.client.pttl(key)).toBe(MINUTE);
  });

  it.each([
    ['counted', 2, {}, MINUTE],
    ['blocked', 4, {}, MINUTE],
    ['blocked for long', 4, { block: 2 * MINUTE }, 2 * MINUTE],
    ['refused without a block', 3, { block: 0 }, MINUTE],
  ])('heals a key that lost its end while it is %s', async (_state, count, options, life) => {
    await hits(count, options);
    const [key = ''] = await keys();
    await test.client.persist(key);
    await hit(options);
    expect(await test.client.pttl(key)).toBe(life);
  });

  it('leaves nothing behind when window and block are over', async () => {
    await hits(4);
    await hits(2, { key: 'bert' });
    test.clock.advance(MINUTE);
    expect(await keys()).toEqual([]);
  });

  it('names all that is wrong with its options', () => {
    const wrong = { onStoreDown: 'maybe', blockList: -1, timeouts: 5 } as unknown as RateLimiterOptions;
    expect(() => new ValkeyThrottlerStorage(test.client, wrong)).toThrow(
      expect.objectContaining({
        code: 'VALKEY_CONFIGURATION_INVALID',
        message: expect.stringMatching(/onStoreDown[^]*blockList|blockList[^]*onStoreDown/),
      }),
    );
  });

  it.each(['local', 'open', 'closed'] as const)(
    'admits nothing when the application has ended, with onStoreDown %s',
    async (onStoreDown) => {
      storage = new ValkeyThrottlerStorage(test.client, { onStoreDown });
      await test.client.close();
      await expect(hit()).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
      await storage.onApplicationShutdown();
    },
  );

  describe('with a block list', () => {
    const heard: RateLimitEvent[] = [];
    let stop: () => void;

    beforeEach(() => {
      heard.length = 0;
      stop = events.rateLimit.subscribe((event) => heard.push(event));
      storage = new ValkeyThrottlerStorage(test.client);
    });
    afterEach(() => stop());

    it('answers for a blocked key without asking, and tells who decided', async () => {
      await hits(3);
      const blocked = await hit();
      expect(await hit()).toEqual(blocked);
      expect(heard.map(({ limit, outcome, by }) => [limit, outcome, by])).toEqual([
        ...Array.from({ length: 3 }, () => ['default', 'admitted', 'store']),
        ['default', 'refused', 'store'],
        ['default', 'refused', 'memory'],
      ]);
    });

    it('asks again when the block is over', async () => {
      await hits(4, { block: 30 });
      test.clock.advance(30);
      await until(async () => !(await hit({ block: 30 })).isBlocked, { what: 'the block is over' });
      expect(heard.at(-1)).toMatchObject({ outcome: 'admitted', by: 'store' });
    });

    it('asks each time where there is no block: the next hit may have another limit', async () => {
      await hits(4, { block: 0 });
      expect(await hit({ block: 0, limit: 10 })).toMatchObject({ totalHits: 4, isBlocked: false });
    });
  });
});

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const key of test.client.scan()) found.push(key);
  return found;
}
