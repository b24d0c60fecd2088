import * as fc from 'fast-check';
import type { Limit } from '../../../../lib/index.js';
import { ALGORITHMS, tierOf } from './arrivals.js';
import { keysOf, seed } from './hostile.js';
import type { ModelTier } from './model.js';
import { BEGIN } from './place.js';
import type { Place, Seed } from './place.js';

const SUBJECTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;
const tier = fc.oneof(...ALGORITHMS.map((algorithm) => tierOf(algorithm)));
const call = fc.record({
  subject: fc.oneof({ weight: 3, arbitrary: fc.constant('a' as const) }, fc.constantFrom(...SUBJECTS)),
  policy: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constant(1)),
  cost: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 5 })),
});

/** What may happen in some turns of the event loop: calls that arrive together, of one subject or of several. */
export interface Turns {
  readonly policies: readonly (readonly ModelTier[])[];
  /** What stands under the counters of the first subject. */
  readonly seeds: readonly (Seed | null)[];
  readonly turns: readonly {
    /** Milliseconds since the one before. */
    readonly after: number;
    readonly calls: readonly { readonly subject: string; readonly policy: number; readonly cost: number }[];
  }[];
}

export const turns: fc.Arbitrary<Turns> = fc.record({
  policies: fc.array(fc.array(tier, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 2 }),
  seeds: fc.array(fc.option(seed, { freq: 2 }), { minLength: 4, maxLength: 4 }),
  turns: fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 60 }), calls: fc.array(call, { minLength: 1, maxLength: 14 }) }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** What becomes of turns: each reply, and what is stored after each turn; the calls of a turn together, or one by one. */
export async function outcomesOfTurns(place: Place, given: Turns, isTogether: boolean): Promise<readonly unknown[]> {
  await place.empty();
  place.now = BEGIN;
  const policies = given.policies.map((tiers): readonly Limit[] =>
    tiers.map((each, index) => ({ ...each, name: `t${index}` })),
  );
  const keys = [...new Set(SUBJECTS.flatMap((subject) => policies.flatMap((limits) => keysOf(subject, limits))))];
  for (const [index, planted] of given.seeds.entries()) {
    if (planted) await place.seed(keys[index] ?? 'elsewhere', planted);
  }
  const limiter = place.limiter();
  const seen = [];
  for (const { after, calls } of given.turns) {
    place.now += after;
    const asked = calls.map(({ subject, policy, cost }) => {
      const limits = policies[policy] as readonly Limit[];
      const most = Math.min(...limits.map(({ limit, burst }) => burst ?? limit));
      return () => limiter.consume(subject, limits, { cost: Math.min(cost, most) });
    });
    const replies = [];
    if (isTogether) replies.push(...(await Promise.all(asked.map((ask) => ask()))));
    else for (const ask of asked) replies.push(await ask());
    seen.push({ replies, stored: await Promise.all(keys.map((key) => place.stored(key))) });
  }
  return seen;
}
