import type { AllCommands } from '../../../../lib/client/commands/all-commands.js';
import type { ScoredMember } from '../../../../lib/client/commands/methods/sorted-sets.js';
import type { Queued, Shape } from '../../../../lib/client/commands/command-set.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiled, never run: what stands under an expectation of an error must not compile. */
function illegal(c: AllCommands<'promise'>): void {
  // @ts-expect-error two expiries
  void c.set('k', 'v', { ttl: '1m', keepTtl: true });
  // @ts-expect-error two expiries
  void c.set('k', 'v', { ttl: '1m', expireAt: new Date() });
  // @ts-expect-error nx with xx
  void c.set('k', 'v', { nx: true, xx: true });
  // @ts-expect-error no duration
  void c.set('k', 'v', { ttl: 'soon' });
  // @ts-expect-error a number is no key
  void c.get(5);
  // @ts-expect-error an object is no value
  void c.set('k', {});
  // @ts-expect-error gt with lt
  void c.expire('k', 1, { gt: true, lt: true });
  // @ts-expect-error nx with gt
  void c.zadd('z', { a: 1 }, { nx: true, gt: true });
  // @ts-expect-error persist with ttl
  void c.getex('k', { persist: true, ttl: '1m' });
  // @ts-expect-error two bounds
  void c.xtrim('x', { maxLength: 1, minId: '1-0' });
  // @ts-expect-error a wait has to say how long
  void c.blpop('l', {});
  // @ts-expect-error setJson does not answer the old value
  void c.setJson('k', 1, { get: true });
}

/** Compiled, never run: the types of the results. */
function results(c: AllCommands<'promise'>, p: AllCommands<'queued'>): true[] {
  const plain = c.set('k', 'v', { ttl: '1m', nx: true });
  const old = c.set('k', 'v', { xx: true, get: true });
  const queued = p.set('a', '1', { ttl: '1m' });
  const text = p.get('b');
  const one = c.zpopmin('z');
  const several = c.zpopmin('z', 2);
  const scored = c.zrange('z', 0, 1, { withScores: true });
  const maybe = c.xadd('x', { f: 1 }, { create: false });
  const certain = c.xadd('x', { f: 1 });
  return [
    true satisfies Equal<typeof plain, Promise<'OK' | null>>,
    true satisfies Equal<typeof old, Promise<string | null>>,
    true satisfies Equal<typeof queued, Queued<'OK' | null>>,
    true satisfies Equal<typeof text, Queued<string | null>>,
    true satisfies Equal<Awaited<typeof one>, ScoredMember | null>,
    true satisfies Equal<typeof several, typeof scored>,
    true satisfies Equal<typeof maybe, Promise<string | null>>,
    true satisfies Equal<typeof certain, Shape<'promise', string>>,
  ];
}

it('[CMD-1] illegal options do not compile, and results have their exact types', () => {
  // `tsc` is the judge; that these exist is all there is to run.
  expect([typeof illegal, typeof results]).toEqual(['function', 'function']);
});
