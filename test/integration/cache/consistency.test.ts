import { events } from '../../../lib/index.js';
import type { CacheEvent, CacheService, CachingOptions } from '../../../lib/index.js';
import { describeWithServers, until, watchUnhandled } from '../../support/index.js';
import { DEPLOYMENTS } from './deployments.js';
import type { Deployment } from './deployments.js';
import { gate } from './gate.js';

const WITHOUT_NEAR: CachingOptions = { near: false };

for (const [name, start] of Object.entries(DEPLOYMENTS)) {
  for (const near of [true, false]) {
    const options: CachingOptions = near ? {} : WITHOUT_NEAR;
    describeWithServers(`a cache on ${name}${near ? ', kept near too' : ''}`, () => {
      let deployment: Deployment;

      beforeAll(async () => {
        deployment = await start();
      });
      afterEach(() => deployment.reset());
      afterAll(() => deployment.stop());

      describe('[C1] an invalidation during a load wins', () => {
        it('when the entry is evicted, by the same process or by another', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          for (const by of [here, there]) {
            const old = gate<string>();
            const first = here.caching.getOrLoad('k', old.load);
            await until(() => old.calls() === 1, { what: 'the load begins' });
            await by.caching.evict('k');
            old.finish('v1');
            expect(await first).toBe('v1');
            await here.caching.idle();
            expect(await there.caching.getOrLoad('k', () => 'v2')).toBe('v2');
            expect(await here.caching.getOrLoad('k', () => 'v3')).toBe('v2');
            await here.caching.evict('k');
          }
        });

        it('when a tag is invalidated that was known before the load', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          const old = gate<string>();
          const first = here.caching.getOrLoad('k', old.load, { tags: ['t'] });
          await until(() => old.calls() === 1, { what: 'the load begins' });
          await there.caching.invalidateTags('t');
          old.finish('v1');
          expect(await first).toBe('v1');
          await here.caching.idle();
          expect(await there.caching.getOrLoad('k', () => 'v2', { tags: ['t'] })).toBe('v2');
          expect(await here.caching.getOrLoad('k', () => 'v3', { tags: ['t'] })).toBe('v2');
        });

        it('when a tag is invalidated that only the result tells', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          const tagsFrom = (value: string): string[] => [`of:${value.slice(0, 1)}`];
          const old = gate<string>();
          const first = here.caching.getOrLoad('k', old.load, { tagsFrom });
          await until(() => old.calls() === 1, { what: 'the load begins' });
          await there.caching.invalidateTags('of:v');
          old.finish('v1');
          expect(await first).toBe('v1');
          await here.caching.idle();
          expect(await there.caching.getOrLoad('k', () => 'v2', { tagsFrom })).toBe('v2');
          await there.caching.idle();
          // Without an invalidation it is kept, and a later one ends it.
          expect(await here.caching.getOrLoad('k', () => 'v3', { tagsFrom })).toBe('v2');
          await there.caching.invalidateTags('of:v');
          expect(await there.caching.getOrLoad('k', () => 'v4', { tagsFrom })).toBe('v4');
        });

        it('when the whole cache is cleared', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          const old = gate<string>();
          const first = here.caching.getOrLoad('k', old.load);
          await until(() => old.calls() === 1, { what: 'the load begins' });
          await there.caching.clear();
          old.finish('v1');
          expect(await first).toBe('v1');
          await here.caching.idle();
          expect(await there.caching.getOrLoad('k', () => 'v2')).toBe('v2');
        });

        it('when a refresh in the background is what loads', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          const soon = { ttl: '1m', refreshAhead: '1m' } as const;
          await here.caching.getOrLoad('k', () => 'v0', soon);
          await here.caching.idle();
          const old = gate<string>();
          expect(await here.caching.getOrLoad('k', old.load, soon)).toBe('v0');
          await until(() => old.calls() === 1, { what: 'the refresh begins' });
          await there.caching.evict('k');
          old.finish('v1');
          await here.caching.idle();
          expect(await there.caching.getOrLoad('k', () => 'v2')).toBe('v2');
        });

        it('and who asks after it does not join the load that began before', async () => {
          const here = await deployment.open(options);
          const there = await deployment.open(options);
          const old = gate<string>();
          const first = here.caching.getOrLoad('k', old.load, { tags: ['t'] });
          await until(() => old.calls() === 1, { what: 'the load begins' });
          await here.caching.invalidateTags('t');
          const second = there.caching.getOrLoad('k', () => 'v2', { tags: ['t'] });
          const third = here.caching.getOrLoad('k', () => 'v2', { tags: ['t'] });
          old.finish('v1');
          expect([await first, await second, await third]).toEqual(['v1', 'v2', 'v2']);
        });
      });

      it('[C2] [CAC-4] loads once, however many ask in however many clients', async () => {
        const instances = await Promise.all([1, 2, 3].map(() => deployment.open({ ...options, lease: '500ms' })));
        const slow = gate<{ id: number }>();
        const values = instances.flatMap(({ caching }) =>
          Array.from({ length: 100 }, () => caching.getOrLoad('k', slow.load)),
        );
        await until(() => slow.calls() === 1, { what: 'the load begins' });
        const [{ client } = await deployment.open()] = instances;
        // Longer than the lease, which has to be renewed meanwhile.
        const lease = 'cache:default:1{:k}!lease';
        const held = await client.get(lease);
        const startedAt = performance.now();
        await until(() => performance.now() - startedAt > 1_000, { what: 'the lease would have ended' });
        expect(await client.get(lease)).toBe(held);
        slow.finish({ id: 1 });
        expect(await Promise.all(values)).toEqual(values.map(() => ({ id: 1 })));
        expect(slow.calls()).toBe(1);
      });

      it('[C2] a late holder cannot overwrite what was written after its lease was lost', async () => {
        const here = await deployment.open(options);
        const there = await deployment.open(options);
        const old = gate<string>();
        const first = here.caching.getOrLoad('k', old.load);
        await until(() => old.calls() === 1, { what: 'the load begins' });
        await there.client.del('cache:default:1{:k}!lease');
        expect(await there.caching.getOrLoad('k', () => 'newer')).toBe('newer');
        await there.caching.idle();
        old.finish('older');
        expect(await first).toBe('older');
        await here.caching.idle();
        expect(await there.caching.get('k')).toBe('newer');
      });

      it('[C4] gives every waiter the same error, runs the loader once and stores nothing', async () => {
        const { caching } = await deployment.open(options);
        const watch = watchUnhandled();
        const failing = gate<string>();
        const calls = Array.from({ length: 20 }, () => caching.getOrLoad('k', failing.load).catch((e: unknown) => e));
        await until(() => failing.calls() === 1, { what: 'the load begins' });
        const error = new Error('no such product');
        failing.fail(error);
        for (const each of await Promise.all(calls)) expect(each).toBe(error);
        expect(failing.calls()).toBe(1);
        await caching.idle();
        expect(await caching.getOrLoad('k', () => 'there')).toBe('there');
        expect(await watch.stop()).toEqual([]);
      });

      it('[C7] [CAC-5] clears one cache and leaves the one whose name begins alike', async () => {
        const { caching } = await deployment.open(options);
        const keys = Array.from({ length: 200 }, (_, index) => `k*[${index}]{x}`);
        await Promise.all(keys.map((key) => caching.cache('user').set(key, key, { tags: [`t:${key}`] })));
        await Promise.all(keys.map((key) => caching.cache('users').set(key, key)));
        await caching.cache('user').evict(...keys.slice(0, 50));
        await caching.invalidateTags(...keys.slice(50, 100).map((key) => `t:${key}`));
        const left = await Promise.all(keys.map((key) => caching.cache('user').get(key)));
        expect(left).toEqual(keys.map((key, index) => (index < 100 ? undefined : key)));
        await caching.cache('user').clear();
        const after = await Promise.all(keys.map((key) => caching.cache('user').get(key)));
        expect(after).toEqual(keys.map(() => undefined));
        expect(await Promise.all(keys.map((key) => caching.cache('users').get(key)))).toEqual(keys);
      });

      it('[C8] gives back what was stored, cold or not, and nobody can change it for others', async () => {
        const { caching } = await deployment.open(options);
        const value = () => ({
          date: new Date(0),
          big: 2n ** 70n,
          map: new Map([[{ a: 1 }, new Set([1, Number.NaN])]]),
          bytes: Buffer.from([0, 255]),
          nothing: [null, undefined, Number.NaN, 0, ''],
          text: '2026-01-01T00:00:00.000Z',
        });
        for (const each of [value(), { plain: { list: [1, 2] } }, null, undefined, Number.NaN, 0, '', value().text]) {
          const cold = await caching.getOrLoad('k', () => each);
          await caching.idle();
          expect(cold).toEqual(each);
          for (let hit = 0; hit < 3; hit += 1) {
            const found = await caching.getOrLoad<unknown>('k', () => 'not asked');
            expect(found).toEqual(each);
            spoil(found);
          }
          expect(await caching.lookup('k')).toEqual({ value: each });
          await caching.evict('k');
        }
      });

      it('[C8] [CAC-8] takes what it cannot read for nothing, and says so', async () => {
        const { client, caching } = await deployment.open(options);
        const unreadable: CacheEvent[] = [];
        const stop = events.cache.subscribe((event) => {
          if (event.kind === 'unreadable') unreadable.push(event);
        });
        for (const text of ['', 'garbage', 'nv1 x', 'nv2 abc\n1', '\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\n']) {
          await client.set('cache:default:1{:k}', text);
          expect(await caching.getOrLoad('k', () => 'loaded')).toBe('loaded');
          await caching.idle();
          expect(await caching.getOrLoad('k', () => 'again')).toBe('loaded');
          await caching.evict('k');
        }
        await client.rpush('cache:default:1{:k}', 'another type');
        expect(await caching.getOrLoad('k', () => 'loaded')).toBe('loaded');
        stop();
        expect(unreadable.length).toBeGreaterThanOrEqual(5);
      });

      it('[C9] [CAC-3] serves a stale value while loads fail, and tries again once in a while only', async () => {
        const { caching } = await deployment.open(options);
        const terms = { ttl: 1, staleFor: '1m', staleRetry: '1m' } as const;
        await caching.getOrLoad('k', () => 'old', terms);
        await past(caching);
        let calls = 0;
        const failing = (): never => {
          calls += 1;
          throw new Error('down');
        };
        for (let call = 0; call < 5; call += 1) expect(await caching.getOrLoad('k', failing, terms)).toBe('old');
        expect(calls).toBe(1);
      });

      it('[C9] an invalidation ends the rest after a failed load', async () => {
        const { caching } = await deployment.open(options);
        const terms = { ttl: 1, staleFor: '1m', staleRetry: '1m', tags: ['t'] } as const;
        await caching.getOrLoad('k', () => 'old', terms);
        await past(caching);
        expect(await caching.getOrLoad('k', () => Promise.reject(new Error('down')), terms)).toBe('old');
        await caching.idle();
        await caching.invalidateTags('t');
        expect(await caching.getOrLoad('k', () => 'new', { ...terms, hardTimeout: '5s' })).toBe('new');
      });

      it('[C9] lets chosen errors through although a stale value is there', async () => {
        const { caching } = await deployment.open(options);
        const terms = { ttl: 1, staleFor: '1m', staleRetry: 1 } as const;
        await caching.getOrLoad('k', () => 'old', terms);
        await past(caching);
        const gone = Object.assign(new Error('gone'), { getStatus: () => 404 });
        await expect(caching.getOrLoad('k', () => Promise.reject(gone), terms)).rejects.toBe(gone);
      });

      it('[C9] gives a stale value after the soft timeout, and stores the late result all the same', async () => {
        const { caching } = await deployment.open(options);
        const terms = { ttl: 1, staleFor: '1m', softTimeout: 20 } as const;
        await caching.getOrLoad('k', () => 'old', terms);
        await past(caching);
        const slow = gate<string>();
        expect(await caching.getOrLoad('k', slow.load, { ...terms, ttl: '1m' })).toBe('old');
        slow.finish('new');
        await caching.idle();
        expect(await caching.get('k')).toBe('new');
      });

      it('[C9] stale values end with their tags, and with their time', async () => {
        const { caching } = await deployment.open(options);
        const terms = { ttl: 1, staleFor: '1m', tags: ['t'] } as const;
        await caching.getOrLoad('k', () => 'old', terms);
        await caching.idle();
        await caching.invalidateTags('t');
        const down = new Error('down');
        await expect(caching.getOrLoad('k', () => Promise.reject(down), terms)).rejects.toBe(down);
        const brief = { ttl: 1, staleFor: 30 } as const;
        await caching.getOrLoad('b', () => 'old', brief);
        await until(
          async () =>
            (await caching
              .getOrLoad('b', () => Promise.reject(down), { ...brief, staleRetry: 1 })
              .catch((e: unknown) => e)) === down,
          { what: 'the stale value is over' },
        );
      });

      it('[CAC-7] reads many at once and loads what is missing in one call', async () => {
        const { caching } = await deployment.open(options);
        await caching.set('b', 'B');
        const asked: (readonly string[])[] = [];
        const load = (missing: readonly string[]): string[] => {
          asked.push(missing);
          return missing.map((key) => key.toUpperCase());
        };
        expect(await caching.getOrLoadMany(['a', 'b', 'c', 'a'], load)).toEqual(['A', 'B', 'C', 'A']);
        await caching.idle();
        expect(await caching.getOrLoadMany(['c', 'd'], (missing) => new Map(missing.map((key) => [key, 'D'])))).toEqual(
          ['C', 'D'],
        );
        expect(asked).toEqual([['a', 'c']]);
        for (const wrong of [['A'], null, { x: 'X', y: 'Y' }]) {
          await expect(caching.getOrLoadMany(['x', 'y'], () => wrong as never)).rejects.toMatchObject({
            code: 'VALKEY_ARGUMENT_INVALID',
          });
        }
      });

      it('[CAC-1] a loader that begins with its own key runs without waiting for itself', async () => {
        const { caching } = await deployment.open(options);
        const inner = (): Promise<string> => caching.getOrLoad('k', () => 'inner');
        expect(await caching.getOrLoad('k', async () => `outer of ${await inner()}`)).toBe('outer of inner');
        await caching.idle();
        expect(await caching.get('k')).toBe('outer of inner');
      });

      it('[CAC-3] refuses wrong options of a call, as a rejection', async () => {
        const { caching } = await deployment.open(options);
        for (const wrong of [
          { jitter: 5 },
          { tags: 'abc' },
          { hardTimeout: 0 },
          { mode: 'foo' },
          { tll: '5m' },
          { ttl: 'x' },
        ]) {
          await expect(caching.getOrLoad('k', () => 'v', wrong as never)).rejects.toMatchObject({
            code: 'VALKEY_CONFIGURATION_INVALID',
          });
        }
        await expect(caching.getOrLoad('', () => 'v')).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
      });
    });
  }
}

/** The entry is not fresh any more. */
async function past(caching: CacheService): Promise<void> {
  await caching.idle();
  await until(async () => (await caching.get('k')) === undefined, { what: 'the entry is past its time' });
}

/** Does to a value what a careless caller might. */
function spoil(value: unknown): void {
  try {
    if (value instanceof Map) value.clear();
    else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) {
        spoil((value as Record<string, unknown>)[key]);
        Reflect.set(value, key, 'spoilt');
      }
    }
  } catch {
    // Frozen: all the better.
  }
}
