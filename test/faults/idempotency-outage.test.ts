import { events, IdempotencyService } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import {
  describeWithServers,
  leftovers,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import type { FaultProxy, Server, UnhandledWatch } from '../support/index.js';
import { closeClients, openClient } from '../integration/open-client.js';

describeWithServers('idempotent work and a store that fails', () => {
  let server: Server;
  let proxy: FaultProxy;
  let client: CacheClient;
  let service: IdempotencyService;
  let told: string[];
  let stop: () => void;
  let watch: UnhandledWatch;

  beforeAll(async () => {
    server = await startServer();
    proxy = await startFaultProxy(server);
  });
  beforeEach(async () => {
    await server.command('FLUSHALL');
    client = await openClient({ host: proxy.host, port: proxy.port, timeouts: { read: '1s', write: '1s' } });
    service = new IdempotencyService(client, { lease: '1s' });
    // The first script of a connection travels as its text.
    await service.run('warm', 1, () => 1);
    told = [];
    stop = events.idempotency.subscribe(({ outcome }) => told.push(outcome));
    watch = watchUnhandled();
  });
  afterEach(async () => {
    proxy.heal();
    await proxy.accept();
    stop();
    await closeClients();
    expect(await watch.stop()).toEqual([]);
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each(['EVALSHA', (command: readonly string[]) => command[0]?.toUpperCase() === 'EVALSHA'])(
    '[IDM-4] a claim whose reply is lost is still one claim',
    async (match) => {
      const before = proxy.dropped;
      proxy.dropReply(match);
      expect(await service.run('a', 1, () => 'done')).toBe('done');
      expect(proxy.dropped).toBe(before + 1);
      expect(await service.run('a', 1, () => 'never')).toBe('done');
      expect(told).toEqual(['completed', 'replayed']);
    },
  );

  it('[IDM-4] a result whose reply is lost is kept once', async () => {
    const result = await service.run('a', 1, () => {
      proxy.dropReply('EVALSHA');
      return 'done';
    });
    expect(result).toBe('done');
    expect(await service.run('a', 1, () => 'never')).toBe('done');
    expect(told).toEqual(['completed', 'replayed']);
  });

  it('[L14] a result that cannot be stored is given all the same, and the work may be done again after the lease', async () => {
    let runs = 0;
    const result = await service.run('a', 1, async () => {
      runs += 1;
      await proxy.refuse();
      proxy.cut();
      return 'first';
    });
    expect(result).toBe('first');
    expect(told).toEqual(['store-failed']);
    await proxy.accept();
    const again = await until(() => service.run('a', 1, () => `again ${(runs += 1)}`), {
      what: 'the lease is over',
      interval: 50,
    });
    expect([again, runs]).toEqual(['again 2', 2]);
  });

  it('an error of the work stays its own when the claim cannot be given back', async () => {
    const failing = service.run('a', 1, async () => {
      await proxy.refuse();
      proxy.cut();
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(told).toEqual(['store-failed']);
  });

  it('a claim outlives an outage that is shorter than its lease', async () => {
    const patient = new IdempotencyService(client, { lease: '9s' });
    let retries = 0;
    const stopListening = events.retry.subscribe(() => (retries += 1));
    let isLost = true;
    const result = await patient.run('a', 1, async (lost) => {
      await proxy.refuse();
      proxy.cut();
      await until(() => retries > 0, { what: 'it was renewed in vain' });
      await proxy.accept();
      await until(async () => Number(await server.command('PTTL', 'idempotent:0::a')) > 6_500, {
        what: 'the claim is renewed',
      });
      isLost = lost.aborted;
      return 'done';
    });
    stopListening();
    expect([result, isLost]).toEqual(['done', false]);
    expect(told).toEqual(['completed']);
  }, 20_000);

  it('work hears that its claim may be over when the store stays away for longer than the lease', async () => {
    await service.run('a', 1, async (lost) => {
      proxy.blackHole();
      await until(() => lost.aborted, { what: 'the loss is told' });
      proxy.heal();
    });
    expect(told).toHaveLength(1);
  });

  it('a store without memory refuses the work, and one that comes back does it', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(service.run('a', 1, () => 'never')).rejects.toMatchObject({
      code: 'VALKEY_IDEMPOTENCY_UNAVAILABLE',
      cause: { code: 'VALKEY_OUT_OF_MEMORY' },
    });
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await service.run('a', 1, () => 'done')).toBe('done');
  });
});
