import { RateLimiter } from '../../../lib/index.js';
import type { Limits } from '../../../lib/index.js';
import { BoundRule } from '../../../lib/nest/rate-limit/bound-rule.js';
import { ruleOf } from '../../../lib/nest/rate-limit/rate-limit-rules.js';
import type { Call } from '../../../lib/nest/rate-limit/subject.js';
import { limitPresets } from '../../../lib/options/limit-options.js';
import { createTestClient } from '../../../lib/testing/index.js';

const TEN: Limits = { limit: 10, window: '1m' };

let closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

async function bound(options: object): Promise<BoundRule> {
  const { client } = await createTestClient();
  const limiter = new RateLimiter(client);
  closing.push(
    () => limiter.close(),
    () => client.close(),
  );
  const { presets } = limitPresets({});
  const headers = { standard: true, legacy: false };
  const rule = ruleOf({ by: (subject: string) => subject, ...options }, 'Shop.buy', 'Shop.buy');
  return new BoundRule(rule, { limiter, isEnabled: true, presets, headers, error: undefined }, false);
}

function callOf(subject: string): Call {
  return { kind: 'method', self: undefined, args: [subject], request: undefined };
}

describe('limits that are loaded', () => {
  it('[RLM-2] fail the call with the error of the load, as long as there are no old ones', async () => {
    const away = new Error('the plans are away');
    let isAway = true;
    const load = async (): Promise<Limits> => {
      if (isAway) throw away;
      return TEN;
    };
    const rule = await bound({ limits: { load, ttl: 1 } });

    const both = await Promise.allSettled([rule.decide(callOf('anne')), rule.decide(callOf('anne'))]);
    expect(both.map((each) => each.status === 'rejected' && each.reason === away)).toEqual([true, true]);
    isAway = false;
    await expect(rule.decide(callOf('anne'))).resolves.toMatchObject({ limits: TEN });
    isAway = true;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(rule.decide(callOf('anne'))).resolves.toMatchObject({ limits: TEN });
    await expect(rule.decide(callOf('ben'))).rejects.toBe(away);
  });

  it('[RLM-2] are told apart by subjects of any length', async () => {
    const loaded: string[] = [];
    const load = async (subject: string): Promise<Limits> => {
      loaded.push(subject.slice(-1));
      return TEN;
    };
    const rule = await bound({ limits: { load } });
    const long = 'x'.repeat(16_000);
    for (const subject of [`${long}a`, `${long}b`, `${long}a`, 'c', 'c']) await rule.decide(callOf(subject));

    expect(loaded).toEqual(['a', 'b', 'c']);
  });

  it('[RLM-2] reach who waits for them, also when more wait than are remembered', async () => {
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const rule = await bound({ limits: { load: () => opened.then(() => TEN) } });
    const asked = Array.from({ length: 10_100 }, (_, index) => rule.decide(callOf(`subject ${index}`)));
    setImmediate(() => open?.());

    const found = await Promise.allSettled(asked);
    expect(found.filter(({ status }) => status === 'rejected')).toEqual([]);
  }, 30_000);
});

describe('functions that give what is none', () => {
  it.each([-1, 1.5, Number.NaN, '2', undefined, null])('[RLM-2] say whose cost is %p', async (cost) => {
    const rule = await bound({ ...TEN, cost: async () => cost });
    const refused = { code: 'VALKEY_ARGUMENT_INVALID', message: expect.stringContaining('Shop.buy') as unknown };
    await expect(rule.decide(callOf('anne'))).rejects.toMatchObject(refused);
  });

  it.each([
    ['a large number', { limit: 10n, window: '1m' }],
    ['a function', { limit: 10, window: () => '1m' }],
  ])('[RLM-2] say what is wrong with limits that hold %s', async (_what, limits) => {
    const rule = await bound({ limits: () => limits });
    await expect(rule.decide(callOf('anne'))).rejects.toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID' });
  });
});
