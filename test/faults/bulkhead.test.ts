import { events } from '../../lib/index.js';
import {
  describeWithServers,
  type FaultProxy,
  leftovers,
  type Server,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../support/index.js';
import { closeClients, ending, openClient } from '../integration/open-client.js';
import { codesOf } from './load.js';

describeWithServers('a client whose server is in trouble', () => {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer();
    proxy = await startFaultProxy(server);
  });

  afterEach(async () => {
    await closeClients();
    proxy.heal();
    await proxy.accept();
  });

  afterAll(async () => {
    await proxy.close();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  const at = () => ({ host: proxy.host, port: proxy.port });

  it('[RES-4] asks a slow server no more than its bulkhead allows, and every caller hears', async () => {
    const watch = watchUnhandled();
    const client = await openClient({ ...at(), resilience: { bulkhead: { inFlight: 8, queue: 16 } } });
    await client.set('key', 'value');
    proxy.blackHole();
    const calls = Array.from({ length: 100 }, (_, index) => ending(client.incr(`n:${index}`)));
    await until(() => client.circuits()[0]?.bulkhead?.queued === 16, { what: 'the queue is full' });
    expect(client.circuits()).toMatchObject([{ bulkhead: { inFlight: 8, queued: 16 } }]);

    proxy.heal();
    const results = await Promise.all(calls);
    const failures = results.filter((result) => result instanceof Error);
    expect(results.filter((result) => result === 1)).toHaveLength(24);
    expect(codesOf(failures)).toEqual({ VALKEY_QUEUE_FULL: 76 });
    expect(client.circuits()).toMatchObject([{ bulkhead: { inFlight: 0, queued: 0 } }]);
    expect(client.underWay).toBe(0);
    expect(await watch.stop()).toEqual([]);
  });

  it('[RES-4] frees the places of what is aborted and of what is late', async () => {
    const client = await openClient({
      ...at(),
      resilience: { timeout: '100ms', breaker: false, bulkhead: { inFlight: 1, queue: 2 } },
    });
    proxy.blackHole();
    const gone = new AbortController();
    const late = ending(client.get('a'));
    const aborted = ending(client.with({ signal: gone.signal, timeout: '1m' }).get('b'));
    const waiting = ending(client.with({ timeout: '1m' }).get('c'));
    await until(() => client.circuits()[0]?.bulkhead?.queued === 2, { what: 'two wait' });
    gone.abort(new Error('gone'));
    expect(await aborted).toMatchObject({ message: 'gone' });
    expect(client.circuits()).toMatchObject([{ bulkhead: { inFlight: 1, queued: 1 } }]);

    expect(await late).toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    proxy.heal();
    proxy.cut();
    expect(await waiting).toBeNull();
  });

  it('[RES-4] closing ends what waits', async () => {
    const client = await openClient({ ...at(), resilience: { bulkhead: { inFlight: 1, queue: 100 } } });
    proxy.blackHole();
    const calls = Array.from({ length: 50 }, () => ending(client.incr('n')));
    await until(() => client.circuits()[0]?.bulkhead?.queued === 49, { what: 'they wait' });
    await client.close();

    const codes = codesOf((await Promise.all(calls)) as Error[]);
    expect(codes).toEqual({ VALKEY_OUTCOME_UNKNOWN: 1, VALKEY_CLIENT_CLOSED: 49 });
  });

  it('[RES-2] that refused connections is asked again as soon as it takes them, not after halfOpenAfter', async () => {
    const client = await openClient({
      ...at(),
      resilience: { timeout: '100ms', breaker: { failures: 2, halfOpenAfter: '1h' } },
    });
    await proxy.refuse();
    proxy.cut();
    await until(
      () =>
        client.get('key').then(
          () => false,
          () => client.circuits()[0]?.state === 'open',
        ),
      {
        what: 'the circuit opens',
      },
    );
    await expect(client.get('key')).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });

    await proxy.accept();
    await until(() => client.circuits()[0]?.state === 'closed', { what: 'the circuit closes' });
    expect(await client.set('key', 'again')).toBe('OK');
  });

  it('[RES-2] opens by ratio although every other call succeeds', async () => {
    const client = await openClient({
      ...at(),
      resilience: { retry: false, breaker: { ratio: 0.5, window: '1m', minimum: 6, halfOpenAfter: '1h' } },
    });
    const states: string[] = [];
    const stop = events.breaker.subscribe(({ state }) => void states.push(state));
    for (let round = 0; round < 3; round += 1) {
      await until(() => client.status().state === 'ready', { what: 'the connection is back' });
      await client.set('key', String(round));
      proxy.dropReply('INCR');
      expect(await ending(client.incr('n'))).toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN' });
      if (round < 2) expect(states).toEqual([]);
    }
    // The sixth call opens it. It was opened by broken connections, so one that is back closes it.
    await until(() => states.length === 2, { what: 'it was open, and is closed again' });
    stop();
    expect(states).toEqual(['open', 'closed']);
  });

  it.each(['exponential', 'decorrelated', 'linear', 'fixed', 'none'] as const)(
    '[RES-1] repeats a read %s until the server is back, and within min and max',
    async (backoff) => {
      const client = await openClient({ ...at(), resilience: { breaker: false, retry: { backoff, min: 4, max: 16 } } });
      const pauses: number[] = [];
      const stop = events.retry.subscribe(({ delayMs }) => void pauses.push(delayMs));
      await proxy.refuse();
      proxy.cut();
      const call = client.get('missing');
      await until(() => pauses.length >= 5, { what: 'it was repeated five times' });
      await proxy.accept();

      expect(await call).toBeNull();
      stop();
      const least = { exponential: 0, decorrelated: 0, linear: 4, fixed: 4, none: 1 }[backoff];
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(backoff === 'fixed' || backoff === 'none' ? 4 : 16);
    },
  );

  it('[RES-1] repeats a read attempts times when its reply is lost again and again', async () => {
    const client = await openClient({
      ...at(),
      resilience: { breaker: false, retry: { attempts: 2, backoff: 'none' } },
    });
    const before = proxy.dropped;
    const stop = events.connection.subscribe(({ state }) => {
      if (state === 'ready') proxy.dropReply('GET');
    });
    proxy.dropReply('GET');
    expect(await ending(client.get('key'))).toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    stop();

    expect(proxy.dropped - before).toBe(3);
  });
});
