import * as fc from 'fast-check';
import type { Limit } from '../../../../lib/index.js';
import { ALGORITHMS, tierOf } from './arrivals.js';
import { keysOf, seed } from './hostile.js';
import type { ModelTier } from './model.js';
import { BEGIN } from './place.js';
import type { Place, Seed } from './place.js';

/** Longer than any window here. */
const LONG = 7_200_000;

// Who asks to be kept out is kept out for longer.
const tier = fc.oneof(...ALGORITHMS.map((algorithm) => tierOf(algorithm, [])));
/** A tier, and what was counted up to now, by a clock that may have been ahead. */
const counted = fc
  .tuple(tier, fc.array(fc.nat(999), { minLength: 14, maxLength: 14 }))
  .map(([found, dice]) => ({ found, given: ours(found, dice) as Seed | undefined }));
/** A tier, and whatever a stranger left. */
const strange = fc.tuple(tier, seed).map(([found, left]) => ({ found, given: inOrder(left) as Seed | undefined }));

/** Limits, what stands in their counters, and what a call costs. */
export const situations = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.array(counted, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.array(strange, { minLength: 1, maxLength: 1 }) },
    ),
    fc.integer({ min: 1, max: 12 }),
  )
  .map(([counters, cost]) => ({
    tiers: counters.map(({ found }) => found),
    seeds: counters.map(({ given }) => given),
    cost,
  }));

/** A counter that is more or less full. */
function ours({ algorithm, limit, window, burst = limit }: ModelTier, dice: readonly number[]): Seed {
  const [one = 0, two = 0, three = 0] = dice;
  const part = (of: number, die: number): number => Math.floor((of * die) / 999);
  if (algorithm === 'fixed-window') {
    return { type: 'string', value: String(part(limit, one)), ttl: 1 + part(window - 1, two) };
  }
  if (algorithm === 'token-bucket') {
    const drain = Math.ceil((burst * window) / limit);
    return { type: 'string', value: `${part(burst * window, one)} ${BEGIN + part(2 * drain, two) - drain}` };
  }
  if (algorithm === 'sliding-window') {
    const start = BEGIN + part(3 * window, one) - 2 * window;
    return { type: 'string', value: `${start} ${part(limit, two)} ${part(limit, three)}` };
  }
  const times = dice.slice(0, limit).map((die) => BEGIN + part(2 * window, die) - window);
  return { type: 'list', value: times.toSorted((earlier, later) => earlier - later).map(String) };
}

/**
 * Asks, and where it is refused waits a millisecond less than it was told, and then that one as well. @returns whether it
 * was refused
 */
export async function expectExactWait(
  place: Place,
  tiers: readonly ModelTier[],
  seeds: readonly (Seed | undefined)[],
  wanted: number,
): Promise<boolean> {
  await place.empty();
  place.now = BEGIN;
  const limits: readonly Limit[] = tiers.map((tier, index) => ({ ...tier, name: `t${index}` }));
  const cost = Math.min(wanted, ...tiers.map(({ limit, burst }) => burst ?? limit));
  for (const [index, key] of keysOf('s', limits).entries()) {
    const given = seeds[index];
    // One that ends before what stands in it does makes room earlier.
    if (given) await place.seed(key, { ttl: LONG, ...given });
  }
  const limiter = place.limiter();
  const { admitted, retryAfter = 0, refusedBy } = await limiter.consume('s', limits, { cost });
  if (admitted) return false;
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  // Even a clock that was set back holds nobody for longer than that.
  const slowest = Math.max(
    ...tiers.map(({ limit, burst = limit, window }) => (window * Math.max(limit, burst)) / limit),
  );
  expect(retryAfter).toBeLessThanOrEqual(3 * Math.ceil(slowest));
  place.now = BEGIN + retryAfter - 1;
  if (retryAfter > 1) {
    const early = await limiter.consume('s', limits, { cost });
    expect([early.admitted, early.retryAfter, early.refusedBy?.name]).toEqual([false, 1, refusedBy?.name]);
  }
  place.now = BEGIN + retryAfter;
  expect((await limiter.consume('s', limits, { cost })).admitted).toBe(true);
  return true;
}

/** Of a log only one that is sorted says when there is room. */
function inOrder(given: Seed): Seed {
  if (given.type !== 'list') return { ...given, ttl: LONG };
  const times = given.value.map((time) => (/^\d{1,16}$/.test(time) ? time : '0'));
  return { type: 'list', value: times.toSorted((one, other) => Number(one) - Number(other)), ttl: LONG };
}
