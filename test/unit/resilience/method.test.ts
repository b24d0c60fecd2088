import { ArgumentError, ValkeyError, events } from '../../../lib/index.js';
import { ResiliencePolicy, resilienceSignal } from '../../../lib/index.js';
import type { PolicyOptions } from '../../../lib/index.js';
import { type UnhandledWatch, until, watchUnhandled } from '../../support/index.js';
import { failing, rejecting } from './attempts.js';

/** A pause nobody waits through. */
const LONG = '10m';
const policy = (options: PolicyOptions): ResiliencePolicy => new ResiliencePolicy('prices', options);
const never = (): Promise<never> => new Promise(() => undefined);

/** Something that goes on until it is told to end. */
function held<T>(): {
  task: () => Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
  begun: () => number;
} {
  const waiting: { resolve: (value: T) => void; reject: (error: Error) => void }[] = [];
  let begun = 0;
  return {
    task: () =>
      new Promise<T>((resolve, reject) => {
        begun += 1;
        waiting.push({ resolve, reject });
      }),
    resolve: (value) => waiting.shift()?.resolve(value),
    reject: (error) => waiting.shift()?.reject(error),
    begun: () => begun,
  };
}

let unhandled: UnhandledWatch;
beforeEach(() => {
  unhandled = watchUnhandled();
});
afterEach(async () => {
  expect(await unhandled.stop()).toEqual([]);
});

describe('[RES-8] a policy with a timeout', () => {
  it('ends the wait for what never answers, with our error', async () => {
    await expect(policy({ timeout: 20 }).execute(never)).rejects.toMatchObject({
      code: 'VALKEY_DEADLINE_EXCEEDED',
      subject: 'prices',
      message: 'prices had no answer within 20 ms. Raise its timeout, or look at what it waits for.',
    });
  });

  it('tells the task by its signal, and whatever it calls by resilienceSignal()', async () => {
    const signals: AbortSignal[] = [];
    const calling = policy({ timeout: 20 }).execute(async (signal) => {
      signals.push(signal);
      await Promise.resolve();
      signals.push(resilienceSignal());
      return never();
    });
    await expect(calling).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });

    expect(signals[0]).toBe(signals[1]);
    expect(signals[0]?.reason).toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    expect(resilienceSignal().aborted).toBe(false);
  });

  it('leaves the signal alone when the task ends in time', async () => {
    let signal: AbortSignal | undefined;
    const calling = policy({ timeout: 5 });
    await calling.execute((given) => {
      signal = given;
    });
    await expect(calling.execute(never)).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });

    expect(signal?.aborted).toBe(false);
  });

  it('hears nothing of a rejection that comes too late', async () => {
    const { task, reject } = held<string>();
    await expect(policy({ timeout: 5 }).execute(task)).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });

    reject(new Error('too late'));
  });

  it('is one budget over all attempts and pauses, and tells the last setback', async () => {
    const task = failing(1);
    const calling = policy({ timeout: 20, retry: { attempts: 5, backoff: 'fixed', min: LONG, max: LONG } }).execute(
      task,
    );

    await expect(calling).rejects.toMatchObject({
      code: 'VALKEY_DEADLINE_EXCEEDED',
      cause: { message: 'failure 1' },
    });
    expect(task.calls).toBe(1);
  });

  it('may have any number of calls inside it without Node taking their listeners for a leak', async () => {
    await policy({ timeout: 20 }).execute((signal) => {
      // Jest's sandbox hears no warnings of Node, and events.getMaxListeners() does not know its signals.
      const limit = Object.getOwnPropertySymbols(signal).find((symbol) =>
        symbol.description?.includes('maxEventTarget'),
      );
      expect(limit && Reflect.get(signal, limit)).toBe(0);
    });
  });

  it('ends what runs inside it as well: attempts, pauses, and fallbacks nobody waits for', async () => {
    const inner = policy({ retry: { attempts: 5, backoff: 'fixed', min: LONG, max: LONG } });
    const fallback = rejecting();
    let inside: Promise<string> | undefined;
    const calling = policy({ timeout: 20 }).execute(() => (inside = inner.execute(failing(9), fallback)));

    await expect(calling).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    await expect(inside).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    expect(fallback.calls).toBe(0);
  });
});

