import * as fc from 'fast-check';
import type { Limit } from '../../../../lib/index.js';
import { counterOf, resolveLimits } from '../../../../lib/options/limit-options.js';
import type { ModelTier } from './model.js';
import { BEGIN } from './place.js';
import type { Place, Seed, Stored } from './place.js';

/** Where the counter of a tier stands, and its block. */
export function keysOf(subject: string, limits: readonly Limit[]): readonly string[] {
  return resolveLimits(limits, 'a test').flatMap((tier) => {
    const key = `limit:default{:${subject}}${counterOf(tier)}`;
    return tier.block > 0 ? [key, `${key}!block`] : [key];
  });
}

/** Numbers as a stranger might write them, and some as we do. */
const NUMBERS = [
  '0',
  '1',
  '3',
  '7',
  '007',
  '-1',
  '-0',
  '+2',
  '1.5',
  '2.0',
  '.5',
  '1e2',
  '1E400',
  '0x10',
  '0b1',
  '0o7',
  'inf',
  '-inf',
  'Infinity',
  'nan',
  'NaN',
  ' 4',
  '4 ',
  '',
  ' ',
  'x',
  '4x',
  '\0',
  '4\0',
  '4\n',
  '٣',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '99999999999999999999',
  '9'.repeat(400),
];

/** Moments around the beginning of the test, also in its future: a clock that was set back. */
const moment = fc
  .oneof(
    fc.integer({ min: -60, max: 60 }),
    fc.integer({ min: -2_500, max: 2_500 }),
    fc.constantFrom(-7_200_000, -3_600_000, 3_600_000, 7_200_000),
  )
  .map((distance) => String(BEGIN + distance));
const word = fc.oneof(moment, fc.constantFrom(...NUMBERS), fc.integer({ min: 0, max: 20 }).map(String));
const ttl = fc.option(
  fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3_000 }), fc.constant(7_200_000)),
  {
    nil: undefined,
  },
);

/** What might stand under a key of ours. */
export const seed: fc.Arbitrary<Seed> = fc
  .record({
    what: fc.oneof(
      fc.constant({ type: 'hash' as const }),
      fc
        .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom(' ', ' ', ' ', '  ', ',', '\t'))
        .map(([words, between]) => ({ type: 'string' as const, value: words.join(between) })),
      fc.tuple(moment, fc.nat(12), fc.nat(12)).map((words) => ({ type: 'string' as const, value: words.join(' ') })),
      fc.tuple(fc.nat(12_000), moment).map((words) => ({ type: 'string' as const, value: words.join(' ') })),
      word.map((value) => ({ type: 'string' as const, value })),
      fc.array(word, { minLength: 1, maxLength: 14 }).map((value) => ({ type: 'list' as const, value })),
      fc
        .array(moment, { minLength: 1, maxLength: 14 })
        .map((value) => ({ type: 'list' as const, value: value.toSorted((a, b) => Number(a) - Number(b)) })),
    ),
    ttl,
  })
  .map(({ what, ttl: life }) => (life === undefined ? what : { ...what, ttl: life }));

export interface Step {
  /** Milliseconds since the one before; negative: the clock was set back. */
  readonly after: number;
  readonly what: 'consume' | 'check' | 'refund';
  readonly cost: number;
}

/** What is done to state that is not ours. */
export const steps = fc.array(
  fc.record({
    after: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: -20, max: 2_000 }),
      fc.constantFrom(-3_600_000, 3_600_000),
    ),
    what: fc.constantFrom(
      'consume' as const,
      'consume' as const,
      'consume' as const,
      'check' as const,
      'refund' as const,
    ),
    cost: fc.integer({ min: 0, max: 8 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What becomes of it: each reply, or its error, and what is stored afterwards. */
export async function outcomes(
  place: Place,
  tiers: readonly ModelTier[],
  seeds: readonly (Seed | undefined)[],
  sequence: readonly Step[],
): Promise<readonly { readonly reply: unknown; readonly stored: readonly Stored[] }[]> {
  await place.empty();
  place.now = BEGIN;
  const limits: readonly Limit[] = tiers.map((tier, index) => ({ ...tier, name: `t${index}` }));
  const keys = keysOf('s', limits);
  for (const [index, key] of keys.entries()) {
    const given = seeds[index];
    if (given) await place.seed(key, given);
  }
  const most = Math.min(...tiers.map(({ limit, burst }) => burst ?? limit));
  const limiter = place.limiter();
  const seen = [];
  for (const { after, what, cost } of sequence) {
    place.now += after;
    const reply = await limiter[what]('s', limits, { cost: Math.min(cost, most) }).catch(
      (error: Error) => `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}`,
    );
    seen.push({ reply, stored: await Promise.all(keys.map((key) => place.stored(key))) });
  }
  return seen;
}
