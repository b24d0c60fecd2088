import type { Limit } from '../../../lib/index.js';
import { ALGORITHMS } from '../../unit/features/rate-limit/arrivals.js';
import { describeWithServers, leftovers, startCluster, startServer } from '../../support/index.js';
import { processes } from './processes.js';
import type { LimiterProcess, Processes } from './processes.js';

const HOUR = 3_600_000;

/** Where the counters may be. */
const STORES = {
  'a server': async () => {
    const server = await startServer();
    return { client: { host: server.host, port: server.port }, stop: () => server.stop() };
  },
  'a cluster': async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 0 });
    return { client: { mode: 'cluster', nodes: cluster.addrs }, stop: () => cluster.stop() };
  },
};

describe.each(Object.keys(STORES) as (keyof typeof STORES)[])('on %s', (name) => {
  describeWithServers('several processes', () => {
    let store: Awaited<ReturnType<(typeof STORES)[typeof name]>>;
    let compiled: Processes;
    let workers: readonly LimiterProcess[];

    beforeAll(async () => {
      store = await STORES[name]();
      compiled = processes();
      workers = await start([0, 0, 0, 0]);
    }, 60_000);
    afterAll(async () => {
      await compiled.remove();
      await store.stop();
      expect(leftovers()).toEqual([]);
    });

    const start = (clocks: readonly number[]): Promise<LimiterProcess[]> =>
      Promise.all(clocks.map((clock) => compiled.start({ client: store.client, clock })));

    it('[L1] admit together exactly 100 of 2,000 calls at once, with each algorithm', async () => {
      for (const algorithm of ALGORITHMS) {
        // Long enough for nothing to come back meanwhile.
        const limits: Limit = { limit: 100, window: '24h', algorithm };
        const answers = await Promise.all(workers.map((worker) => worker.consume(algorithm, limits, 500)));
        const decisions = answers.flatMap((answer) => answer.decisions);
        expect(answers.flatMap(({ errors, rejections }) => [...errors, ...rejections])).toEqual([]);
        expect([algorithm, decisions.filter(({ admitted }) => admitted).length]).toEqual([algorithm, 100]);
        expect(decisions).toHaveLength(2_000);
        // Each of them was told a place of its own.
        const left = decisions.flatMap(({ admitted, tiers }) => (admitted ? [tiers[0]?.remaining] : []));
        expect(new Set(left).size).toBe(100);
      }
    }, 60_000);

    it('[L1] [L2] admit together what the narrowest of several tiers does, and drain no other', async () => {
      const limits: readonly Limit[] = [
        { limit: 1_000, window: '24h', algorithm: 'sliding-log' },
        { limit: 100, window: '12h', algorithm: 'fixed-window' },
        { limit: 500, window: '6h' },
      ];
      const answers = await Promise.all(workers.map((worker) => worker.consume('tiers', limits, 500)));
      expect(answers.flatMap(({ decisions }) => decisions.filter(({ admitted }) => admitted))).toHaveLength(100);
      const [last] = (await (workers[0] as LimiterProcess).consume('tiers', limits, 1, 0)).decisions;
      expect(last?.tiers.map(({ remaining }) => remaining)).toEqual([900, 0, 400]);
    }, 60_000);

    it('[L9] decide the same with clocks that are an hour ahead and an hour behind', async () => {
      const shifted = [workers[0] as LimiterProcess, ...(await start([HOUR, -HOUR]))];
      for (const algorithm of ALGORITHMS) {
        const limits: Limit = { limit: 10, window: '1h', algorithm, block: '2h' };
        const admitted: number[] = [];
        const clocks: number[] = [];
        for (const worker of shifted) {
          const { decisions, errors, time } = await worker.consume(`clock-${algorithm}`, limits, 4);
          expect(errors).toEqual([]);
          clocks.push(Math.round((time - Date.now()) / HOUR) + 0);
          admitted.push(decisions.filter((decision) => decision.admitted).length);
        }
        expect(clocks).toEqual([0, 1, -1]);
        expect([algorithm, ...admitted]).toEqual([algorithm, 4, 4, 2]);
        const told = await Promise.all(shifted.map((worker) => worker.consume(`clock-${algorithm}`, limits, 1)));
        const waits = told.map(({ decisions }) => decisions[0]?.retryAfter ?? 0);
        // All of the time the test has taken so far is less than a minute.
        for (const wait of waits) expect(2 * HOUR - wait).toBeLessThan(60_000);
        for (const wait of waits) expect(wait).toBeLessThanOrEqual(2 * HOUR);
      }
    }, 60_000);
  });
});
