import type {
  CommandCall,
  CommandHooks,
  CommandInterceptor,
  Interceptor,
  NextInterceptor,
  Reply,
} from '../../../lib/index.js';
import { isValkeyError } from '../../../lib/index.js';
import { RecordingDriver, FakeClock, TestStore } from '../../../lib/testing/index.js';
import { watchUnhandled } from '../../support/index.js';
import { endObservation, observedClient, of, watch } from '../observability/observed-client.js';

afterEach(endObservation);

/** An interceptor made of its one function. */
function around(intercept: CommandInterceptor['intercept']): CommandInterceptor {
  return { intercept };
}

/** A driver that shows what was sent. */
function recorder(): RecordingDriver {
  const clock = new FakeClock();
  return new RecordingDriver(new TestStore({ clock }).driver(), clock);
}

describe('[HOK-1] interceptors', () => {
  it('stand around a command in the order given, the first one outermost', async () => {
    const steps: string[] = [];
    const named = (name: string): CommandInterceptor =>
      around(async (call, next) => {
        steps.push(`${name} in`);
        const reply = await next(call);
        steps.push(`${name} out`);
        return reply;
      });
    const client = await observedClient(undefined, { interceptors: [named('a'), named('b'), named('c')] });

    await client.get('key');

    expect(steps).toEqual(['a in', 'b in', 'c in', 'c out', 'b out', 'a out']);
  });

  it('see the command as the caller meant it, without the key prefix', async () => {
    const calls: CommandCall[] = [];
    const look = around((call, next) => {
      calls.push(call);
      return next(call);
    });
    const options = { mode: 'embedded', keyPrefix: 'shop:' };
    const client = await observedClient(options, { interceptors: [look] });

    await client.set('key', 'value');
    await client.get('key');

    expect(calls).toEqual([
      { command: 'SET', args: ['key', 'value'], readOnly: false },
      { command: 'GET', args: ['key'], readOnly: true },
    ]);
  });

  it('may change the arguments; the prefix comes after', async () => {
    const redirect = around((call, next) => next({ ...call, args: ['other', ...call.args.slice(1)] }));
    const driver = recorder();
    const options = { mode: 'embedded', keyPrefix: 'shop:' };
    const client = await observedClient(options, { driver, interceptors: [redirect] });

    await client.set('key', 'value');

    expect(driver.of('SET').map(({ args, key }) => [args, key])).toEqual([[['shop:other', 'value'], 'shop:other']]);
  });

  it('may change the command; what was known about the old one does not hold for it', async () => {
    const oneByOne = around((call, next) =>
      call.command === 'GETDEL' ? next({ ...call, command: 'get' }) : next(call),
    );
    const driver = recorder();
    const client = await observedClient(undefined, { driver, interceptors: [oneByOne] });
    await client.set('key', 'value');

    expect(await client.getdel('key')).toBe('value');
    expect(await client.get('key')).toBe('value');
    expect(driver.of('GETDEL')).toEqual([]);
  });

  it('may make a command unrepeatable by its arguments', async () => {
    let attempts = 0;
    const onlyOnce = around((call, next) => next({ ...call, args: [...call.args, 'NX'] }));
    const driver = recorder().loseReply('SET', { applied: false });
    const client = await observedClient(undefined, { driver, interceptors: [onlyOnce] });

    const error: unknown = await client.set('key', 'value').catch((reason: unknown) => reason);
    attempts = driver.of('SET').length;

    expect(isValkeyError(error, 'VALKEY_OUTCOME_UNKNOWN')).toBe(true);
    expect(attempts).toBe(1);
  });

  it('may answer themselves: nothing is sent, and the typed method decodes the answer', async () => {
    const answer = around((call, next) => (call.command === 'HGETALL' ? Promise.resolve(['a', '1']) : next(call)));
    const driver = recorder();
    const client = await observedClient(undefined, { driver, interceptors: [answer] });

    expect(await client.hgetall('key')).toEqual({ a: '1' });
    expect(driver.operations).toEqual([]);
  });

  it('may try again', async () => {
    const again = around(async (call, next) => {
      try {
        return await next(call);
      } catch {
        return next(call);
      }
    });
    const driver = recorder().fail('GET', 'VALKEY_REPLY', { times: 1 });
    const client = await observedClient(undefined, { driver, interceptors: [again] });

    expect(await client.get('key')).toBeNull();
    expect(driver.of('GET')).toHaveLength(2);
  });

  it('observe result, error and duration', async () => {
    const seen: { result: unknown; took: boolean }[] = [];
    const stopwatch = around(async (call, next) => {
      const startedAt = performance.now();
      const result: unknown = await next(call).catch((error: unknown) => error);
      seen.push({ result, took: performance.now() > startedAt });
      if (result instanceof Error) throw result;
      return result as Reply;
    });
    const client = await observedClient(undefined, { interceptors: [stopwatch] });
    await client.set('key', 'value');

    const failure: unknown = await client.lpush('key', 'more').catch((error: unknown) => error);

    expect(seen).toEqual([
      { result: 'OK', took: true },
      { result: failure, took: true },
    ]);
    expect(isValkeyError(failure, 'VALKEY_REPLY')).toBe(true);
  });

  it('stand around each command of a pipeline', async () => {
    const commands: string[] = [];
    const look = around((call, next) => {
      commands.push(call.command);
      return next(call);
    });
    const client = await observedClient(undefined, { interceptors: [look] });

    expect(await client.pipeline((p) => [p.set('a', '1'), p.incr('a')])).toEqual(['OK', 2]);
    expect(commands).toEqual(['SET', 'INCR']);
  });

  it.each([
    ['rejects', around(() => Promise.reject(new Error('closed for stocktaking')))],
    [
      'throws',
      around(() => {
        throw new Error('closed for stocktaking');
      }),
    ],
  ])('[HOK-3] give the caller what one of them %s', async (_how, refusing) => {
    const driver = recorder();
    const client = await observedClient(undefined, { driver, interceptors: [refusing] });

    await expect(client.get('key')).rejects.toThrow('closed for stocktaking');
    expect(driver.operations).toEqual([]);
  });

  it.each([
    ['next() without a call', (_call: CommandCall, next: NextInterceptor) => next(undefined as never), 'next(call)'],
    [
      'a command nobody knows',
      (call: CommandCall, next: NextInterceptor) => next({ ...call, command: 'FROBNICATE' }),
      'FROBNICATE',
    ],
  ])('refuse %s with a hint', async (_what, intercept, hint) => {
    const client = await observedClient(undefined, { interceptors: [around(intercept)] });

    const error: unknown = await client.get('key').catch((reason: unknown) => reason);

    expect(isValkeyError(error, 'VALKEY_ARGUMENT_INVALID')).toBe(true);
    expect((error as Error).message).toContain(hint);
  });

  it.each([
    ['an object without a method', [around((call, next) => next(call)), {}], 'interceptors[1]'],
    ['nothing', [undefined], 'interceptors[0]'],
    ['a factory that makes none', [{ forClient: () => ({}) }], 'interceptors[0]'],
    ['no list', {}, 'interceptors must be an array'],
  ])('are refused when the client is made: %s', async (_what, interceptors, hint) => {
    const error: unknown = await observedClient(undefined, { interceptors: interceptors as never }).catch(
      (reason: unknown) => reason,
    );

    expect(isValkeyError(error, 'VALKEY_ARGUMENT_INVALID')).toBe(true);
    expect((error as Error).message).toContain(hint);
  });

  it('do not stand between health() and the servers', async () => {
    const refuse = around(() => Promise.reject(new Error('closed for stocktaking')));
    const client = await observedClient(undefined, { interceptors: [refuse] });

    expect((await client.health()).nodes).toEqual({ up: 1, total: 1 });
  });
});

