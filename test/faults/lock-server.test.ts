import { LockService } from '../../lib/index.js';
import { behindProxy } from '../integration/behind-proxy.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';
import { describeWithServers, leftovers, startSentinel, until, watchUnhandled } from '../support/index.js';
import type { UnhandledWatch } from '../support/index.js';

describeWithServers('[L16] locks on a server that fails', () => {
  const place = behindProxy();
  let unhandled: UnhandledWatch;

  beforeEach(() => (unhandled = watchUnhandled()));
  afterEach(async () => expect(await unhandled.stop()).toEqual([]));

  const locksOf = async (options: object = {}): Promise<LockService> =>
    new LockService(await openClient({ ...place.target, timeouts: { read: '1s', write: '1s' }, ...options }));

  it('are never returned when they have expired on the way', async () => {
    const locks = await locksOf();
    place.proxy.delay(300);
    expect(await locks.tryAcquire('order', { ttl: 200 })).toBeUndefined();
    place.proxy.heal();
    const lock = await locks.acquire('order', { ttl: 1_000, wait: '10s' });
    expect(lock.isHeld).toBe(true);
    await locks.close();
  });

  it('reject with the reason when the server is away, and end at once when the caller goes', async () => {
    const locks = await locksOf({ resilience: { breaker: false } });
    place.proxy.blackHole();
    const stop = new AbortController();
    const abandoned = ending(locks.acquire('order', { signal: stop.signal, wait: '1m' }));
    const waited = ending(locks.acquire('another', { wait: '1m' }));
    const from = performance.now();
    stop.abort();
    expect(await abandoned).toMatchObject({ name: 'AbortError' });
    expect(performance.now() - from).toBeLessThan(500);
    expect(String(codeOf(await waited))).toMatch(/^VALKEY_(DEADLINE_EXCEEDED|OUTCOME_UNKNOWN|CONNECTION_FAILED)$/);
    place.proxy.heal();
    // What was sent nevertheless is given back, or ends by itself.
    await (await locks.acquire(['another', 'order'], { wait: '15s' })).release();
    await locks.close();
  });

  it('are lost, and told so, when the server stays away for longer than they last', async () => {
    const locks = await locksOf();
    const outcome = ending(
      locks.using(
        'order',
        async (lock) => {
          place.proxy.blackHole();
          await new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
          expect(lock.isHeld).toBe(false);
        },
        { ttl: 400 },
      ),
    );
    expect(codeOf(await outcome)).toBe('VALKEY_LOCK_LOST');
    place.proxy.heal();
    await locks.close();
  });

  it('stay held when it comes back in time', async () => {
    const locks = await locksOf();
    const lock = await locks.acquire('order', { ttl: 6_000 });
    place.proxy.cut();
    await place.proxy.refuse();
    await place.proxy.accept();
    await until(async () => lock.extend().then(() => true), { what: 'it is extended again', timeout: 5_000 });
    expect([lock.isHeld, await lock.release()]).toEqual([true, true]);
    await locks.close();
  });

  it('are had once, and given back without a false alarm, although replies are lost', async () => {
    const locks = await locksOf();
    await (await locks.acquire('order')).release();
    place.proxy.dropReply(isScript);
    const lock = await locks.acquire('order');
    expect(place.proxy.dropped).toBe(1);
    expect(await place.server.command('GET', 'lock:{:order}')).toContain(String(lock.fencingToken));

    place.proxy.dropReply(isScript);
    expect(await lock.release()).toBe(true);
    expect([place.proxy.dropped, lock.signal.aborted]).toEqual([2, false]);
    expect(await place.server.command('EXISTS', 'lock:{:order}')).toBe(0);
    await locks.close();
  });

  it('have fencing tokens that grow when everything is forgotten, and when they expire', async () => {
    const locks = await locksOf();
    const tokens: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const lock = await locks.acquire('order', { ttl: 100, extend: false, wait: '10s' });
      tokens.push(lock.fencingToken);
      if (turn === 0) await place.server.command('FLUSHALL');
    }
    const later = await locks.acquire('order', { wait: '10s' });
    tokens.push(later.fencingToken);
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(new Set(tokens).size).toBe(4);
    // A server whose clock is behind has only the last token to go by.
    await later.release();
    const ahead = later.fencingToken + 3_600_000_000;
    await place.server.command('SET', 'lock-fence:{:order}', String(ahead));
    expect((await locks.acquire('order')).fencingToken).toBe(ahead + 1);
    await locks.close();
  });
});

describeWithServers('[LCK-1] locks behind sentinels', () => {
  afterAll(() => expect(leftovers()).toEqual([]));

  it('have fencing tokens that grow over a failover, whoever holds them then', async () => {
    const group = await startSentinel({ replicas: 1, downAfter: 700 });
    try {
      const client = await openClient({
        mode: 'sentinel',
        sentinel: { name: group.name, nodes: group.addrs },
        timeouts: { read: '15s', write: '15s' },
      });
      const [locks, other] = [new LockService(client), new LockService(client)];
      const before = await locks.acquire('order', { ttl: '2s', extend: false });
      const old = await group.primary();
      await old.kill();
      await group.replaced(old);
      const after = await other.acquire('order', { ttl: '2s', wait: '30s' });
      expect(after.fencingToken).toBeGreaterThan(before.fencingToken);
      expect(before.isHeld && after.isHeld).toBe(false);
      expect(await other.setFenced('account', 'new', after.fencingToken)).toBe(true);
      expect(await locks.setFenced('account', 'late', before.fencingToken)).toBe(false);
      await Promise.all([locks.close(), other.close()]);
    } finally {
      await closeClients();
      await group.stop();
    }
  }, 60_000);
});

/** The text goes along when a connection is new. */
function isScript([name = '']: readonly string[]): boolean {
  return /^EVAL(SHA)?$/i.test(name);
}
