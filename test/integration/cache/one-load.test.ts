import { describeWithServers, leftovers, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { gate } from './gate.js';
import { processes } from './processes.js';
import type { CacheProcess, LoadRequest, Processes } from './processes.js';

/** Milliseconds; long enough that a busy machine renews it in time. */
const LEASE = 600;
const CALLS = 100;

describeWithServers('one load for all processes', () => {
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

  describe.each([
    ['kept near too', true],
    ['without a near cache', false],
  ])('%s', (_title, near) => {
    let workers: CacheProcess[];
    /** Hears which process asks for a value. */
    let load: (request: LoadRequest) => unknown;

    beforeAll(async () => {
      const client = { host: server.host, port: server.port };
      const caching = { near, lease: LEASE, hardTimeout: '30s' } as const;
      const start = (): Promise<CacheProcess> => all.start({ client, caching }, (request) => load(request));
      workers = await Promise.all([1, 2, 3].map(start));
    });
    afterEach(async () => {
      await server.command('FLUSHALL');
      await server.command('CONFIG', 'RESETSTAT');
    });
    afterAll(() => all.end());

    it('[C2] [CAC-4] loads once for 3 processes with 100 calls each, also when that outlives the lease', async () => {
      const slow = gate<string>();
      load = slow.load;
      const calls = workers.map((worker) => worker.ask('read', 'k', CALLS));
      await until(() => slow.calls() > 0, { what: 'the load begins' });
      const begun = performance.now();
      // Not a wait for something: the load has to last.
      await until(() => performance.now() - begun > 2 * LEASE, { what: 'the lease would be over' });
      slow.finish('value');
      expect(await Promise.all(calls)).toEqual(workers.map(() => Array.from({ length: CALLS }, () => 'value')));
      await Promise.all(workers.map((worker) => worker.ask('idle')));
      expect(await Promise.all(workers.map((worker) => worker.ask('read', 'k', 1)))).toEqual([
        ['value'],
        ['value'],
        ['value'],
      ]);
      expect(slow.calls()).toBe(1);
    });

    /** One process is frozen while it loads, until another one has the lease. */
    const freezeHolder = async () => {
      const old = gate<string>();
      const fresh = gate<string>();
      let first: CacheProcess | undefined;
      const refusedBefore = await refusals(workers);
      load = ({ process }) => {
        first ??= process;
        return process === first ? old.load() : fresh.load();
      };
      const calls = workers.map((worker) => worker.ask('read', 'k', 1));
      await until(() => old.calls() > 0, { what: 'the load begins' });
      first?.signal('SIGSTOP');
      await until(() => fresh.calls() > 0, { what: 'another one has the lease' });
      return { old, fresh, first, calls, refusedBefore };
    };

    it('[C2] one who was frozen for longer than its lease cannot overwrite what came after it', async () => {
      const { old, fresh, first, calls, refusedBefore } = await freezeHolder();
      fresh.finish('new');
      const others = calls.filter((_, index) => workers[index] !== first);
      expect(await Promise.all(others)).toEqual([['new'], ['new']]);
      await Promise.all(workers.filter((worker) => worker !== first).map((worker) => worker.ask('idle')));
      old.finish('old');
      first?.signal('SIGCONT');
      // Its own caller gets what it has loaded; nobody else does.
      expect(new Set((await Promise.all(calls)).flat())).toEqual(new Set(['new', 'old']));
      await first?.ask('idle');
      expect((await refusals(workers)) - refusedBefore).toBe(1);
      for (const worker of workers) expect(await worker.ask('read', 'k', 1)).toEqual(['new']);
      expect([old.calls(), fresh.calls()]).toEqual([1, 1]);
    });

    it('[C2] a holder that was frozen and has lost its lease does not take it back while another one loads', async () => {
      const { old, fresh, first, calls, refusedBefore } = await freezeHolder();
      first?.signal('SIGCONT');
      old.finish('old');
      await until(async () => (await refusals(workers)) > refusedBefore, { what: 'it is refused' });
      fresh.finish('new');
      expect(new Set((await Promise.all(calls)).flat())).toEqual(new Set(['new', 'old']));
      await Promise.all(workers.map((worker) => worker.ask('idle')));
      for (const worker of workers) expect(await worker.ask('read', 'k', 1)).toEqual(['new']);
    });

    it('[C2] when the one who loads is killed, one of those who wait loads soon after the lease is over', async () => {
      const asking: CacheProcess[] = [];
      load = ({ process }) => {
        asking.push(process);
        return asking.length === 1 ? new Promise(() => undefined) : 'second';
      };
      const calls = workers.map((worker) => worker.ask('read', 'k', CALLS).catch(() => ['killed']));
      await until(() => asking.length > 0, { what: 'the load begins' });
      // Those who wait have to be waiting: each has asked for the lease.
      await until(async () => (await leaseRequests(server)) >= workers.length, { what: 'the others wait' });
      const killedAt = performance.now();
      asking[0]?.signal('SIGKILL');
      const results = await Promise.all(calls);
      const waited = performance.now() - killedAt;
      expect(results.filter(([first]) => first === 'killed')).toHaveLength(1);
      expect(results.flat().filter((value) => value === 'second')).toHaveLength(2 * CALLS);
      expect(asking).toHaveLength(2);
      // By itself it would take the 30 seconds of the hard timeout.
      expect(waited).toBeLessThan(LEASE + 5_000);
    });
  });
});

/** How many processes have asked for the lease: each runs the script that gives it, which reads the server's time. */
async function leaseRequests(server: Server): Promise<number> {
  const stats = await server.info('commandstats');
  return Number(/calls=(\d+)/.exec(stats['cmdstat_getrange'] ?? '')?.[1] ?? 0);
}

/** How often what was loaded was not stored. */
async function refusals(workers: readonly CacheProcess[]): Promise<number> {
  const states = await Promise.all(workers.map((worker) => worker.ask('state')));
  return states.reduce((sum, { news }) => sum + (news['fill-refused'] ?? 0), 0);
}
