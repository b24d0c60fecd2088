import { jest } from '@jest/globals';
import { CredentialKeeper } from '../../../../lib/driver/valkey/credential-keeper.js';
import type { Credentials, ExpiringCredentials } from '../../../../lib/options/settings.js';

const SECOND = 1_000;

describe('the keeper of credentials', () => {
  let keeper: CredentialKeeper | undefined;

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    keeper?.close();
    jest.useRealTimers();
  });

  /** Credentials called by the number of the question, which hold for `life` milliseconds. */
  function keep(
    life: number,
    renew: (credentials: Credentials) => Promise<void>,
    answers: (asked: number) => boolean = () => true,
  ): { readonly keeper: CredentialKeeper; readonly asked: () => number } {
    let asked = 0;
    const credentials = (): Promise<ExpiringCredentials> | ExpiringCredentials => {
      asked += 1;
      const given = { password: `${asked}`, expiresAt: Date.now() + life };
      return answers(asked) ? given : new Promise<never>(() => undefined);
    };
    keeper = new CredentialKeeper({ credentials, lead: SECOND, timeout: 5 * SECOND, renew });
    return { keeper, asked: () => asked };
  }

  it('[CFG-8] renews before the first of its answers ends, however often others connect', async () => {
    const renewed: string[] = [];
    const { keeper: kept } = keep(10 * SECOND, ({ password }) => {
      renewed.push(password);
      return Promise.resolve();
    });
    for (let second = 0; second < 30; second += 1) {
      await kept.current();
      await jest.advanceTimersByTimeAsync(SECOND);
    }
    // At 9, 18 and 27 s, before whoever connects in the same second.
    expect(renewed).toHaveLength(3);
  });

  it('[CFG-8] asks again when a question had no answer in time', async () => {
    const { keeper: kept, asked } = keep(
      10 * SECOND,
      () => Promise.resolve(),
      (question) => question !== 1,
    );
    const first = expect(kept.current()).rejects.toMatchObject({
      code: 'VALKEY_CONNECTION_FAILED',
      cause: expect.objectContaining({ message: 'it had no answer within 5000 ms' }) as unknown,
    });
    await jest.advanceTimersByTimeAsync(5 * SECOND);
    await first;
    expect(await kept.current()).toMatchObject({ password: '2' });
    expect(asked()).toBe(2);
  });

  it('[CFG-8] renews one after the other, so that older credentials do not come last', async () => {
    const renewals: { readonly password: string; readonly end: () => void }[] = [];
    const { keeper: kept } = keep(2 * SECOND, ({ password }) => new Promise((end) => renewals.push({ password, end })));
    await kept.current();
    await jest.advanceTimersByTimeAsync(60 * SECOND);
    expect(renewals.map(({ password }) => password)).toEqual(['2']);
    renewals[0]?.end();
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(renewals.map(({ password }) => password)).toEqual(['2', '3']);
  });

  it('[CFG-8] tries again 10 s after credentials were refused, and not twice', async () => {
    const refusedAt: number[] = [];
    const { keeper: kept } = keep(2 * SECOND, () => {
      refusedAt.push(Date.now());
      return Promise.reject(new Error('refused'));
    });
    await kept.current();
    const start = Date.now();
    await jest.advanceTimersByTimeAsync(25 * SECOND);
    expect(refusedAt.map((at) => at - start)).toEqual([1, 11, 21].map((seconds) => seconds * SECOND));
  });

  it('[CFG-8] asks nobody any more when it is closed', async () => {
    const { keeper: kept, asked } = keep(2 * SECOND, () => Promise.resolve());
    await kept.current();
    kept.close();
    await jest.advanceTimersByTimeAsync(60 * SECOND);
    expect(asked()).toBe(1);
  });
});
