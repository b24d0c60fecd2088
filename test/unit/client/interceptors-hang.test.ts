import type { CommandInterceptor } from '../../../lib/index.js';
import { FakeClock, RecordingDriver, TestStore } from '../../../lib/testing/index.js';
import { until, watchUnhandled } from '../../support/index.js';
import { endObservation, observedClient } from '../observability/observed-client.js';

afterEach(endObservation);

/** Ends when the test says so; until then an interceptor that waits for it hangs. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

async function clientWith(intercept: CommandInterceptor['intercept'], options: Record<string, unknown> = {}) {
  const clock = new FakeClock();
  const driver = new RecordingDriver(new TestStore({ clock }).driver(), clock);
  const client = await observedClient({ mode: 'embedded', ...options }, { driver, interceptors: [{ intercept }] });
  return { client, driver };
}

/** What a call ended with. */
async function ended(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => value,
    (error: unknown) => (error as { code?: string }).code ?? error,
  );
}

describe('[RES-3] [RES-7] a call whose interceptor hangs', () => {
  it('ends at its deadline and says whose fault it was; nothing is sent afterwards', async () => {
    const unhandled = watchUnhandled();
    const { opened, open } = gate();
    const { client, driver } = await clientWith(async (call, next) => {
      await opened;
      return next(call);
    });

    const error: unknown = await client
      .with({ timeout: '20ms' })
      .set('key', 'value')
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      code: 'VALKEY_DEADLINE_EXCEEDED',
      message: expect.stringMatching(/SET had no answer within 20 ms.*interceptor/) as string,
    });
    open();
    expect(await unhandled.stop()).toEqual([]);
    expect(driver.of('SET')).toEqual([]);
  });

  it('ends in a pipeline too', async () => {
    const { client } = await clientWith(() => new Promise(() => undefined), { timeouts: { read: 20, write: 20 } });

    const [first, second] = await client.pipeline((p) => [p.get('a'), p.set('b', '1')], { settled: true });

    for (const each of [first, second]) expect(each).toMatchObject({ error: { code: 'VALKEY_DEADLINE_EXCEEDED' } });
  });

  it('has an unknown outcome if what must not be repeated was sent', async () => {
    const { client } = await clientWith(async (call, next) => {
      await next(call);
      return new Promise(() => undefined);
    });
    const hasty = client.with({ timeout: '20ms' });

    expect(await ended(hasty.incr('count'))).toBe('VALKEY_OUTCOME_UNKNOWN');
    expect(await ended(hasty.get('count'))).toBe('VALKEY_DEADLINE_EXCEEDED');
  });

  it('ends with the reason of its signal, at once, or before it begins', async () => {
    const unhandled = watchUnhandled();
    const { opened, open } = gate();
    let calls = 0;
    const { client } = await clientWith(async () => {
      calls += 1;
      await opened;
      throw new Error('late');
    });
    const controller = new AbortController();
    const scope = client.with({ signal: controller.signal, timeout: '1h' });
    const reason = new Error('the request is gone');

    const call = ended(scope.get('key'));
    controller.abort(reason);

    expect(await call).toBe(reason);
    expect(await ended(scope.get('key'))).toBe(reason);
    expect(calls).toBe(1);
    open();
    expect(await unhandled.stop()).toEqual([]);
  });

  it('does not outlive close(), which waits for it no longer than it drains', async () => {
    const unhandled = watchUnhandled();
    const { opened, open } = gate();
    const { client } = await clientWith(
      async (call, next) => {
        if (call.command === 'INCR') await next(call);
        await opened;
        return next(call);
      },
      { drain: 20, timeouts: { read: '1h', write: '1h' } },
    );
    const calls = [ended(client.get('key')), ended(client.incr('count'))];

    await client.close();

    expect(await Promise.all(calls)).toEqual(['VALKEY_CLIENT_CLOSED', 'VALKEY_OUTCOME_UNKNOWN']);
    expect(await ended(client.get('key'))).toBe('VALKEY_CLIENT_CLOSED');
    open();
    expect(await unhandled.stop()).toEqual([]);
  });

  it('may end while close() drains', async () => {
    const { opened, open } = gate();
    const { client } = await clientWith(
      async (call, next) => {
        const reply = await next(call);
        await opened;
        return reply;
      },
      { drain: '1m' },
    );
    const call = ended(client.incr('count'));
    await until(() => client.underWay === 0, { what: 'the command is answered' });

    const closed = client.close();
    open();

    expect(await call).toBe(1);
    await closed;
  });
});

describe('[RES-3] an interceptor that hears of a missed deadline', () => {
  it('may still answer, and what it sends shares the one budget of the call', async () => {
    let ends = 0;
    const { client, driver } = await clientWith(async (call, next) => {
      try {
        return await next(call);
      } catch {
        ends += 1;
        return 'from elsewhere';
      }
    });
    driver.delay('GET', '1h');

    expect(await client.with({ timeout: '40ms' }).get('key')).toBe('from elsewhere');
    expect(ends).toBe(1);
  });
});
