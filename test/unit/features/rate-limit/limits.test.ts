import { createTestClient } from '../../../../lib/testing/index.js';
import { RateLimiter } from '../../../../lib/index.js';
import type { CacheClient, Limit, Limits, RateLimiterOptions } from '../../../../lib/index.js';
import {
  checkCost,
  limitPresets,
  planLimits,
  resolveLimiter,
  resolveLimits,
} from '../../../../lib/options/limit-options.js';
import { codeOf, ending } from '../../../integration/open-client.js';
import { embeddedPlace } from './place.js';
import type { Place } from './place.js';

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return `${String(codeOf(error))} ${(error as Error).message}`;
  }
  return 'nothing was thrown';
}

const fine: Limit = { limit: 10, window: '1m' };

describe('limits', () => {
  it.each<[string, unknown, RegExp]>([
    ['zero', { ...fine, limit: 0 }, /limit is 0: it must be a whole number of at least 1/],
    ['negative', { ...fine, limit: -3 }, /limit is -3/],
    ['a fraction', { ...fine, limit: 1.5 }, /limit is 1\.5/],
    ['NaN', { ...fine, limit: Number.NaN }, /limit is NaN/],
    ['infinite', { ...fine, limit: Infinity }, /limit is Infinity/],
    ['text', { ...fine, limit: '10' }, /limit is "?'?10/],
    ['beyond what is counted', { ...fine, limit: 2 ** 40 + 1 }, /limit is 1099511627777/],
    ['missing', { window: '1m' }, /limit is missing: a limit is so much \(limit\) in so long \(window\)/],
    ['without a window', { limit: 1 }, /window is missing/],
    ['of an empty window', { ...fine, window: 0 }, /window is 0: it must be a duration such as '5m', 1 to/],
    ['of a negative window', { ...fine, window: -1 }, /window is -1/],
    ['of a window that is no number', { ...fine, window: Number.NaN }, /window is NaN/],
    ['of an endless window', { ...fine, window: Infinity }, /window is Infinity/],
    ['of a window beyond a year', { ...fine, window: '367d' }, /window is .*367d.*1 to 31622400000 ms/],
    ['of a window without a unit we know', { ...fine, window: '1w' }, /window is .*1w/],
    ['of an unknown algorithm', { ...fine, algorithm: 'leaky-bucket' }, /algorithm is .*one of fixed-window/],
    ['of a misspelt algorithm', { ...fine, algorithm: 'sliding-windw' }, /did you mean 'sliding-window'\?/],
    ['with the algorithm of a prototype', { ...fine, algorithm: 'constructor' }, /algorithm is .*one of/],
    ['with a burst elsewhere', { ...fine, burst: 3 }, /burst is for algorithm 'token-bucket' only/],
    ['with an empty burst', { ...fine, algorithm: 'token-bucket', burst: 0 }, /burst is 0/],
    ['with an empty block', { ...fine, block: 0 }, /block is 0/],
    ['with an endless block', { ...fine, block: '367d' }, /block is/],
    ['with a name that is none', { ...fine, name: 'a!block' }, /name is .*letters, digits, dots/],
    ['with an empty name', { ...fine, name: '' }, /name is/],
    ['with an unknown option', { ...fine, ttl: 3 }, /ttl/],
    ['a log that is too long', { ...fine, algorithm: 'sliding-log', limit: 10_001 }, /Take 'sliding-window'/],
    ['too large for its window', { limit: 2 ** 40, window: '1d' }, /take a shorter one/],
    ['no object', 5, /must be an object with limit, window/],
    ['null', null, /must be an object/],
    ['nothing', undefined, /must be an object/],
    ['an empty list', [], /has 0 tiers: give 1 to 8/],
    ['too many tiers', Array.from({ length: 9 }, (_, index) => ({ limit: 1, window: index + 1 })), /has 9 tiers/],
    [
      'twins',
      [fine, { ...fine }],
      /tier 2 counts the same as tier 1, or has its name: give it another window, or name/,
    ],
    ['twins of another limit', [fine, { ...fine, limit: 3 }], /tier 2 counts the same as tier 1/],
    [
      'of one name',
      [
        { ...fine, name: 'a' },
        { limit: 1, window: 5, name: 'a' },
      ],
      /tier 2 .*has its name/,
    ],
    ['of one name by default', [fine, { ...fine, algorithm: 'sliding-log' }], /tier 2 .*has its name/],
    ['with a hole', [fine, null], /tier 2 is null/],
  ])('that are wrong are refused, with what to change: %s', async (_title, limits, message) => {
    const told = messageOf(() => resolveLimits(limits as Limits, 'the test'));
    expect(told).toMatch(/^VALKEY_CONFIGURATION|^VALKEY_CONFIG/);
    expect(told).toMatch(message);
    const limiter = new RateLimiter(nobody());
    expect(codeOf(await ending(limiter.consume('s', limits as Limits)))).toBe(told.split(' ')[0]);
  });

  it('tell everything that is wrong at once', () => {
    const told = messageOf(() =>
      resolveLimits(
        [
          { limit: 0, window: -1 },
          { ...fine, burst: 1 },
        ],
        'the test',
      ),
    );
    for (const part of ['tier 1.limit', 'tier 1.window', 'tier 2.burst']) expect(told).toContain(part);
  });

  it('are taken at their edges, and windows are rounded up to whole milliseconds', () => {
    const tiers = resolveLimits(
      [
        { limit: 2 ** 40, window: 1 },
        { limit: 1, window: '366d', block: '366d' },
        { limit: 10_000, window: '0.5s', algorithm: 'sliding-log' },
        { limit: 1, window: 1.2, algorithm: 'token-bucket', burst: 2 ** 40 },
      ],
      'the test',
    );
    expect(tiers.map(({ name, window, capacity }) => [name, window, capacity])).toEqual([
      ['1099511627776-per-1ms', 1, 2 ** 40],
      ['1-per-31622400s', 31_622_400_000, 1],
      ['10000-per-500ms', 500, 10_000],
      ['1-per-2ms', 2, 2 ** 40],
    ]);
  });

  it.each([-1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 2 ** 41, '1', null, 1n, {}])(
    'refuse what cannot be a cost: %p',
    async (cost) => {
      expect(messageOf(() => checkCost(cost as number))).toMatch(/must be a whole number of at least 0/);
      const limiter = new RateLimiter(nobody());
      const options = { cost: cost as number };
      const calls = [limiter.consume('s', fine, options), limiter.refund('s', fine, options)];
      for (const end of await Promise.all(calls.map(ending))) expect(codeOf(end)).toBe('VALKEY_ARGUMENT_INVALID');
    },
  );
});

it('refuses an option of a call that is none, rather than counting something else', async () => {
  const end = await ending(new RateLimiter(nobody()).consume('s', fine, { costs: 5 } as object));

  expect(codeOf(end)).toBe('VALKEY_ARGUMENT_INVALID');
  expect(String(end)).toContain("Did you mean 'cost'?");
});

it('admits nothing when the application has ended, in whatever mode', async () => {
  for (const onStoreDown of ['local', 'open', 'closed'] as const) {
    const { client } = await createTestClient();
    const limiter = new RateLimiter(client, { onStoreDown });
    await client.close();
    expect(codeOf(await ending(limiter.consume('s', fine)))).toBe('VALKEY_CLIENT_CLOSED');
    await limiter.close();
  }
});

describe('the options of a limiter', () => {
  it.each<[string, unknown, RegExp]>([
    ['a mode that is none', { onStoreDown: 'ignore' }, /onStoreDown is .*'local', 'open' or 'closed'/],
    ['no time', { timeout: 0 }, /timeout is 0/],
    ['all time', { timeout: Infinity }, /timeout is Infinity/],
    ['a negative block list', { blockList: -1 }, /blockList is -1/],
    ['half a subject', { blockList: 1.5 }, /blockList is 1\.5/],
    ['an unknown option', { onStoreDwon: 'open' }, /onStoreDwon.*onStoreDown/],
    ['no object', 'open', /must be an object/],
  ])('are refused where they are wrong: %s', (_title, options, message) => {
    expect(messageOf(() => resolveLimiter(options as RateLimiterOptions))).toMatch(message);
  });

  it('have the defaults that are written down', () => {
    expect(resolveLimiter()).toEqual({ onStoreDown: 'local', timeout: 250, blockList: 10_000 });
  });
});

describe('limits of the environment', () => {
  it('are those that are written down, and each variable changes its own', () => {
    expect(limitPresets({})).toEqual({
      enabled: true,
      presets: {
        default: { limit: 500, window: 60_000, name: 'default' },
        aggressive: { limit: 100, window: 60_000, name: 'aggressive' },
        relaxed: { limit: 1_000, window: 60_000, name: 'relaxed' },
      },
    });
    const { enabled, presets } = limitPresets({
      RATE_LIMIT_ENABLED: ' False ',
      RATE_LIMIT_MAX: '7',
      AGGRESSIVE_RATE_LIMIT_WINDOW_SEC: '5',
      RELAXED_RATE_LIMIT_MAX: '',
    });
    expect(enabled).toBe(false);
    expect(presets.default).toMatchObject({ limit: 7, window: 60_000 });
    expect(presets.aggressive).toMatchObject({ limit: 100, window: 5_000 });
    expect(presets.relaxed).toMatchObject({ limit: 1_000 });
  });

  it.each([
    ['RATE_LIMIT_MAX', '0'],
    ['RATE_LIMIT_MAX', '-1'],
    ['RATE_LIMIT_MAX', '1e3'],
    ['RATE_LIMIT_WINDOW_SEC', '1.5'],
    ['AGGRESSIVE_RATE_LIMIT_MAX', 'many'],
    ['RELAXED_RATE_LIMIT_WINDOW_SEC', '31622401'],
    ['RATE_LIMIT_ENABLED', 'yes'],
  ])('that are wrong are named: %s=%s', (name, value) => {
    expect(messageOf(() => limitPresets({ [name]: value }))).toContain(name);
  });
});

it('an unknown plan is refused with those that are known', () => {
  const plans = { free: fine, pro: fine };
  expect(planLimits(plans, 'pro', 'the test')).toBe(fine);
  for (const plan of ['gold', 'constructor', '__proto__', '']) {
    expect(messageOf(() => planLimits(plans, plan, 'the test'))).toMatch(/Known: free, pro/);
  }
});

describe('subjects', () => {
  let place: Place;

  beforeAll(async () => {
    place = await embeddedPlace();
  });
  afterAll(() => place.close());

  it('are counted apart, whatever they are called', async () => {
    const long = 'x'.repeat(513);
    const subjects = [
      'a',
      'A',
      ' a',
      'a ',
      '{a}',
      'a}',
      '{',
      '}',
      '{}',
      '{a',
      'a}s60000',
      '}s60000',
      '!block',
      'a!block',
      'a:b',
      'a\r\nb',
      'a\r\n',
      '\r\n',
      '\0',
      'a\0',
      '*',
      '?',
      '[a]',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'ä',
      'a\u0308',
      '😀',
      '\uFFFD',
      'x'.repeat(512),
      long,
      `${long}x`,
      `${long.slice(1)}y`,
      '0',
      '-1',
      'null',
      'undefined',
    ];
    const one: Limit = { limit: 1, window: '1m' };
    const limiter = place.limiter();
    const first = await Promise.all(subjects.map((subject) => limiter.consume(subject, one)));
    expect(subjects.filter((_, index) => !first[index]?.admitted)).toEqual([]);
    const second = await Promise.all(subjects.map((subject) => limiter.consume(subject, one)));
    expect(subjects.filter((_, index) => second[index]?.admitted)).toEqual([]);
  });

  it('of one name are counted apart from those of another', async () => {
    const one: Limit = { limit: 1, window: '1m' };
    const limiter = place.limiter();
    for (const name of ['login', 'default', '__proto__', 'constructor', 'log.in', 'x'.repeat(128)]) {
      expect((await limiter.consume('apart', one, { name })).admitted).toBe(true);
      expect((await limiter.consume('apart', one, { name })).admitted).toBe(false);
    }
  });

  it.each(['', undefined, null, 5, {}, [], '\uD800', 'a\uDC00b', `${'x'.repeat(600)}\uD800`])(
    'that are none are refused: %p',
    async (subject) => {
      const limiter = place.limiter();
      const calls = [
        limiter.consume(subject as string, fine),
        limiter.enforce(subject as string, fine),
        limiter.check(subject as string, fine),
        limiter.refund(subject as string, fine),
        limiter.reset(subject as string, fine),
      ];
      for (const end of await Promise.all(calls.map(ending))) expect(codeOf(end)).toBe('VALKEY_ARGUMENT_INVALID');
    },
  );

  it.each(['', 'a b', 'a:b', '{a}', 'x'.repeat(129), 'a\n', 'ä', 5, null])(
    'of no name are refused: %p',
    async (name) => {
      const end = await ending(place.limiter().consume('s', fine, { name: name as string }));
      expect(codeOf(end)).toBe('VALKEY_ARGUMENT_INVALID');
      expect((end as Error).message).toMatch(/1 to 128 letters/);
    },
  );

  it('[L3] a cost above what there ever is refuses with nothing to wait for, and enforce says what to do', async () => {
    const limiter = place.limiter();
    const tiers: Limits = [
      { limit: 9, window: '1m' },
      { limit: 5, window: '1s', name: 'burst' },
    ];
    const decision = await limiter.consume('dear', tiers, { cost: 6 });
    expect(decision).toMatchObject({ admitted: false, retryAfter: undefined, refusedBy: { name: 'burst', limit: 5 } });
    const error = (await ending(limiter.enforce('dear', tiers, { cost: 6, name: 'dear' }))) as Error;
    expect(error).toMatchObject({ code: 'VALKEY_RATE_LIMITED', retryAfter: undefined, tier: { name: 'burst' } });
    expect(error.message).toMatch(/lower its cost, or raise limit or burst/);
    expect((await limiter.peek('dear', tiers)).tiers.map(({ remaining }) => remaining)).toEqual([9, 5]);
  });

  it('[L3] cost 0 peeks: it is admitted where nothing is left, and counts nothing', async () => {
    const limiter = place.limiter();
    const two: Limit = { limit: 2, window: '1m' };
    await limiter.consume('peeked', two, { cost: 2 });
    for (let turn = 0; turn < 3; turn += 1) {
      const decision = await limiter.consume('peeked', two, { cost: 0 });
      expect(decision).toMatchObject({ admitted: true, retryAfter: 0, tiers: [{ remaining: 0 }] });
    }
  });

  it('a changed limit goes on from what was counted', async () => {
    const limiter = place.limiter();
    await limiter.consume('changed', { limit: 5, window: '1m', algorithm: 'sliding-log' }, { cost: 5 });
    const more = await limiter.consume('changed', { limit: 7, window: '1m', algorithm: 'sliding-log' });
    expect(more).toMatchObject({ admitted: true, tiers: [{ remaining: 1 }] });
    const less = await limiter.consume('changed', { limit: 2, window: '1m', algorithm: 'sliding-log' });
    expect(less).toMatchObject({ admitted: false, retryAfter: 60_000, tiers: [{ remaining: 0 }] });
  });

  it('what was asked before the end is decided', async () => {
    const { client } = await createTestClient();
    const limiter = new RateLimiter(client, { onStoreDown: 'closed' });
    const asked = [limiter.consume('last', fine), limiter.peek('last', fine)];
    const closing = [limiter.close(), client.close()];
    expect(await Promise.all(asked)).toMatchObject([{ admitted: true, by: 'store' }, { admitted: true }]);
    await Promise.all(closing);
  });
});

/** For calls that never get as far. */
function nobody(): CacheClient {
  return { with: () => nobody(), topology: 'single' } as unknown as CacheClient;
}
