import { CacheService, events } from '../../lib/index.js';
import type { CacheClient, CacheEvent, CachingOptions } from '../../lib/index.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';
import { describeWithServers, leftovers, startServer, until, watchUnhandled } from '../support/index.js';
import type { Server, UnhandledWatch } from '../support/index.js';
import { gate } from '../integration/cache/gate.js';

/** Milliseconds for one command of the client. */
const DEADLINE = 300;
/** A call asks for the entry, and then for the lease. What a busy machine may add is on top. */
const WITHIN = 2 * DEADLINE + 1_500;
const CALLS = 20;

/** How a server can be gone. */
const ENDS: readonly (readonly [
  string,
  (server: Server) => Promise<void> | void,
  (server: Server) => Promise<void> | void,
])[] = [
  ['killed', (server) => server.kill(), (server) => server.restart()],
  ['frozen', (server) => server.pause(), (server) => server.resume()],
];

describeWithServers('a cache whose server is away', () => {
  let server: Server;
  let watch: UnhandledWatch;
  let seen: CacheEvent[];
  let stopListening: () => void;

  beforeEach(async () => {
    watch = watchUnhandled();
    seen = [];
    stopListening = events.cache.subscribe((event) => void seen.push(event));
    server = await startServer();
  });
  afterEach(async () => {
    stopListening();
    await closeClients();
    await server.stop();
    expect(await watch.stop()).toEqual([]);
  });
  afterAll(() => expect(leftovers()).toEqual([]));

  const open = (): Promise<CacheClient> =>
    openClient({ host: server.host, port: server.port, resilience: { timeout: DEADLINE, breaker: false } });
  const failures = (): readonly CacheEvent[] => seen.filter(({ kind }) => kind === 'background-error');

  describe.each(ENDS)('%s', (_how, takeAway, bringBack) => {
    describe.each([
      ['kept near too', {}],
      ['without a near cache', { near: false }],
    ] as [string, CachingOptions][])('%s', (_title, options) => {
      it('[C3] runs the method once and gives its result in time', async () => {
        const caching = new CacheService(await open(), options);
        await takeAway(server);
        let runs = 0;
        const startedAt = performance.now();
        const value = await caching.getOrLoad('k', () => {
          runs += 1;
          return 'loaded';
        });
        expect(value).toBe('loaded');
        expect(performance.now() - startedAt).toBeLessThan(WITHIN);
        await caching.idle();
        expect(runs).toBe(1);
      });

      it('[C3] runs it once for each of several keys, and for calls that join once as well', async () => {
        const caching = new CacheService(await open(), options);
        await takeAway(server);
        const runs = new Map<string, number>();
        const startedAt = performance.now();
        const keys = Array.from({ length: CALLS }, (_, index) => `k${index % (CALLS / 2)}`);
        const values = await Promise.all(
          keys.map((key) =>
            caching.getOrLoad(key, () => {
              runs.set(key, (runs.get(key) ?? 0) + 1);
              return key.toUpperCase();
            }),
          ),
        );
        expect(values).toEqual(keys.map((key) => key.toUpperCase()));
        expect([...runs.values()]).toEqual(Array.from({ length: CALLS / 2 }, () => 1));
        expect(performance.now() - startedAt).toBeLessThan(WITHIN);
      });

      it('[C3] [C5] when it goes away while the method runs, its result is given and not run again', async () => {
        const caching = new CacheService(await open(), options);
        const slow = gate<string>();
        const calls = Array.from({ length: CALLS }, () => caching.getOrLoad('k', slow.load));
        await until(() => slow.calls() === 1, { what: 'the load begins' });
        await takeAway(server);
        slow.finish('loaded');
        const startedAt = performance.now();
        expect(await Promise.all(calls)).toEqual(Array.from({ length: CALLS }, () => 'loaded'));
        // Nobody waits until the server has not taken it.
        expect(performance.now() - startedAt).toBeLessThan(WITHIN);
        await caching.idle();
        expect(slow.calls()).toBe(1);
        expect(failures()).toHaveLength(1);
      });

      it('[C3] gives the error of the method, and no other', async () => {
        const caching = new CacheService(await open(), options);
        await takeAway(server);
        const error = new Error('of the method');
        let runs = 0;
        const failing = (): never => {
          runs += 1;
          throw error;
        };
        expect(await ending(caching.getOrLoad('k', failing))).toBe(error);
        expect(runs).toBe(1);
      });

      it('[C5] says once that a refresh in the background came to nothing', async () => {
        const caching = new CacheService(await open(), options);
        const ahead = { ttl: '1m', refreshAhead: '1m' } as const;
        await caching.getOrLoad('k', () => 'v1', { ttl: '1m' });
        await caching.idle();
        const slow = gate<string>();
        expect(await caching.getOrLoad('k', slow.load, ahead)).toBe('v1');
        await until(() => slow.calls() === 1, { what: 'the refresh begins' });
        await takeAway(server);
        slow.finish('v2');
        await caching.idle();
        expect(slow.calls()).toBe(1);
        expect(failures()).toHaveLength(1);
      });

      it('rejects what is done by hand, so that nobody believes it is done', async () => {
        const caching = new CacheService(await open(), options);
        await takeAway(server);
        const ends = await Promise.all(
          [caching.set('k', 'v'), caching.evict('k'), caching.invalidateTags('t'), caching.clear()].map(ending),
        );
        for (const end of ends) expect(codeOf(end)).toMatch(/^VALKEY_/);
      });

      it('[C3] works again when the server is back, with no restart', async () => {
        const caching = new CacheService(await open(), options);
        await caching.set('k', 'before');
        await takeAway(server);
        await caching.getOrLoad('other', () => 'loaded');
        await bringBack(server);
        await until(async () => (await ending(caching.set('k', 'after'))) === undefined, { what: 'it is back' });
        let runs = 0;
        const value = await caching.getOrLoad('k', () => {
          runs += 1;
          return 'not cached';
        });
        expect([value, runs]).toEqual(['after', 0]);
      });
    });
  });
});
