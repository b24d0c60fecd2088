import { LockService } from '../../../lib/index.js';
import type { LockOptions } from '../../../lib/index.js';
import { describeWithServers, leftovers, startCluster, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { closeClients, openClient } from '../open-client.js';
import { lockProcesses } from './processes.js';
import type { LockProcess, LockProcesses } from './processes.js';

const CALLERS = 5;
const TIMES = 10;
const PATIENT: LockOptions = { wait: '60s' };

describeWithServers('locks of several processes', () => {
  let all: LockProcesses;
  let server: Server;
  let workers: readonly LockProcess[];

  beforeAll(async () => {
    all = lockProcesses();
    server = await startServer();
    const client = { host: server.host, port: server.port };
    workers = await Promise.all(Array.from({ length: 4 }, () => all.start(client)));
  }, 60_000);

  beforeEach(() => server.command('FLUSHALL'));

  afterAll(async () => {
    await all.remove();
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[LCK-1] never let two in at once, and wake who waits without a storm of commands', async () => {
    await server.command('CONFIG', 'RESETSTAT');
    await Promise.all(workers.map((worker) => worker.ask('count', 'shared', 'counter', CALLERS, TIMES, PATIENT)));

    const turns = workers.length * CALLERS * TIMES;
    expect(Number(await server.command('GET', 'counter'))).toBe(turns);
    const scripts = await calls(server, 'evalsha');
    // A release, and a question of each process: however many wait in it. A little more for those who come new.
    expect(scripts / turns).toBeLessThan(1 + workers.length + 1.5);
    for (const worker of workers) expect((await worker.ask('state')).rejections).toEqual([]);
  }, 60_000);

  it('[LCK-1] without the lock the same count loses some: the test can fail', async () => {
    await Promise.all(workers.map((worker, index) => worker.ask('count', `own ${index}`, 'counter', 1, 50, PATIENT)));
    expect(Number(await server.command('GET', 'counter'))).toBeLessThan(workers.length * 50);
  });

  it('[LCK-1] asks little while a lock is held for long', async () => {
    const [holder, ...others] = workers as [LockProcess, ...LockProcess[]];
    await holder.ask('begin', 'long');
    const waits = others.map((worker) => worker.ask('count', 'long', 'counter', 25, 1, PATIENT));
    await until(async () => (await server.command('EXISTS', 'lock-awaited:{:long}')) === 1, { what: 'somebody waits' });
    await server.command('CONFIG', 'RESETSTAT');
    const from = performance.now();
    await until(() => performance.now() - from > 2_000, { what: 'two seconds', interval: 100 });
    const asked = await calls(server, 'evalsha');
    const seconds = (performance.now() - from) / 1_000;
    await holder.ask('finish');
    await Promise.all(waits);

    // One in each process, every half to whole second.
    expect(asked / seconds).toBeLessThan(others.length * 2 + 3);
    expect(Number(await server.command('GET', 'counter'))).toBe(others.length * 25);
  }, 30_000);

  it('[LCK-1] of a process that was killed ends after its ttl', async () => {
    const victim = await all.start({ host: server.host, port: server.port });
    await victim.ask('begin', 'orphan', { ttl: 500 });
    victim.signal('SIGKILL');
    const [worker] = workers as [LockProcess];
    const fence = await worker.ask('begin', 'orphan', PATIENT);
    expect(fence).toBeGreaterThan(0);
    expect(await worker.ask('finish')).toBeUndefined();
  });

  it('[L16] of a process that was paused are refused when it writes late, and it hears that it has lost', async () => {
    const [paused, next] = await Promise.all([1, 2].map(() => all.start({ host: server.host, port: server.port })));
    const first = await (paused as LockProcess).ask('begin', 'order', { ttl: 1_000 });
    expect(await (paused as LockProcess).ask('write', 'account', 'first')).toBe(true);

    paused?.signal('SIGSTOP');
    const second = await (next as LockProcess).ask('begin', 'order', { ttl: 1_000, wait: '30s' });
    expect(second).toBeGreaterThan(first);
    expect(await next?.ask('write', 'account', 'second')).toBe(true);

    // What it does first when it wakes up: it does not know yet.
    const late = paused?.ask('write', 'account', 'late');
    paused?.signal('SIGCONT');
    expect(await late).toBe(false);
    expect(await server.command('GET', 'account')).toBe('second');
    await until(async () => (await paused?.ask('state'))?.lost === 'VALKEY_LOCK_LOST', { what: 'its signal fires' });
    expect(await paused?.ask('finish')).toBe('VALKEY_LOCK_LOST');
    // What it gives back was not its own.
    expect((await next?.ask('state'))?.lost).toBeUndefined();
    expect(await next?.ask('finish')).toBeUndefined();
    expect((await paused?.ask('state'))?.rejections).toEqual([]);
  }, 60_000);
});

describeWithServers('locks of several processes on a cluster', () => {
  it('[LCK-2] never let two in at once, also several names over several nodes', async () => {
    const all = lockProcesses();
    const cluster = await startCluster();
    try {
      const options = { mode: 'cluster', nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) };
      const workers = await Promise.all([1, 2].map(() => all.start(options)));
      await Promise.all(workers.map((worker) => worker.ask('count', 'shared', 'counter', 4, 10, PATIENT)));
      const client = await openClient(options);
      expect(await client.get('counter')).toBe(String(2 * 4 * 10));

      const locks = new LockService(client);
      const lock = await locks.acquire(['}{', '{a}b', 'c', '{}'], PATIENT);
      expect(await locks.tryAcquire('c')).toBeUndefined();
      expect(await lock.release()).toBe(true);
      expect(await locks.setFenced('plain', 'v', lock.fencingToken)).toBe(true);
      await locks.close();
    } finally {
      await closeClients();
      await all.remove();
      await cluster.stop();
    }
  }, 90_000);
});

async function calls(server: Server, command: string): Promise<number> {
  const stats = await server.info('commandstats');
  return Number(/calls=(\d+)/.exec(stats[`cmdstat_${command}`] ?? 'calls=0')?.[1]);
}
