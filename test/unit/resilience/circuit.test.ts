import { ConnectionError, DeadlineError, OutcomeUnknownError, ReplyError, ValkeyError } from '../../../lib/index.js';
import type { Outcome } from '../../../lib/index.js';
import type { ResilientDriver } from '../../../lib/resilience/resilient-driver.js';
import { HeldDriver, ask, tick, word } from './held-driver.js';

let server: HeldDriver;
let driver: ResilientDriver;

function start(breaker: object): void {
  server = new HeldDriver();
  driver = server.resilient({ retry: false, breaker });
}

afterEach(() => driver.close());

/** One call that ends like this; what the caller was told. */
async function call(outcome: Outcome): Promise<string> {
  const { operation, ended } = ask({ retrySafe: false });
  driver.execute([operation]);
  await tick();
  server.answer(outcome);
  const told = word(await ended);
  await tick();
  return told;
}

const state = () => driver.circuits()[0]?.state;
const fine: Outcome = { ok: true, value: 'OK' };
const away: Outcome = { ok: false, error: new ConnectionError('away') };
const silent: Outcome = { ok: false, error: new OutcomeUnknownError('SET', new DeadlineError('SET', 9)) };
const broken: Outcome = { ok: false, error: new OutcomeUnknownError('SET') };
const told: Outcome = { ok: false, error: new ReplyError('WRONGTYPE', 'no', {}) };
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a circuit by failures in a row', () => {
  it('[RES-2] opens after as many, and starts counting anew after an answer', async () => {
    start({ failures: 2 });
    for (const outcome of [away, fine, away, told, away]) await call(outcome);
    expect(state()).toBe('closed');

    await call(away);
    expect(state()).toBe('open');
    expect(await call(fine)).toBe('VALKEY_CIRCUIT_OPEN');
  });
});

describe('a circuit by ratio', () => {
  it('[RES-2] opens when the share is reached, but not before the minimum', async () => {
    start({ ratio: 0.5, window: '1m', minimum: 4 });
    for (const outcome of [away, fine, away]) await call(outcome);
    expect(state()).toBe('closed');

    await call(away);
    expect(state()).toBe('open');
  });

  it('[RES-2] stays closed below the share, where failures in a row would open it', async () => {
    start({ ratio: 0.5, window: '1m', minimum: 4 });
    for (let index = 0; index < 10; index += 1) await call(fine);
    for (let index = 0; index < 9; index += 1) await call(away);
    expect(state()).toBe('closed');

    await call(away);
    expect(state()).toBe('open');
  });

  it('[RES-2] begins a new account after a probe that succeeded', async () => {
    start({ ratio: 0.5, window: '1m', minimum: 4, halfOpenAfter: 1 });
    for (let index = 0; index < 4; index += 1) await call(away);
    await soon();
    expect(await call(fine)).toBe('OK');
    await call(away);
    await call(away);

    expect(state()).toBe('closed');
  });
});

describe('a half-open circuit', () => {
  it('[RES-2] is opened again by a probe that fails, and refuses others meanwhile', async () => {
    start({ failures: 1, halfOpenAfter: 1 });
    await call(away);
    await soon();
    const probe = ask();
    driver.execute([probe.operation]);
    await tick();
    expect(state()).toBe('half-open');
    const other = ask();
    driver.execute([other.operation]);
    expect(word(await other.ended)).toBe('VALKEY_CIRCUIT_OPEN');

    server.answer(away);
    await tick();
    expect(state()).toBe('open');
  });

  it('[RES-2] is not closed by a probe whose caller gave up, and not stuck by one given up before it was sent', async () => {
    start({ failures: 1, halfOpenAfter: 1 });
    await call(away);
    await soon();
    const abort: Outcome = { ok: false, error: new ValkeyError('VALKEY_ABORTED', 'given up') };
    const unsent = ask();
    driver.execute([unsent.operation]);
    unsent.operation.settle(abort);
    await tick();
    expect(state()).toBe('open');

    const probe = ask();
    driver.execute([probe.operation]);
    await tick();
    expect(state()).toBe('half-open');
    probe.operation.settle(abort);
    await tick();
    expect(state()).toBe('open');

    server.held.length = 0;
    await soon();
    expect(await call(fine)).toBe('OK');
    expect(state()).toBe('closed');
  });

  it('[RES-2] an answer nobody waited for neither counts as a success', async () => {
    start({ failures: 2 });
    await call(away);
    const given = ask();
    driver.execute([given.operation]);
    await tick();
    given.operation.settle({ ok: false, error: new ValkeyError('VALKEY_ABORTED', 'given up') });
    server.held.length = 0;
    await call(away);

    expect(state()).toBe('open');
  });
});

describe('a circuit whose connection is back', () => {
  it.each([
    ['could not be opened', away],
    ['broke', broken],
  ])('[RES-2] is closed at once if it was opened because connections %s', async (_, outcome) => {
    start({ failures: 2, halfOpenAfter: '1h' });
    await call(outcome);
    await call(outcome);
    expect(state()).toBe('open');

    server.ready();
    expect(state()).toBe('closed');
    expect(await call(fine)).toBe('OK');
  });

  it('[RES-2] stays open if the server was silent once since it last answered', async () => {
    start({ failures: 2, halfOpenAfter: '1h' });
    await call(silent);
    await call(away);
    server.ready();
    expect(state()).toBe('open');

    driver.resetCircuits();
    await call(fine);
    await call(away);
    await call(away);
    expect(state()).toBe('open');
    server.ready();
    expect(state()).toBe('closed');
  });

  it('[RES-2] stays open if it is held open by hand', async () => {
    start({ failures: 2 });
    const lift = driver.isolate();
    server.ready();
    expect(state()).toBe('isolated');
    lift();
    expect(state()).toBe('closed');
  });
});
