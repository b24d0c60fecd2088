import {
  ConnectionError,
  DeadlineError,
  OutcomeUnknownError,
  ReplyError,
  ValkeyError,
  events,
} from '../../../lib/index.js';
import type { Outcome } from '../../../lib/index.js';
import type { ResilientDriver } from '../../../lib/resilience/resilient-driver.js';
import { until } from '../../support/index.js';
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
  it('[RES-2] lets a probe through in time, also when the clock of the machine was set back meanwhile', async () => {
    start({ failures: 1, halfOpenAfter: 5 });
    await call(silent);
    expect(state()).toBe('open');
    const now = Date.now.bind(Date);
    Date.now = () => now() - 3_600_000;
    try {
      await soon();
      await soon();
      await call(fine);
    } finally {
      Date.now = now;
    }
    expect(state()).toBe('closed');
  });

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

describe('[RES-2] a probe that is not answered', () => {
  const patience = 20;

  /** A circuit that is half-open, and its probe, whose deadline is a minute away. */
  async function probing() {
    server = new HeldDriver();
    driver = server.resilient({ retry: false, timeout: patience, breaker: { failures: 1, halfOpenAfter: 5 } });
    await call(silent);
    await soon();
    await soon();
    const probe = ask({ retrySafe: false });
    driver.execute([probe.operation]);
    await tick();
    expect(state()).toBe('half-open');
    return probe;
  }

  it('counts as failed after the silence figure, so that others are let through before its deadline', async () => {
    const { operation } = await probing();

    await until(() => state() === 'open', { what: 'the circuit is open again' });
    await soon();
    await soon();
    expect(operation.settled).toBe(false);
    server.held.length = 0;
    expect(await call(fine)).toBe('OK');
    expect(state()).toBe('closed');
    expect(operation.settled).toBe(false);
  });

  it('goes on, and closes the circuit when it is answered after all', async () => {
    const { ended } = await probing();
    await until(() => state() === 'open', { what: 'the circuit is open again' });

    server.answer(fine);

    expect(word(await ended)).toBe('OK');
    await tick();
    expect(state()).toBe('closed');
  });

  it('does not let a connection that opens close the circuit: it was silence', async () => {
    await probing();
    await until(() => state() === 'open', { what: 'the circuit is open again' });

    server.ready();

    expect(state()).toBe('open');
  });

  it('is one failure, whenever its deadline comes', async () => {
    await probing();
    const states: string[] = [];
    const stop = events.breaker.subscribe((event) => void states.push(event.state));
    await until(() => state() === 'open', { what: 'the circuit is open again' });

    server.answer(silent);
    await tick();
    stop();

    expect(states).toEqual(['open']);
  });
});