describe('[RES-8] a policy with retry', () => {
  const retry = { attempts: 2, backoff: 'none' } as const;

  it('tries as often again as it may, and gives the result', async () => {
    const task = failing(2);
    await expect(policy({ retry }).execute(task)).resolves.toBe('worked');
    expect(task.calls).toBe(3);
  });

  it('ends with the last error, as it is', async () => {
    await expect(policy({ retry }).execute(failing(3))).rejects.toThrow('failure 3');
  });

  it('tries what throws at once like what rejects', async () => {
    let calls = 0;
    const task = (): string => {
      calls += 1;
      if (calls === 1) throw new Error('at once');
      return 'worked';
    };
    await expect(policy({ retry }).execute(task)).resolves.toBe('worked');
  });

  it.each<[string, Error]>([
    ['an HTTP status below 500', Object.assign(new Error('not found'), { getStatus: () => 404 })],
    ['an open circuit further in', new ValkeyError('VALKEY_CIRCUIT_OPEN', 'open')],
    ['a full queue further in', new ValkeyError('VALKEY_QUEUE_FULL', 'full')],
    ['an abort', Object.assign(new Error('aborted'), { name: 'AbortError' })],
  ])('does not repeat after %s', async (_what, error) => {
    const task = rejecting(error);
    await expect(policy({ retry }).execute(task)).rejects.toBe(error);
    expect(task.calls).toBe(1);
  });

  it('repeats after an HTTP status of 500 and above', async () => {
    const task = rejecting(Object.assign(new Error('bad gateway'), { getStatus: () => 502 }));
    await expect(policy({ retry }).execute(task)).rejects.toThrow('bad gateway');
    expect(task.calls).toBe(3);
  });

  it('asks retryIf, but for what is never repeated', async () => {
    const asked: unknown[] = [];
    const argument = new ArgumentError('wrong');
    const open = new ValkeyError('VALKEY_CIRCUIT_OPEN', 'open');
    const retryIf = (error: unknown): boolean => {
      asked.push(error);
      return error === argument;
    };
    const task = rejecting(argument, open);

    await expect(policy({ retry, retryIf }).execute(task)).rejects.toBe(open);
    expect(asked).toEqual([argument]);
  });

  it('ends with what retryIf throws, and the error it was asked about as its cause', async () => {
    const retryIf = (): boolean => {
      throw new Error('cannot say');
    };
    const calling = policy({ retry, retryIf }).execute(failing(1));
    await expect(calling).rejects.toMatchObject({ message: 'cannot say', cause: { message: 'failure 1' } });
  });

  it('publishes each repetition', async () => {
    const heard: unknown[] = [];
    const stop = events.methodRetry.subscribe((event) => heard.push(event));
    await policy({ retry: { attempts: 2, backoff: 'fixed', min: 1, max: 1 } }).execute(failing(2));
    stop();

    expect(heard).toEqual([
      { method: 'prices', attempt: 1, delayMs: 1, code: undefined },
      { method: 'prices', attempt: 2, delayMs: 1, code: undefined },
    ]);
  });
});

