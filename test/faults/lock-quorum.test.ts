import { LockService } from '../../lib/index.js';
import type { CacheClient, LockOptions } from '../../lib/index.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';
import { describeWithServers, leftovers, startServer, until, watchUnhandled } from '../support/index.js';
import type { Server, UnhandledWatch } from '../support/index.js';

const PATIENT: LockOptions = { ttl: '3s', wait: '15s' };

describeWithServers('[LCK-2] locks over a quorum of three servers', () => {
  let servers: readonly Server[];
  let locks: LockService;
  let other: LockService;
  let othersClients: readonly CacheClient[];
  let unhandled: UnhandledWatch;

  beforeEach(async () => {
    unhandled = watchUnhandled();
    servers = await Promise.all([1, 2, 3].map(() => startServer()));
    othersClients = await open();
    locks = new LockService(await open());
    other = new LockService(othersClients);
  });

  afterEach(async () => {
    await Promise.all([locks.close(), other.close()]);
    await closeClients();
    await Promise.all(servers.map((server) => server.stop()));
    expect(await unhandled.stop()).toEqual([]);
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  const open = (): Promise<CacheClient[]> => {
    const timeouts = { read: '1s', write: '1s' };
    return Promise.all(servers.map(({ host, port }) => openClient({ host, port, timeouts })));
  };

  it('let one in at a time, and wake the next one', async () => {
    let inside = 0;
    const tokens: number[] = [];
    const turn = (index: number): Promise<void> =>
      (index % 2 === 0 ? locks : other).using(
        'order',
        async (lock) => {
          inside += 1;
          expect(inside).toBe(1);
          tokens.push(lock.fencingToken);
          await new Promise(setImmediate);
          inside -= 1;
        },
        PATIENT,
      );
    await Promise.all(Array.from({ length: 20 }, (_, index) => turn(index)));
    expect(tokens).toEqual(tokens.toSorted((one, two) => one - two));
    expect(new Set(tokens).size).toBe(20);
  });

  it('go on with one of them killed, and hold nobody up with one that hangs', async () => {
    const [first, second] = servers as [Server, Server];
    await first.kill();
    const lock = await locks.acquire('order', PATIENT);
    expect(await ending(other.acquire('order', { wait: 300 }))).toMatchObject({ code: 'VALKEY_LOCK_NOT_ACQUIRED' });
    await lock.extend();
    expect([await lock.release(), lock.signal.aborted]).toEqual([true, false]);
    await (await other.acquire('order', PATIENT)).release();
    await first.restart();
    const [ofFirst] = othersClients as [CacheClient];
    await until(async () => (await ending(ofFirst.get('any'))) === null, { what: 'the first one is back' });

    second.pause();
    // Its answer would take longer than this lock lasts.
    const quick = await other.acquire('quick', { ttl: 900, wait: '15s' });
    expect(quick.isHeld).toBe(true);
    await quick.release();
    second.resume();
  }, 40_000);

  it('are not to be had with two of them killed, and those that are held are lost', async () => {
    const held = await other.acquire('held', { ttl: 1_500 });
    await Promise.all(servers.slice(1).map((server) => server.kill()));
    expect(String(codeOf(await ending(locks.acquire('order', { wait: '20s' }))))).toMatch(/^VALKEY_/);
    await until(() => held.signal.aborted, { what: 'it is lost' });
    expect(codeOf(held.signal.reason)).toBe('VALKEY_LOCK_LOST');
  }, 40_000);

  it('stay with their holder when one of them has forgotten everything', async () => {
    const [first] = servers as [Server];
    const lock = await locks.acquire('order', PATIENT);
    await until(
      async () =>
        (await Promise.all(servers.map((each) => each.command('EXISTS', 'lock:{:order}')))).join() === '1,1,1',
      {
        what: 'all three have it',
      },
    );
    await first.command('FLUSHALL');
    expect(await ending(other.acquire('order', { wait: 500 }))).toMatchObject({ code: 'VALKEY_LOCK_NOT_ACQUIRED' });
    await lock.extend();
    expect(await lock.release()).toBe(true);
    const next = await other.acquire('order', PATIENT);
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  }, 40_000);
});
