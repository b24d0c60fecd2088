import { describeWithServers, leftovers, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { gate } from './gate.js';
import type { Gate } from './gate.js';
import { processes } from './processes.js';
import type { CacheProcess, Processes } from './processes.js';

const QUARTER_HOUR = 900_000;
/** Milliseconds; what is stated is 100, the rest is for a machine that has other things to do. */
const STALE_AT_MOST = 100 + 900;
const TURNS = 20;

describeWithServers('two processes with a cache each', () => {
  let all: Processes;
  let server: Server;

  beforeAll(async () => {
    all = processes();
    server = await startServer();
  });
  afterAll(async () => {
    await all.remove();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  const start = (load: () => unknown, near: boolean, clock = 0): Promise<CacheProcess> =>
    all.start({ client: { host: server.host, port: server.port }, caching: { near, lease: 500 }, clock }, load);
  const valueOf = async (worker: CacheProcess, options: object = {}, key = 'k'): Promise<unknown> =>
    (await worker.ask('read', key, 1, options))[0];

  describe('that keep it near', () => {
    let data = 0;
    let here: CacheProcess;
    let there: CacheProcess;

    beforeAll(async () => {
      [here, there] = (await Promise.all([1, 2].map(() => start(() => data, true)))) as [CacheProcess, CacheProcess];
    });
    beforeEach(() => server.command('FLUSHALL'));
    afterAll(() => all.end());

    const tags = ['t'];
    it.each([
      ['a write', () => there.ask('set', 'k', data, { tags })],
      ['an eviction', () => there.ask('evict', 'k')],
      ['an invalidated tag', () => there.ask('invalidateTags', 't')],
      ['a cleared cache', () => there.ask('clear')],
    ])('[C6] [CAC-6] after %s by the other, one is stale for no longer than stated', async (_title, change) => {
      let longest = 0;
      for (let turn = 0; turn < TURNS; turn += 1) {
        const hitsBefore = await nearHits(here);
        await until(
          async () => {
            expect(await valueOf(here, { tags })).toBe(data);
            return (await nearHits(here)) > hitsBefore;
          },
          { what: 'it is kept near' },
        );
        data += 1;
        await change();
        const changedAt = performance.now();
        await until(async () => (await valueOf(here, { tags })) === data, { what: 'the new value', interval: 1 });
        longest = Math.max(longest, performance.now() - changedAt);
      }
      expect(longest).toBeLessThan(STALE_AT_MOST);
    });
  });

  describe.each([
    ['a quarter of an hour fast', QUARTER_HOUR],
    ['a quarter of an hour slow', -QUARTER_HOUR],
  ])('one of them %s', (_title, clock) => {
    let loader: Gate<string>;
    let wrong: CacheProcess;
    let right: CacheProcess;
    let tests = 0;
    let key: string;
    let tag: string;

    beforeAll(async () => {
      [wrong, right] = await Promise.all([start(() => loader.load(), true, clock), start(() => loader.load(), true)]);
    });
    // The store is not emptied: who has not heard of it yet would write under a generation that is gone.
    beforeEach(() => {
      loader = gate();
      tests += 1;
      key = `k${tests}`;
      tag = `t${tests}`;
    });
    afterAll(() => all.end());

    /** The value, loaded as what `value` says if it has to be. */
    const loaded = async (worker: CacheProcess, value: string, options: object = {}): Promise<unknown> => {
      const before = loader.calls();
      let isOver = false;
      const result = valueOf(worker, options, key).finally(() => (isOver = true));
      await until(() => isOver || loader.calls() > before, { what: 'it is found or loaded' });
      loader.finish(value);
      return result;
    };

    it('really has another time', async () => {
      const [one, other] = await Promise.all([wrong.ask('state'), right.ask('state')]);
      expect(Math.abs(one.time - other.time)).toBeGreaterThan(QUARTER_HOUR - 60_000);
    });

    it.each([
      ['an eviction', (by: CacheProcess) => by.ask('evict', key)],
      ['an invalidated tag', (by: CacheProcess) => by.ask('invalidateTags', tag)],
      ['a cleared cache', (by: CacheProcess) => by.ask('clear')],
    ])('[C1] %s during a load wins, whoever of them does it', async (_what, invalidate) => {
      for (const [loads, other] of [
        [wrong, right],
        [right, wrong],
      ] as const) {
        const begun = loader.calls();
        const first = valueOf(loads, { tags: [tag] }, key);
        await until(() => loader.calls() > begun, { what: 'the load begins' });
        await invalidate(other);
        loader.finish('old');
        expect(await first).toBe('old');
        await loads.ask('idle');
        expect(await loaded(other, 'new', { tags: [tag] })).toBe('new');
        await other.ask('idle');
        expect(await loaded(loads, 'newer', { tags: [tag] })).toBe('new');
        await other.ask('evict', key);
      }
    });

    it('[C1] what is invalidated after it was stored is gone, and what is stored after that stays', async () => {
      for (const [one, other] of [
        [wrong, right],
        [right, wrong],
      ] as const) {
        await one.ask('set', key, 'old', { tags: [tag] });
        expect(await loaded(other, 'loaded', { tags: [tag] })).toBe('old');
        await other.ask('invalidateTags', tag);
        await one.ask('set', key, 'new', { tags: [tag] });
        await until(async () => (await loaded(other, 'loaded', { tags: [tag] })) === 'new', { what: 'it is told' });
      }
    });

    it('[C1] a ttl and the time for stale values go by the clock of the server', async () => {
      for (const [one, other] of [
        [wrong, right],
        [right, wrong],
      ] as const) {
        await one.ask('set', key, 'v', { ttl: 60_000, staleFor: 60_000 });
        expect(await other.ask('lookup', key)).toEqual({ value: 'v' });
        expect(Number(await server.command('PTTL', `cache:default:1{:${key}}`))).toBeGreaterThan(100_000);

        await one.ask('set', key, 'v', { ttl: 50, staleFor: 60_000 });
        await until(async () => (await other.ask('lookup', key)) === undefined, { what: 'its ttl is over' });
        // It is still there, for the case that a load fails.
        const before = loader.calls();
        const stale = valueOf(other, { staleFor: 60_000 }, key);
        await until(() => loader.calls() > before, { what: 'the load begins' });
        loader.fail(new Error('The loader fails.'));
        expect(await stale).toBe('v');
        await other.ask('evict', key);
      }
    });
  });
});

async function nearHits(worker: CacheProcess): Promise<number> {
  return (await worker.ask('state')).news['near-hit'] ?? 0;
}