describe('[RES-8] a policy with a bulkhead', () => {
  it('runs so many at once, lets so many wait in order, and refuses the rest', async () => {
    const prices = policy({ bulkhead: { inFlight: 1, queue: 2 } });
    const { task, resolve, begun } = held<number>();
    const calls = [prices.execute(task), prices.execute(task), prices.execute(task)];
    await expect(prices.execute(task)).rejects.toMatchObject({ code: 'VALKEY_QUEUE_FULL', subject: 'prices' });

    for (const [index, call] of calls.entries()) {
      await until(() => begun() === index + 1, { what: `call ${index + 1} begins` });
      resolve(index);
      await expect(call).resolves.toBe(index);
    }
    expect(begun()).toBe(3);
  });

  it('keeps the slot of a call that was given up until it has really ended', async () => {
    const prices = policy({ timeout: 20, bulkhead: { inFlight: 1, queue: 0 } });
    const { task, resolve } = held<number>();
    await expect(prices.execute(task)).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    await expect(prices.execute(() => 2)).rejects.toMatchObject({ code: 'VALKEY_QUEUE_FULL' });

    resolve(1);
    await until(() => prices.execute(() => 2), { what: 'the slot is free' });
  });

  it('does not begin what has waited past its deadline, and gives the slot to the next', async () => {
    const prices = policy({ timeout: 20, bulkhead: { inFlight: 1, queue: 1 } });
    const { task, resolve } = held<number>();
    const late = failing(0);
    const first = prices.execute(task);
    const second = prices.execute(late);
    await expect(first).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    await expect(second).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });

    resolve(1);
    await until(() => prices.execute(() => 3), { what: 'the slot is free' });
    expect(late.calls).toBe(0);
  });
});

describe('[RES-8] a fallback', () => {
  it('answers with the last error in hand', async () => {
    const heard: unknown[] = [];
    const stop = events.methodFallback.subscribe((event) => heard.push(event));
    const result = await policy({ timeout: 5 }).execute<string>(never, (error) => (error as ValkeyError).code);
    stop();

    expect(result).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(heard).toEqual([{ method: 'prices', code: 'VALKEY_DEADLINE_EXCEEDED' }]);
  });

  it('that throws ends the call with its error, and the first one as cause unless it has one', async () => {
    const first = new Error('first');
    const call = (second: Error): Promise<unknown> =>
      policy({}).execute(
        () => Promise.reject(first),
        () => Promise.reject(second),
      );

    await expect(call(new Error('second'))).rejects.toMatchObject({ message: 'second', cause: first });
    await expect(call(new Error('third', { cause: 'own' }))).rejects.toMatchObject({ message: 'third', cause: 'own' });
    await expect(call(first)).rejects.toBe(first);
    expect(first.cause).toBeUndefined();
  });
});

describe('[RES-8] the options of a policy', () => {
  it.each<[object, string]>([
    [{ tiemout: 1 }, "- tiemout is not an option. Did you mean 'timeout'? Known here: preset, timeout, retry,"],
    [{ timeout: '1 day' }, '- timeout is "1 day": it must be a duration above zero'],
    [{ retry: { attempts: -1 } }, '- retry.attempts is -1: it must be a whole number from 0 to 1000'],
    [{ retry: { tries: 1 } }, '- retry.tries is not an option.'],
    [{ retry: true }, '- retry is true: it must be false or an object with attempts, backoff, min, max'],
    [{ retry: { min: '2s', max: '1s' } }, '- retry.min is wrong: the shortest pause'],
    [{ breaker: { failures: 1, ratio: 0.5 } }, '- breaker.failures and breaker.ratio exclude each other'],
    [{ bulkhead: { inFlight: 0, queue: 1 } }, '- bulkhead.inFlight is 0: it must be a whole number from 1'],
    [{ preset: 'fast' }, '- preset is "fast": it must be one of'],
    [{ retry: {}, retryIf: 5 }, '- retryIf is 5: it must be a function (error) => boolean.'],
    [{ timeout: 1, retryIf: () => true }, '- retryIf has no effect without retry or breaker'],
  ])('%j is refused', (options, text) => {
    expect(() => policy(options as PolicyOptions)).toThrow(text);
    expect(() => policy(options as PolicyOptions)).toThrow('The resilience options of prices are wrong:');
  });

  it('leave everything off that is not written', async () => {
    const task = failing(1);
    await expect(policy({ timeout: '1s', preset: 'off', breaker: false }).execute(task)).rejects.toThrow('failure 1');
    expect(task.calls).toBe(1);
    expect(policy({ timeout: '1s' }).state).toBeUndefined();
  });

  it('may name a preset, over which what is written wins', async () => {
    const prices = policy({ preset: 'default', retry: { attempts: 1, backoff: 'none' } });
    const task = failing(2);
    await expect(prices.execute(task)).rejects.toThrow('failure 2');
    expect(prices.state).toBe('closed');
  });
});
