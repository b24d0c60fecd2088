import { pausesOf } from '../../../lib/resilience/backoff.js';

const BOUNDS = { attempts: 3, min: 10, max: 100 };

describe('pausesOf', () => {
  it('[RES-1] grows step by step when linear', () => {
    const pauses = pausesOf({ ...BOUNDS, backoff: 'linear' })();
    expect([1, 2, 3, 20].map(pauses)).toEqual([10, 20, 30, 100]);
  });

  it('[RES-1] stays the same when fixed', () => {
    const pauses = pausesOf({ ...BOUNDS, backoff: 'fixed' })();
    expect([1, 2, 3].map(pauses)).toEqual([10, 10, 10]);
  });

  it.each(['exponential', 'decorrelated'] as const)(
    '[RES-1] is jittered and never longer than its max when %s',
    (backoff) => {
      const start = pausesOf({ ...BOUNDS, backoff });
      const drawn = Array.from({ length: 50 }, () => {
        const pauses = start();
        return [1, 2, 3, 4, 5, 6].map(pauses);
      }).flat();

      expect(Math.max(...drawn)).toBeLessThanOrEqual(100);
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
      expect(new Set(drawn).size).toBeGreaterThan(20);
    },
  );
});
