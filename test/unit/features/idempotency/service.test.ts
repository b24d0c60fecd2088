import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { events, IdempotencyService } from '../../../../lib/index.js';
import { claimWork } from '../../../../lib/features/idempotency/idempotency-scripts.js';
import type { CacheClient, IdempotencyEvent } from '../../../../lib/index.js';
import { createTestClient } from '../../../../lib/testing/index.js';
import type { TestClient } from '../../../../lib/testing/index.js';
import { until, watchUnhandled } from '../../../support/index.js';

/** Milliseconds after which an answer is late for a lease of a second: more than a third of it. */
const LATE = 400;

let test: TestClient;
let client: CacheClient;
let service: IdempotencyService;
let told: string[];
let stop: () => void;

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
  );

/** What happens between the store's answer to so many claims and its arrival. */
function answerLate(claims: number, meanwhile: () => Promise<unknown>): void {
  const run = client.run.bind(client) as (...args: readonly unknown[]) => Promise<unknown>;
  let left = claims;
  Object.defineProperty(client, 'run', {
    value: async (...args: readonly unknown[]) => {
      const answer = await run(...args);
      if (args[0] === claimWork && left > 0) {
        left -= 1;
        await meanwhile();
      }
      return answer;
    },
  });
}

beforeEach(async () => {
  test = await createTestClient();
  client = test.client;
  service = new IdempotencyService(client);
  told = [];
  stop = events.idempotency.subscribe(({ outcome }: IdempotencyEvent) => told.push(outcome));
});
afterEach(async () => {
  stop();
  await client.close();
});

