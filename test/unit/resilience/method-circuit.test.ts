import { ResiliencePolicy, ValkeyError, events } from '../../../lib/index.js';
import type { PolicyOptions } from '../../../lib/index.js';
import { until } from '../../support/index.js';
import { failing, rejecting } from './attempts.js';

const SHORT = 20;
const answer = Object.assign(new Error('not found'), { getStatus: () => 404 });
const failure = new Error('failed');
const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' });

const policy = (options: PolicyOptions = {}): ResiliencePolicy =>
  new ResiliencePolicy('prices', { breaker: { failures: 2, halfOpenAfter: SHORT }, ...options });

/** Runs something that ends with `error`. */
async function fail(prices: ResiliencePolicy, ...errors: readonly Error[]): Promise<void> {
  for (const error of errors) await expect(prices.execute(() => Promise.reject(error))).rejects.toBe(error);
}

/** The first call that is let through again. */
async function probe(prices: ResiliencePolicy, task: () => Promise<unknown>): Promise<void> {
  let begun = false;
  await until(
    async () => {
      const calling = prices.execute(() => {
        begun = true;
        return task();
      });
      await calling.catch(() => undefined);
      return begun;
    },
    { what: 'the circuit lets a probe through', interval: 2 },
  );
}

describe('[RES-8] a policy with a breaker', () => {
  it('opens after failures in a row, and then calls nothing', async () => {
    const prices = policy({ breaker: { failures: 2, halfOpenAfter: '1h' } });
    const task = failing(0);
    await fail(prices, failure, failure);

    await expect(prices.execute(task)).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN', subject: 'prices' });
    expect(task.calls).toBe(0);
    expect(prices.state).toBe('open');
  });

  it('opens for as long as it says, whatever becomes of the time of day', async () => {
    const prices = policy();
    await fail(prices, failure, failure);
    const now = Date.now.bind(Date);
    Date.now = () => now() - 3_600_000;
    try {
      await probe(prices, () => Promise.resolve());
    } finally {
      Date.now = now;
    }
    expect(prices.state).toBe('closed');
  });

  it('takes an answer for a sign that all is well', async () => {
    const prices = policy();
    await fail(prices, failure, answer, failure, answer);
    expect(prices.state).toBe('closed');
  });

  it('does not count what says nothing', async () => {
    const prices = policy();
    await fail(prices, aborted, aborted, new ValkeyError('VALKEY_CIRCUIT_OPEN', 'further in'));
    expect(prices.state).toBe('closed');
  });

  it('counts a deadline, also while the task goes on', async () => {
    const prices = policy({ timeout: 5, breaker: { failures: 1, halfOpenAfter: '1h' } });
    await expect(prices.execute(() => new Promise(() => undefined))).rejects.toMatchObject({
      code: 'VALKEY_DEADLINE_EXCEEDED',
    });
    expect(prices.state).toBe('open');
  });

  it('counts each attempt, and ends a repetition with what happened when the circuit opens', async () => {
    const prices = policy({ retry: { attempts: 9, backoff: 'none' }, breaker: { failures: 2, halfOpenAfter: '1h' } });
    const task = rejecting(failure);

    await expect(prices.execute(task)).rejects.toBe(failure);
    expect(task.calls).toBe(2);
  });

  it('tells a caller in a pause what happened, when others have opened the circuit meanwhile', async () => {
    const prices = policy({
      retry: { attempts: 1, backoff: 'fixed', min: SHORT, max: SHORT },
      breaker: { failures: 2, halfOpenAfter: '1h' },
    });
    const own = new Error('own');
    const task = rejecting(own);
    const calling = prices.execute(task);
    await expect(prices.execute(() => Promise.reject(failure))).rejects.toBe(failure);

    await expect(calling).rejects.toBe(own);
    expect(task.calls).toBe(1);
  });

  it('half-open lets one through while the others fail at once', async () => {
    const prices = policy();
    await fail(prices, failure, failure);
    let finish: ((value: string) => void) | undefined;
    const probing = until(() => prices.execute(() => new Promise<string>((resolve) => (finish = resolve))), {
      what: 'the probe is let through',
      interval: 2,
    });
    await until(() => finish, { what: 'the probe begins' });

    expect(prices.state).toBe('half-open');
    await expect(prices.execute(() => 1)).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
    finish?.('worked');
    await expect(probing).resolves.toBe('worked');
    expect(prices.state).toBe('closed');
  });

  it.each<[string, string, Error]>([
    ['a failure', 'open', failure],
    ['an abort', 'open', aborted],
    ['an answer', 'closed', answer],
  ])('after a probe that ends with %s it is %s', async (_how, state, error) => {
    const prices = policy();
    await fail(prices, failure, failure);
    await probe(prices, () => Promise.reject(error));
    expect(prices.state).toBe(state);
  });

  it('ends what waits for a slot when it opens', async () => {
    const prices = policy({ breaker: { failures: 1, halfOpenAfter: '1h' }, bulkhead: { inFlight: 2, queue: 1 } });
    let reject: ((error: Error) => void) | undefined;
    const hanging = () => new Promise<never>(() => undefined);
    const first = prices.execute(() => new Promise((_resolve, fails) => (reject = fails)));
    void prices.execute(hanging);
    const waiting = prices.execute(() => 1);
    await until(() => reject, { what: 'the first call begins' });
    reject?.(failure);

    await expect(first).rejects.toBe(failure);
    await expect(waiting).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
  });

  it('can be opened and closed by hand', async () => {
    const prices = policy({ breaker: { failures: 1, halfOpenAfter: '1h' } });
    const release = prices.isolate();
    await expect(prices.execute(() => 1)).rejects.toThrow('was opened by isolate()');
    expect(prices.state).toBe('isolated');
    release();
    release();
    await expect(prices.execute(() => 1)).resolves.toBe(1);

    await fail(prices, failure);
    prices.reset();
    await expect(prices.execute(() => 1)).resolves.toBe(1);
  });

  it('publishes each change', async () => {
    const heard: unknown[] = [];
    const stop = events.methodBreaker.subscribe((event) => heard.push(event));
    const prices = policy();
    await fail(prices, failure, failure);
    await probe(prices, async () => 1);
    stop();

    expect(heard).toEqual(['open', 'half-open', 'closed'].map((state) => ({ method: 'prices', state })));
  });
});
