import * as fc from 'fast-check';
import type { Decision, Limit, LimitAlgorithm } from '../../../../lib/index.js';
import { Model } from './model.js';
import type { ModelDecision, ModelTier } from './model.js';
import type { Place } from './place.js';

export const ALGORITHMS: readonly LimitAlgorithm[] = ['fixed-window', 'sliding-window', 'sliding-log', 'token-bucket'];

/** Something that happens to a subject after a while. */
export interface Arrival {
  /** Milliseconds since the one before. */
  readonly after: number;
  readonly what: 'consume' | 'check' | 'peek' | 'refund' | 'reset';
  readonly cost: number;
}

const BLOCKS: readonly number[] = [1, 30, 700, 2_500];

/** A tier of one algorithm, small enough for its edges to be met often; it may have one of these blocks. */
export function tierOf(algorithm: LimitAlgorithm, blocks = BLOCKS): fc.Arbitrary<ModelTier> {
  return fc
    .record({
      limit: fc.integer({ min: 1, max: 12 }),
      window: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(100, 997, 1_000)),
      burst: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
      block:
        blocks.length === 0
          ? fc.constant(undefined)
          : fc.option(fc.constantFrom(...blocks), { nil: undefined, freq: 3 }),
    })
    .map(({ limit, window, burst, block }) => ({
      algorithm,
      limit,
      window,
      ...(algorithm === 'token-bucket' && burst !== undefined ? { burst } : {}),
      ...(block === undefined ? {} : { block }),
    }));
}

/** Arrivals around the edges of the windows. */
export function arrivals(count: number): fc.Arbitrary<readonly Arrival[]> {
  const arrival = fc.record({
    after: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 2_200 }) },
    ),
    what: fc.oneof(
      { weight: 16, arbitrary: fc.constant('consume' as const) },
      { weight: 2, arbitrary: fc.constant('check' as const) },
      { weight: 2, arbitrary: fc.constant('peek' as const) },
      { weight: 2, arbitrary: fc.constant('refund' as const) },
      { weight: 1, arbitrary: fc.constant('reset' as const) },
    ),
    cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 12 }) }),
  });
  return fc.array(arrival, { minLength: count, maxLength: count });
}

/** Puts arrivals to a limiter and to the model, and expects the same decisions and figures. Waits exactly, at times. */
export async function expectAsModel(
  place: Place,
  tiers: readonly ModelTier[],
  sequence: readonly Arrival[],
): Promise<{ readonly admitted: number; readonly refused: number }> {
  const limits: readonly Limit[] = tiers.map((tier, index) => ({ ...tier, name: `t${index}` }));
  const most = Math.min(...tiers.map(({ limit, burst }) => burst ?? limit));
  const limiter = place.limiter();
  const model = new Model(tiers);
  const tally = { admitted: 0, refused: 0 };
  for (const { after, what, cost: wanted } of sequence) {
    place.now += after;
    const cost = what === 'peek' ? 0 : Math.min(wanted, most);
    if (what === 'refund') {
      await limiter.refund('s', limits, { cost });
      model.refund(place.now, cost);
    } else if (what === 'reset') {
      await limiter.reset('s', limits);
      model.reset();
    } else {
      const decision = await (what === 'peek' ? limiter.peek('s', limits) : limiter[what]('s', limits, { cost }));
      const expected = what === 'consume' ? model.consume(place.now, cost) : model.check(place.now, cost);
      expect(figuresOf(decision, limits)).toEqual(expected);
      tally[decision.admitted ? 'admitted' : 'refused'] += 1;
    }
  }
  return tally;
}

function figuresOf(decision: Decision, limits: readonly Limit[]): ModelDecision {
  expect(decision.by).toBe('store');
  const place = limits.findIndex(({ name }) => name === decision.refusedBy?.name);
  return {
    admitted: decision.admitted,
    retryAfter: decision.retryAfter as number,
    refusedBy: place === -1 ? undefined : place,
    tiers: decision.tiers.map(({ remaining, reset }) => ({ remaining, reset })),
  };
}