describe('[IDM-5] IdempotencyService.run', () => {
  it('does work once, and gives its result afterwards, with its types', async () => {
    const result = { at: new Date(0), amount: 5n, bytes: Buffer.from('a'), list: new Map([['a', undefined]]) };
    expect(await service.run('a', { b: 1 }, () => result)).toBe(result);
    expect(await service.run('a', { b: 1 }, () => 'never')).toEqual(result);
    expect(told).toEqual(['completed', 'replayed']);
  });

  it.each([[undefined], [null], [''], [0], [false], [Number.NaN]])('gives %s again', async (result) => {
    expect(await service.run('a', 1, () => result)).toBe(result);
    expect(await service.run<unknown>('a', 1, () => 'never')).toBe(result);
  });

  it('does it again after an error', async () => {
    await expect(service.run('a', 1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(
      service.run('a', 1, () => {
        throw new Error('broken at once');
      }),
    ).rejects.toThrow('broken at once');
    expect(await service.run('a', 1, () => 'done')).toBe('done');
    expect(told).toEqual(['released', 'released', 'completed']);
  });

  it('refuses a second one meanwhile, and another payload at any time', async () => {
    let finish: (result: string) => void = () => undefined;
    const first = service.run('a', 1, () => new Promise<string>((resolve) => (finish = resolve)));
    await expect(service.run('a', 1, () => 'never')).rejects.toMatchObject({
      code: 'VALKEY_IDEMPOTENCY_IN_PROGRESS',
      retryAfter: 1_000,
    });
    expect(await codeOf(service.run('a', 2, () => 'never'))).toBe('VALKEY_IDEMPOTENCY_KEY_REUSED');
    finish('done');
    expect(await first).toBe('done');
    expect(await codeOf(service.run('a', 2, () => 'never'))).toBe('VALKEY_IDEMPOTENCY_KEY_REUSED');
    expect(told).toEqual(['in-progress', 'reused', 'completed', 'reused']);
  });

  it('keeps scopes apart, whatever is in their names', async () => {
    const places = [
      [undefined, 'a'],
      ['x', 'a'],
      ['x:', 'a'],
      ['x', ':a'],
      ['1:x', 'a'],
      ['y'.repeat(600), 'a'],
      ['z'.repeat(600), 'a'],
      [undefined, 'b'.repeat(600)],
      [undefined, 'c'.repeat(600)],
      ['', 'a:b'],
      ['a', 'b'],
    ] as const;
    for (const [index, [scope, key]] of places.entries()) {
      expect(await service.run(key, 1, () => index, scope === undefined ? {} : { scope })).toBe(index);
    }
  });

  it('forgets, keeps for its ttl, and not longer', async () => {
    await service.run('a', 1, () => 'first');
    await service.forget('a');
    expect(await service.run('a', 1, () => 'second', { ttl: '1h' })).toBe('second');
    test.clock.advance('59m');
    expect(await service.run('a', 1, () => 'third')).toBe('second');
    test.clock.advance('2m');
    expect(await service.run('a', 1, () => 'third')).toBe('third');
  });

  it.each<readonly [string, () => unknown, object]>([
    ['is too large', () => 'x'.repeat(100), { maxBytes: 50 }],
    ['cannot be encoded', () => () => undefined, {}],
    ['is a stream', () => Object.assign(() => undefined, { stream: Readable.from([]) }), {}],
  ])('says that it is done when its result %s', async (_what, result, options) => {
    const work = () => service.run('a', 1, result, options);
    expect(typeof (await work())).not.toBe('undefined');
    expect(await codeOf(work())).toBe('VALKEY_IDEMPOTENCY_NOT_REPLAYABLE');
    expect(told).toEqual(['not-kept', 'not-replayable']);
  });

  it('says so too when what is stored cannot be read', async () => {
    await service.run('a', 1, () => 'done');
    await client.set('idempotent:0::a', `${(await client.get('idempotent:0::a'))?.split('\n')[0]}\n{broken`);
    await expect(service.run('a', 1, () => 'never')).rejects.toMatchObject({
      code: 'VALKEY_IDEMPOTENCY_NOT_REPLAYABLE',
      cause: { code: 'VALKEY_DECODE_FAILED' },
    });
  });

  it.each([
    ['', 'no key'],
    ['a\ud800', 'half a surrogate pair'],
    [7 as never, 'a number'],
  ])('refuses a key that is none: %j', async (key) => {
    expect(await codeOf(service.run(key, 1, () => 'never'))).toBe('VALKEY_ARGUMENT_INVALID');
  });

  it.each(['', 'a b', 'a\nb', 'x'.repeat(257)])(
    'refuses a fingerprint that would break a record: %j',
    async (print) => {
      const work = { run: () => 1, encode: () => '1', decode: () => 1 };
      const key = { key: 'a', fingerprint: print, operation: 'test' };
      expect(await codeOf(service.perform(key, work))).toBe('VALKEY_ARGUMENT_INVALID');
    },
  );

  it('refuses options it does not know', async () => {
    expect(await codeOf(service.run('a', 1, () => 'never', { retries: 1 } as object))).toBe(
      'VALKEY_CONFIGURATION_INVALID',
    );
  });
});

describe('[IDM-4] a claim', () => {
  it('keeps its result when it has run out, and nobody else has the key', async () => {
    await service.run('a', 1, () => test.clock.advance('1h'));
    expect(await service.run<unknown>('a', 1, () => 'never')).toBeUndefined();
    expect(told).toEqual(['completed', 'replayed']);
  });

  it('[L11] cannot write over another, which is told, and its caller gets its own result', async () => {
    const other = new IdempotencyService(client);
    const first = await service.run('a', 1, async () => {
      test.clock.advance('1h');
      expect(await other.run('a', 1, () => 'second')).toBe('second');
      return 'first';
    });
    expect(first).toBe('first');
    expect(await service.run('a', 1, () => 'third')).toBe('second');
    expect(told).toEqual(['completed', 'lost', 'replayed']);
  });

  it('[L16] is asked for again when the answer comes late, and left to whoever has it by then', async () => {
    const other = new IdempotencyService(client);
    answerLate(1, async () => {
      test.clock.advance('1h');
      expect(await other.run('a', 1, () => 'second')).toBe('second');
      await sleep(LATE);
    });
    expect(await service.run('a', 1, () => 'never', { lease: 1_000 })).toBe('second');
    expect(told).toEqual(['completed', 'replayed']);
  });

  it('[L16] is had by the second answer when nobody else has it', async () => {
    answerLate(1, () => sleep(LATE));
    expect(await service.run('a', 1, () => 'done', { lease: 1_000 })).toBe('done');
    expect(told).toEqual(['completed']);
  });

  it('[L16] that has run out whenever it is heard of is none, and given up', async () => {
    answerLate(2, () => sleep(110));
    await expect(service.run('a', 1, () => 'never', { lease: 100 })).rejects.toMatchObject({
      code: 'VALKEY_IDEMPOTENCY_UNAVAILABLE',
      cause: { code: 'VALKEY_DEADLINE_EXCEEDED' },
    });
    expect(told).toEqual(['unavailable']);
    await until(async () => (await client.exists('idempotent:0::a')) === 0, { what: 'it is given up' });
    expect(await service.run('a', 1, () => 'done')).toBe('done');
  });

  it('tells its work when it is lost, by itself', async () => {
    const other = new IdempotencyService(client);
    await service.run(
      'a',
      1,
      async (lost) => {
        test.clock.advance('1h');
        await other.run('a', 1, () => 'second');
        await until(() => lost.aborted, { what: 'the loss is noticed' });
      },
      { lease: 100 },
    );
    expect(told.at(-1)).toBe('lost');
  });

  it('leaves no timer and no rejection behind when the client is closed under it', async () => {
    const watch = watchUnhandled();
    const result = await service.run(
      'a',
      1,
      async (lost) => {
        await client.close();
        await until(() => lost.aborted, { what: 'the loss is noticed' });
        return 'done';
      },
      { lease: 100 },
    );
    expect(result).toBe('done');
    expect(told).toEqual(['store-failed']);
    expect(await watch.stop()).toEqual([]);
  });
});

describe('without its store', () => {
  it('refuses to work, or works unguarded where that was asked for', async () => {
    await client.close();
    await expect(service.run('a', 1, () => 'never')).rejects.toMatchObject({
      code: 'VALKEY_IDEMPOTENCY_UNAVAILABLE',
      cause: { code: 'VALKEY_CLIENT_CLOSED' },
    });
    expect(await service.run('a', 1, () => 'done', { onStoreDown: 'run' })).toBe('done');
    await expect(
      service.run('a', 1, () => Promise.reject(new Error('broken')), { onStoreDown: 'run' }),
    ).rejects.toThrow('broken');
    expect(told).toEqual(['unavailable', 'unguarded', 'unguarded']);
  });
});
