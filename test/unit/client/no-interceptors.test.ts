import { jest } from '@jest/globals';
import { createHook } from 'node:async_hooks';
import { Dispatcher } from '../../../lib/client/dispatcher.js';
import type { Interceptor } from '../../../lib/client/interceptors.js';
import { HookSet } from '../../../lib/client/interceptors.js';
import { GET } from '../../../lib/client/commands/table/strings.js';
import { DEFAULT_SCOPE } from '../../../lib/client/scope.js';
import { EventChannel, events } from '../../../lib/core/events.js';
import type { Driver, Operation } from '../../../lib/driver/driver.js';

const COMMANDS = 50;
const ARGS = ['key'] as const;
const SETTINGS = {
  name: 'quiet',
  keyPrefix: '',
  timeouts: { dial: 1_000, read: 1_000, write: 1_000 },
  maxQueue: 1_000,
  drain: 100,
  pool: { size: 1, minIdle: 0, maxIdle: 1 },
};

/** Answers at once, so that nothing but the dispatcher's own work is counted. */
function answeringDriver(seen: Operation[]): Driver {
  const execute = (batch: readonly Operation[]): void => {
    seen.push(...batch);
    for (const operation of batch) operation.settle({ ok: true, value: 'value' });
  };
  return { name: 'answering', topology: 'single', execute } as unknown as Driver;
}

/** What the same commands cost, by count. */
interface Cost {
  readonly promises: number;
  readonly clockReadings: number;
  readonly microtasks: number;
  readonly published: number;
  readonly hookCalls: number;
  /** Commands the driver had before the call that sent them returned. */
  readonly atOnce: number;
  /** Commands whose arguments went on as they were given. */
  readonly uncopied: number;
}

async function costOf(interceptors: readonly Interceptor[]): Promise<Cost> {
  const seen: Operation[] = [];
  const dispatcher = new Dispatcher(answeringDriver(seen), SETTINGS, interceptors);
  const clock = jest.spyOn(performance, 'now');
  const microtasks = jest.spyOn(globalThis, 'queueMicrotask');
  const publish = jest.spyOn(EventChannel.prototype, 'publish');
  const hooks = (['beforeCommand', 'afterCommand', 'call', 'has'] as const).map((name) =>
    jest.spyOn(HookSet.prototype, name),
  );
  const sent: Promise<unknown>[] = [];
  let promises = 0;
  let atOnce = 0;
  const counter = createHook({ init: (_, type) => void (type === 'PROMISE' && (promises += 1)) }).enable();
  for (let turn = 0; turn < COMMANDS; turn += 1) {
    sent.push(dispatcher.send(GET, ARGS, String, false, DEFAULT_SCOPE));
    if (seen.length === turn + 1) atOnce += 1;
  }
  counter.disable();
  await Promise.all(sent);
  const cost = {
    promises,
    clockReadings: clock.mock.calls.length,
    microtasks: microtasks.mock.calls.length,
    published: publish.mock.calls.length,
    hookCalls: hooks.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    atOnce,
    uncopied: seen.filter(({ args }) => args === ARGS).length,
  };
  jest.restoreAllMocks();
  return cost;
}

describe('[HOK-5] a client without interceptors and listeners', () => {
  it('makes one promise and reads the clock once for a command, and nothing for hooks', async () => {
    expect(await costOf([])).toEqual({
      promises: COMMANDS,
      clockReadings: COMMANDS,
      microtasks: 0,
      published: 0,
      hookCalls: 0,
      atOnce: COMMANDS,
      uncopied: COMMANDS,
    });
  });

  it('would show here what a hook, a listener or an interceptor costs', async () => {
    const hooked = await costOf([{ beforeCommand: () => undefined, afterCommand: () => undefined }]);
    const stop = events.command.subscribe(() => undefined);
    const heard = await costOf([]);
    stop();
    const intercepted = await costOf([{ intercept: (call, next) => next(call) }]);

    expect(hooked).toMatchObject({ promises: COMMANDS, hookCalls: 2 * COMMANDS, published: 0, atOnce: COMMANDS });
    expect(hooked.clockReadings).toBeGreaterThan(COMMANDS);
    expect(heard).toMatchObject({ promises: COMMANDS, hookCalls: 0, published: COMMANDS });
    expect(heard.microtasks).toBeGreaterThan(0);
    expect(intercepted.promises).toBeGreaterThan(2 * COMMANDS);
  });

  it('keeps no call from the beginning of a command to its end, with a hook for connections neither', () => {
    const seen: Operation[] = [];
    for (const interceptors of [[], [{ beforeConnect: () => undefined, afterPipeline: () => undefined }]]) {
      const dispatcher = new Dispatcher(answeringDriver(seen), SETTINGS, interceptors);
      void dispatcher.send(GET, ARGS, String, false, DEFAULT_SCOPE);
    }
    expect(seen.map((operation) => (operation as unknown as { call: unknown }).call)).toEqual([undefined, undefined]);
  });
});
