import { ConnectionError } from '../../../lib/index.js';
import type { Operation } from '../../../lib/index.js';
import type { ResilientDriver } from '../../../lib/resilience/resilient-driver.js';
import { until } from '../../support/index.js';
import { HeldDriver, ask, tick } from './held-driver.js';

/** Operations that are enough for a batch to leave at once, or arguments of one of them. */
const FULL = 128;

describe('what one tick sends', () => {
  let server: HeldDriver;
  let driver: ResilientDriver;

  beforeEach(() => {
    server = new HeldDriver();
    driver = server.resilient(undefined);
  });
  afterEach(() => driver.close());

  const send = (args: readonly string[]): Operation => {
    const { operation } = ask({ args });
    driver.execute([operation]);
    return operation;
  };
  const sent = (): readonly string[] => server.held.map(({ args }) => String(args[0]));

  it('leaves together at its end', async () => {
    for (const name of ['1', '2', '3']) send([name]);
    expect(server.batches).toEqual([]);
    await tick();
    expect(server.batches).toEqual([3]);
  });

  it('leaves at once when it is enough, in order, and the rest at its end', async () => {
    const names = Array.from({ length: 2 * FULL + 10 }, (_, index) => String(index));
    for (const name of names.slice(0, FULL - 1)) send([name]);
    expect(server.batches).toEqual([]);
    for (const name of names.slice(FULL - 1)) send([name]);
    expect(server.batches).toEqual([FULL, FULL]);
    await tick();
    expect(server.batches).toEqual([FULL, FULL, 10]);
    expect(sent()).toEqual(names);
  });

  it('leaves at once with a command that is long enough by itself', () => {
    send(Array.from({ length: FULL - 1 }, String));
    send(['short']);
    expect(server.batches).toEqual([]);
    send(Array.from({ length: FULL }, String));
    expect(server.batches).toEqual([3]);
  });

  it('goes on as ever after a full one has left and nothing came after it', async () => {
    for (let index = 0; index < FULL; index += 1) send([String(index)]);
    await tick();
    server.answer();
    send(['next']);
    await tick();
    expect(server.batches).toEqual([FULL, 1]);
  });

  it('[RES-2] leaves together at its end where the circuit is being tried: only one batch may pass', async () => {
    server = new HeldDriver();
    driver = server.resilient({ breaker: { failures: 1, halfOpenAfter: 1 }, retry: { attempts: 0 } });
    send(['fails']);
    await tick();
    server.answer({ ok: false, error: new ConnectionError('away') });
    await until(() => driver.circuits()[0]?.state === 'open', { what: 'the circuit is open' });
    const openedAt = performance.now();
    await until(() => performance.now() - openedAt > 20, { what: 'it may be tried' });
    for (let index = 0; index < 2 * FULL; index += 1) send([String(index)]);
    await tick();
    expect(server.batches).toEqual([1, 2 * FULL]);
  });

  it('is held by nobody when it is over, however long its batch lives on', async () => {
    const batches: (readonly Operation[])[] = [];
    const execute = server.execute.bind(server);
    server.execute = (batch) => {
      batches.push(batch);
      execute(batch);
    };
    for (const name of ['1', '2']) send([name]);
    await tick();
    server.answer(undefined, 1);
    expect(batches[0]).toHaveLength(2);
    server.answer();
    expect(batches[0]).toHaveLength(0);
  });
});
