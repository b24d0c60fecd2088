import { ConnectionError, ValkeyError } from '../../../lib/index.js';
import type { ResilientDriver } from '../../../lib/resilience/resilient-driver.js';
import { until } from '../../support/index.js';
import { HeldDriver, ask, tick, word } from './held-driver.js';

let server: HeldDriver;
let driver: ResilientDriver;

function start(bulkhead: false | { inFlight: number; queue: number }, more: object = {}): void {
  server = new HeldDriver();
  driver = server.resilient({ bulkhead, ...more });
}

afterEach(() => driver.close());

/** Sends so many at once. */
function send(count: number, plan: Parameters<typeof ask>[0] = {}) {
  const asked = Array.from({ length: count }, () => ask(plan));
  driver.execute(asked.map(({ operation }) => operation));
  return asked;
}

const state = () => driver.circuits()[0]?.bulkhead;

describe('a bulkhead', () => {
  it('[RES-4] lets so many fly, lets so many wait, and refuses the rest with the figures and the cure', async () => {
    start({ inFlight: 2, queue: 3 });
    const asked = send(6);
    const last = await asked[5]!.ended;

    expect(last).toMatchObject({ ok: false, error: { code: 'VALKEY_QUEUE_FULL', subject: 'resilience.bulkhead' } });
    const { message } = (last as { error: Error }).error;
    for (const part of ['2 operations', 'server:1', '3 wait', 'resilience.bulkhead.queue', '.inFlight'])
      expect(message).toContain(part);
    expect(server.held).toHaveLength(2);
    expect(state()).toEqual({ inFlight: 2, queued: 3 });
  });

  it('[RES-4] lets those who wait go in the order they came, before newer ones', async () => {
    start({ inFlight: 1, queue: 10 });
    const first = send(1, { args: ['1'] });
    const order: string[] = [];
    for (const name of ['2', '3']) send(1, { args: [name] });
    await tick();
    server.answer();
    await first[0]!.ended;
    send(1, { args: ['4'] });
    for (let turn = 0; turn < 3; turn += 1) {
      await tick();
      order.push(...server.held.map(({ args }) => String(args[0])));
      server.answer();
    }

    expect(order).toEqual(['2', '3', '4']);
    await tick();
    expect(state()).toEqual({ inFlight: 0, queued: 0 });
  });

  it('[RES-4] sends what one tick has made room for together', async () => {
    start({ inFlight: 4, queue: 100 });
    send(12);
    await tick();
    server.answer();
    await tick();

    expect(server.batches).toEqual([4, 4]);
  });

  it('[RES-4] lets nobody wait for places that were free again at once', async () => {
    start({ inFlight: 2, queue: 100 });
    const execute = server.execute.bind(server);
    server.execute = (batch) => {
      execute(batch);
      server.answer();
    };
    const asked = send(7);
    expect((await Promise.all(asked.map(({ ended }) => ended))).map(word)).toEqual(Array(7).fill('OK'));
    await tick();
    expect(state()).toEqual({ inFlight: 0, queued: 0 });
  });

  it('[RES-4] keeps the order also where places are free again at once', async () => {
    start({ inFlight: 3, queue: 1_000 });
    const order: string[] = [];
    const execute = server.execute.bind(server);
    server.execute = (batch) => {
      order.push(...batch.map(({ args }) => String(args[0])));
      execute(batch);
      server.answer();
    };
    const names = Array.from({ length: 400 }, (_, index) => String(index));
    const ended = names.flatMap((name) => send(1, { args: [name] }).map((each) => each.ended));
    await Promise.all(ended);
    expect(order).toEqual(names);
  });

  it('[RES-4] keeps its figures whatever becomes of the operations', async () => {
    start({ inFlight: 3, queue: 100 });
    for (let round = 0; round < 20; round += 1) {
      const asked = send(10);
      await tick();
      expect(state()?.inFlight).toBeLessThanOrEqual(3);
      // Waiting and flying ones alike are given up.
      for (const index of [0, 4, 7]) asked[index]!.operation.settle({ ok: false, error: aborted() });
      while (server.held.length > 0) {
        expect(state()?.inFlight).toBeLessThanOrEqual(3);
        server.answer(undefined, 2);
        await tick();
      }
      expect((await Promise.all(asked.map(({ ended }) => ended))).map(word)).toEqual(
        asked.map((_, index) => ([0, 4, 7].includes(index) ? 'VALKEY_ABORTED' : 'OK')),
      );
      expect(state()).toEqual({ inFlight: 0, queued: 0 });
    }
  });

  it('[RES-4] one that is given up while it waits is never sent, and its place in the queue is free', async () => {
    start({ inFlight: 1, queue: 1 });
    send(1);
    const [waiting] = send(1, { args: ['given up'] });
    await tick();
    waiting!.operation.settle({ ok: false, error: aborted() });
    const [next] = send(1, { args: ['next'] });
    await tick();
    expect(state()).toEqual({ inFlight: 1, queued: 1 });
    server.answer();
    await tick();
    server.answer();

    expect(word(await next!.ended)).toBe('OK');
    expect(server.batches).toEqual([1, 1]);
  });

  it('[RES-4] [RES-3] a deadline holds while waiting, and says what was waited for', async () => {
    start({ inFlight: 1, queue: 1 });
    send(1);
    const [waiting] = send(1, { retrySafe: false, deadline: performance.now() + 20 });

    expect(await waiting!.ended).toMatchObject({
      ok: false,
      error: {
        code: 'VALKEY_DEADLINE_EXCEEDED',
        cause: { subject: 'resilience.bulkhead.inFlight', message: expect.stringContaining('server:1') as string },
      },
    });
    expect(server.held).toHaveLength(1);
    expect(state()).toEqual({ inFlight: 1, queued: 0 });
  });

  it('[RES-4] does not count what has a connection of its own', async () => {
    start({ inFlight: 1, queue: 0 });
    send(1);
    send(3, { command: 'BLPOP', blocking: true });
    await tick();

    expect(server.held).toHaveLength(4);
    expect(state()).toEqual({ inFlight: 1, queued: 0 });
  });

  it('[RES-4] counts a merged read as the reads it stands for', async () => {
    start({ inFlight: 20, queue: 100 });
    const reads = send(30, { command: 'GET', args: ['k'], readOnly: true });
    await tick();
    expect(server.held).toMatchObject([{ command: 'MGET', args: { length: 20 } }]);
    expect(state()).toEqual({ inFlight: 20, queued: 10 });

    server.answer({ ok: true, value: Array.from({ length: 20 }, () => 'v') });
    await tick();
    expect(state()).toEqual({ inFlight: 10, queued: 0 });
    server.answer();
    expect((await Promise.all(reads.map(({ ended }) => ended))).map(word)).toEqual(reads.map(() => 'OK'));
  });

  it('[RES-4] keeps a place over all attempts', async () => {
    start({ inFlight: 1, queue: 1 }, { retry: { min: 1, max: 1 } });
    const [first] = send(2);
    await tick();
    server.answer({ ok: false, error: new ConnectionError('away') });
    expect(state()).toEqual({ inFlight: 1, queued: 1 });
    while (server.held.length === 0) await tick();
    server.answer();

    expect(word(await first!.ended)).toBe('OK');
  });

  it('[RES-4] [RES-2] ends what waits once the circuit is not closed any more', async () => {
    start({ inFlight: 1, queue: 10 }, { retry: false, breaker: { failures: 1 } });
    const [failed, ...waiting] = send(4);
    await tick();
    server.answer({ ok: false, error: new ConnectionError('away') });
    const words = (await Promise.all(waiting.map(({ ended }) => ended))).map(word);

    expect(word(await failed!.ended)).toBe('VALKEY_CONNECTION_FAILED');
    expect(words).toEqual(waiting.map(() => 'VALKEY_CIRCUIT_OPEN'));
    expect(state()).toEqual({ inFlight: 0, queued: 0 });
  });

  it('[RES-4] [RES-2] ends what waits when it is isolated, though places are taken', async () => {
    start({ inFlight: 1, queue: 10 });
    const [, waiting] = send(2);
    await tick();
    const lift = driver.isolate();

    expect(word(await waiting!.ended)).toBe('VALKEY_CIRCUIT_OPEN');
    expect(word(await send(1)[0]!.ended)).toBe('VALKEY_CIRCUIT_OPEN');
    lift();
    server.answer();
    const [after] = send(1);
    await tick();
    server.answer();
    expect(word(await after!.ended)).toBe('OK');
  });

  it('[RES-4] [RES-2] [RES-7] ends what waits behind a probe, and when the driver is closed', async () => {
    start({ inFlight: 1, queue: 10 }, { retry: false, breaker: { failures: 1, halfOpenAfter: 1 } });
    send(1);
    await tick();
    server.answer({ ok: false, error: new ConnectionError('away') });
    await tick();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const [probe, other] = send(2);
    expect(word(await other!.ended)).toBe('VALKEY_CIRCUIT_OPEN');
    expect(driver.circuits()[0]?.state).toBe('half-open');
    server.answer();
    expect(word(await probe!.ended)).toBe('OK');
    await tick();

    const [, waiting] = send(2);
    await tick();
    await driver.close();
    expect(word(await waiting!.ended)).toBe('VALKEY_CLIENT_CLOSED');
  });

  it('[RES-4] is off unless asked for', async () => {
    start(false);
    send(5_000);
    await tick();

    expect(server.held).toHaveLength(5_000);
    expect(driver.circuits()).toEqual([{ route: 'server:1', state: 'closed' }]);
    server.answer();
  });
});

function aborted(): ValkeyError {
  return new ValkeyError('VALKEY_ABORTED', 'given up');
}

it('[RES-3] tells the whole budget of what waited for its place and then missed its deadline', async () => {
  start({ inFlight: 1, queue: 1 });
  const [first] = send(1);
  const startedAt = performance.now();
  const second = ask({ deadline: startedAt + 200 });
  driver.execute([Object.assign(second.operation, { startedAt })]);
  await tick();
  await until(() => performance.now() - startedAt > 50, { what: 'it has waited for a while' });
  server.answer();
  await first?.ended;

  expect(await second.ended).toMatchObject({ error: { code: 'VALKEY_DEADLINE_EXCEEDED' } });
  expect(((await second.ended) as { error: Error }).error.message).toContain('within 200 ms');
});
