import { setTimeout as sleep } from 'node:timers/promises';
import { currentLock, events, LockService } from '../../../../lib/index.js';
import type { Lock, LockEvent } from '../../../../lib/index.js';
import type { TestStore } from '../../../../lib/testing/index.js';
import { until, watchUnhandled } from '../../../support/index.js';
import type { UnhandledWatch } from '../../../support/index.js';
import { clientOn, closeLocks, liveStore, locksOn } from './places.js';

const KEY = (name: string): string => `lock:{:${name}}`;

let store: TestStore;
let locks: LockService;
let other: LockService;
let news: LockEvent[];
let stopNews: () => void;
let unhandled: UnhandledWatch;

beforeEach(async () => {
  unhandled = watchUnhandled();
  store = liveStore();
  [locks, other] = await Promise.all([locksOn(store), locksOn(store)]);
  news = [];
  stopNews = events.lock.subscribe((event) => news.push(event));
});

afterEach(async () => {
  stopNews();
  await closeLocks();
  expect(await unhandled.stop()).toEqual([]);
});

const kinds = (): readonly string[] => news.map(({ kind }) => kind);

describe('[LCK-1] a lock', () => {
  it('is had by one, and by the next once it is given back', async () => {
    const lock = await locks.acquire('order');
    expect([lock.isHeld, lock.names]).toEqual([true, ['order']]);
    expect(lock.remaining).toBeGreaterThan(9_000);
    expect(await other.tryAcquire('order')).toBeUndefined();
    expect(await other.tryAcquire('another')).toBeInstanceOf(Object);

    expect(await lock.release()).toBe(true);
    expect([lock.isHeld, lock.remaining, lock.signal.aborted]).toEqual([false, 0, false]);
    const next = await other.acquire('order', { wait: 0 });
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
    // What the first does late does not touch the second.
    expect(await lock.release()).toBe(true);
    expect(() => lock.ensureHeld()).toThrow('it was released');
    await expect(lock.extend()).rejects.toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    await next.extend();
    expect(next.isHeld).toBe(true);
    expect(kinds()).toEqual(['acquired', 'not-acquired', 'acquired', 'released', 'acquired']);
  });

  it('that is not given back in time is refused, with how long was waited', async () => {
    await locks.acquire('order');
    const began = performance.now();
    const error = await other.acquire('order', { wait: 50 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VALKEY_LOCK_NOT_ACQUIRED', subject: 'lock' });
    expect((error as { waited: number }).waited).toBeGreaterThanOrEqual(49);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(news.at(-1)).toMatchObject({ kind: 'not-acquired', client: 'default', code: undefined });
  });

  it('wakes who waits for it long before anybody would ask by itself', async () => {
    // Everybody listens already.
    for (let turn = 0; turn < 20; turn += 1) {
      const lock = await locks.acquire('order');
      const next = other.acquire('order');
      await until(async () => (await (await clientOn(store)).exists('lock-awaited:{:order}')) === 1, {
        what: 'it waits',
      });
      const from = performance.now();
      await lock.release();
      await (await next).release();
      expect(performance.now() - from).toBeLessThan(400);
    }
  });

  it('goes to those of one process in the order they came', async () => {
    const first = await locks.acquire('order');
    const order: number[] = [];
    const all = Array.from({ length: 20 }, (_, index) =>
      locks.using('order', () => {
        order.push(index);
      }),
    );
    await first.release();
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('is asked for by one of a process at a time, however many wait, and by none of those whose wait is over', async () => {
    let asked = 0;
    const counting = await locksOn(
      store,
      {},
      {
        intercept: (call, next) => {
          if (call.command === 'EVALSHA') asked += 1;
          return next(call);
        },
      },
    );
    const lock = await locks.acquire('order');
    // All waits end in the same moment, however long it takes to begin them: whoever has a while left may ask.
    const end = performance.now() + 500;
    const waits = Array.from({ length: 200 }, () =>
      counting.tryAcquire('order', { wait: Math.max(1, Math.round(end - performance.now())) }),
    );
    expect((await Promise.all(waits)).every((each) => each === undefined)).toBe(true);
    expect(asked).toBeLessThan(20);
    await lock.release();
  });

  it('is not waited for any longer once the signal fires, and is not kept if it comes then', async () => {
    const lock = await locks.acquire('order');
    const stop = new AbortController();
    const waits = Array.from({ length: 3 }, () => other.acquire('order', { signal: stop.signal, wait: '1m' }));
    await until(async () => (await (await clientOn(store)).exists('lock-awaited:{:order}')) === 1, {
      what: 'they wait',
    });
    const reason = new Error('The caller has gone.');
    stop.abort(reason);
    for (const wait of waits) await expect(wait).rejects.toBe(reason);
    await expect(other.acquire('order', { signal: stop.signal })).rejects.toBe(reason);
    await lock.release();
    const next = await locks.acquire('order');
    expect(next.isHeld).toBe(true);
    await next.release();
  });

  it('that comes after the signal has fired is given back', async () => {
    let answer = (): void => undefined;
    const slow = await locksOn(
      store,
      {},
      {
        intercept: async (call, next) => {
          const reply = await next(call);
          await new Promise<void>((resolve) => (answer = resolve));
          return reply;
        },
      },
    );
    const stop = new AbortController();
    const wait = slow.acquire('order', { signal: stop.signal });
    const client = await clientOn(store);
    await until(() => client.exists(KEY('order')), { what: 'it is taken' });
    stop.abort();
    await expect(wait).rejects.toMatchObject({ name: 'AbortError' });
    answer();
    await until(
      async () => {
        answer();
        return (await client.exists(KEY('order'))) === 0;
      },
      { what: 'it is given back' },
    );
  });

  it('[L16] whose answer comes after its time is never returned, and the next one has it', async () => {
    let delay = 150;
    const slow = await locksOn(
      store,
      { ttl: 100, wait: 0 },
      {
        intercept: async (call, next) => {
          const reply = await next(call);
          await sleep(delay);
          return reply;
        },
      },
    );
    expect(await slow.tryAcquire('order')).toBeUndefined();
    delay = 0;
    const lock = await slow.acquire('order', { wait: '1s' });
    expect(lock.isHeld).toBe(true);
  });

  it('[L16] deleted by somebody fires its signal, and using() rejects whatever the work gave', async () => {
    const client = await clientOn(store);
    let reason: unknown;
    const outcome = locks.using(
      'order',
      async (lock) => {
        await client.del(KEY('order'));
        await new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
        reason = lock.signal.reason;
        expect(lock.isHeld).toBe(false);
        return 'done';
      },
      { ttl: 300 },
    );
    await expect(outcome).rejects.toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    expect(reason).toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    expect(kinds()).toEqual(['acquired', 'lost']);
  });

  it('[L16] deleted so late that only giving it back shows it is told as lost as well', async () => {
    const client = await clientOn(store);
    const outcome = locks.using('order', () => client.del(KEY('order')));
    await expect(outcome).rejects.toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    expect(kinds()).toEqual(['acquired', 'lost']);
  });

  it('is extended for as long as it is held', async () => {
    const client = await clientOn(store);
    const lock = await locks.acquire('order', { ttl: 150 });
    const until600 = performance.now() + 600;
    while (performance.now() < until600) {
      expect(await client.exists(KEY('order'))).toBe(1);
      await sleep(10);
    }
    expect(lock.isHeld).toBe(true);
  });

  it('ends by itself where it is not extended, and tells it', async () => {
    const lock = await locks.acquire('order', { ttl: 50, extend: false });
    await until(() => lock.signal.aborted, { what: 'its time is over' });
    expect(lock.signal.reason).toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    await (await other.acquire('order', { wait: '2s' })).release();
  });

  it('can be made to last longer by hand, and not for no time at all', async () => {
    const client = await clientOn(store);
    const lock = await locks.acquire('order', { extend: false });
    await locks.extend(lock, '1m');
    expect(lock.remaining).toBeGreaterThan(50_000);
    expect(await client.pttl(KEY('order'))).toBeGreaterThan(50_000);
    expect(() => lock.extend(0)).toThrow(/ttl of a lock must be/);
    expect(() => lock.extend('nonsense' as '1s')).toThrow(/ttl of a lock must be/);
    expect(await locks.release(lock)).toBe(true);
    expect(await client.exists(KEY('order'))).toBe(0);
  });

  it('without an end, which somebody has taken from it, gets one from who waits', async () => {
    const client = await clientOn(store);
    const lock = await locks.acquire('order', { extend: false, ttl: 60_000 });
    await client.persist(KEY('order'));
    await (await other.acquire('order', { ttl: 100, wait: '5s' })).release();
    expect(await client.exists(KEY('order'))).toBe(0);
    expect(lock.isHeld).toBe(true);
  });

  it('is given back when the work throws, and the error is the work’s own', async () => {
    const failure = new Error('The carrier is away.');
    await expect(locks.using('order', () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await other.tryAcquire('order')).toBeInstanceOf(Object);
    await expect(
      locks.using('second', () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });

  it('is at hand in whatever the work calls, and nowhere else', async () => {
    expect(currentLock()).toBeUndefined();
    let seen: Lock | undefined;
    const result = await locks.using('order', async (lock) => {
      await sleep(1);
      seen = currentLock();
      return lock.fencingToken;
    });
    expect([seen?.fencingToken, seen?.isHeld]).toEqual([result, false]);
    expect(currentLock()).toBeUndefined();
  });
});

describe('[LCK-2] several names', () => {
  it('are had together or not at all, in whatever order they are given', async () => {
    const held = await locks.acquire('b');
    expect(await other.tryAcquire(['a', 'b', 'c'])).toBeUndefined();
    expect(await other.tryAcquire(['a', 'c'])).toBeInstanceOf(Object);
    await held.release();
    await other.close();
    const all = await locks.acquire(['c', 'a', 'a']);
    expect(all.names).toEqual(['c', 'a']);
    expect(all.fencingToken).toBe(all.fencingTokenOf('c'));
    expect(all.fencingTokenOf('a')).toBeGreaterThan(0);
    expect(all.fencingTokenOf('b')).toBeUndefined();
  });

  it('never make two wait for each other for ever', async () => {
    let inside = 0;
    const turns = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? locks : other).using(
        index % 4 < 2 ? ['a', 'b'] : ['b', 'a'],
        async () => {
          inside += 1;
          expect(inside).toBe(1);
          await sleep(1);
          inside -= 1;
        },
        { wait: '10s' },
      ),
    );
    await Promise.all(turns);
  });

  it('do not run out while the others are waited for', async () => {
    const held = await locks.acquire('b', { ttl: 5_000 });
    // One that waits in this process and one that waits for another.
    const waits = [other, other].map((each) => each.acquire(['a', 'b'], { ttl: 200, wait: '20s' }));
    const client = await clientOn(store);
    await until(() => client.exists(KEY('a')), { what: 'the first name is had' });
    const from = performance.now();
    while (performance.now() - from < 700) {
      expect(await client.exists(KEY('a'))).toBe(1);
      await sleep(20);
    }
    await held.release();
    await (await Promise.race(waits)).release();
    for (const wait of waits) await (await wait).release();
  });
});

describe('[LCK-1] the end', () => {
  it('gives back what is held, tells its holders, and ends every wait', async () => {
    const client = await clientOn(store);
    const lock = await locks.acquire('order');
    const wait = locks.acquire('order');
    const work = locks.using(
      'second',
      (held) => new Promise((resolve) => held.signal.addEventListener('abort', resolve)),
    );
    await until(() => client.exists(KEY('second')), { what: 'the work runs' });
    await locks.close();
    expect(await client.exists(KEY('order'), KEY('second'))).toBe(0);
    expect([lock.isHeld, lock.signal.aborted]).toEqual([false, true]);
    await expect(wait).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    await expect(work).rejects.toMatchObject({ code: 'VALKEY_LOCK_LOST' });
    await expect(locks.acquire('third')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
  });

  it('waits for what is being taken just now, and gives it back', async () => {
    const client = await clientOn(store);
    const slow = await locksOn(
      store,
      {},
      {
        intercept: async (call, next) => {
          const reply = await next(call);
          await sleep(50);
          return reply;
        },
      },
    );
    const wait = slow.acquire('order').catch((error: { code: string }) => error.code);
    await until(() => client.exists(KEY('order')), { what: 'it is taken' });
    await slow.close();
    expect(await client.exists(KEY('order'))).toBe(0);
    expect(await wait).toBe('VALKEY_CLIENT_CLOSED');
  });
});

describe('[L16] setFenced()', () => {
  it('refuses an older fencing token than it has seen, and takes the same again', async () => {
    const client = await clientOn(store);
    const first = await locks.acquire('order');
    await first.release();
    const second = await other.acquire('order');
    expect(await locks.setFenced('account', 'one', first.fencingToken)).toBe(true);
    expect(await locks.setFenced('account', 'two', second.fencingToken, { ttl: '1h' })).toBe(true);
    expect(await locks.setFenced('account', 'late', first.fencingToken)).toBe(false);
    expect(await locks.setFenced('account', Buffer.from('again'), second.fencingToken)).toBe(true);
    expect(await client.get('account')).toBe('again');
    // It is known for as long as the value is there.
    expect([await client.pttl('account'), await client.pttl('{account}!fence')]).toEqual([-1, -1]);
    for (const wrong of [-1, 1.5, NaN, '1' as never]) {
      await expect(locks.setFenced('account', 'x', wrong)).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
    }
  });
});

describe('options', () => {
  it.each([
    [{ ttl: 5 }, /lock\.ttl is 5/],
    [{ wait: -1 }, /lock\.wait/],
    [{ drift: 1 }, /lock\.drift/],
    [{ extend: 'yes' }, /lock\.extend/],
    [{ retries: 3 }, /lock\.retries is not an option/],
  ])('%j are refused', async (options, text) => {
    const client = await clientOn(store);
    expect(() => new LockService(client, options as object)).toThrow(text);
    await expect(locks.acquire('order', options as object)).rejects.toThrow(text);
  });

  it('and names that are none', async () => {
    for (const names of ['', [], [''], '\ud800', 7 as never]) {
      await expect(locks.acquire(names)).rejects.toMatchObject({ code: expect.stringMatching(/ARGUMENT/) });
    }
    await expect(locks.acquire('a', { signal: 'now' as never })).rejects.toThrow('AbortSignal');
  });

  it('of a quorum ask for an odd number of clients', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => clientOn(store)));
    expect(() => new LockService(clients)).toThrow('not 4');
    expect(() => new LockService(clients.slice(0, 1))).toThrow('not 1');
    const [one, two] = clients as [(typeof clients)[0], (typeof clients)[0]];
    expect(() => new LockService([one, one, two])).toThrow('2 are different');
    expect(new LockService(clients.slice(0, 3))).toBeInstanceOf(LockService);
  });
});