describe('[HOK-3] hooks that throw', () => {
  it('change no result and keep no other hook from hearing; each becomes an event', async () => {
    const boom = new Error('boom');
    const heard: string[] = [];
    const fail = (): never => {
      throw boom;
    };
    const throwing = { beforeCommand: fail, afterCommand: fail, beforePipeline: fail, afterPipeline: fail };
    const listening = {
      beforeCommand: ({ command }: CommandCall) => void heard.push(`before ${command}`),
      afterCommand: ({ command }: CommandCall) => void heard.push(`after ${command}`),
    };
    const seen = watch('hookError');
    const client = await observedClient({ mode: 'embedded', name: 'shop' }, { interceptors: [throwing, listening] });

    expect(await client.pipeline((p) => [p.set('key', 'value')])).toEqual(['OK']);
    await expect(client.lpush('key', 'more')).rejects.toMatchObject({ code: 'VALKEY_REPLY' });

    expect(heard).toEqual(['before SET', 'after SET', 'before LPUSH', 'after LPUSH']);
    expect(of(seen, 'hookError').map(({ hook }) => hook)).toEqual([
      'beforePipeline',
      'beforeCommand',
      'afterCommand',
      'afterPipeline',
      'beforeCommand',
      'afterCommand',
    ]);
    expect(of(seen, 'hookError')[0]).toEqual({
      client: 'shop',
      clientId: expect.any(Number) as number,
      hook: 'beforePipeline',
      error: boom,
    });
  });

  it('do no harm either when they are async and reject', async () => {
    const unhandled = watchUnhandled();
    const boom = new Error('boom');
    const fail = (): Promise<void> => Promise.reject(boom);
    const names = ['beforeCommand', 'afterCommand', 'beforePipeline', 'afterPipeline'];
    // The types let such hooks pass; a linter with types would not.
    const rejecting: CommandHooks = Object.fromEntries(names.map((name) => [name, fail]));
    const seen = watch('hookError');
    const client = await observedClient(undefined, { interceptors: [rejecting] });

    expect(await client.pipeline((p) => [p.set('key', 'value')])).toEqual(['OK']);

    expect(await unhandled.stop()).toEqual([]);
    expect(of(seen, 'hookError').map(({ hook, error }) => [hook, error])).toEqual([
      ['beforePipeline', boom],
      ['beforeCommand', boom],
      ['afterCommand', boom],
      ['afterPipeline', boom],
    ]);
  });

  it('may have an intercept that is not there: it stands around nothing', async () => {
    const hooks = { intercept: undefined, afterCommand: () => undefined } as unknown as Interceptor;
    const client = await observedClient(undefined, { interceptors: [hooks] });

    expect(await client.set('key', 'value')).toBe('OK');
  });

  it('change nothing when nobody listens to the events either', async () => {
    const throwing = {
      afterCommand: (): never => {
        throw new Error('boom');
      },
    };
    const client = await observedClient(undefined, { interceptors: [throwing] });

    expect(await client.set('key', 'value')).toBe('OK');
  });
});
