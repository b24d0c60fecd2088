import { pausesOf } from '../../../lib/resilience/backoff.js';

const BOUNDS = { attempts: 3, min: 10, max: 100 };

const { random } = Math;

afterEach(() => {
  Math.random = random;
});

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

  it('[RES-1] draws from nothing up to a bound that doubles, when exponential', () => {
    const pauses = (drawn: number) => {
      Math.random = () => drawn;
      const next = pausesOf({ ...BOUNDS, max: 1_000, backoff: 'exponential' })();
      return [1, 2, 3, 4, 5, 6, 7, 8, 9].map(next);
    };
    expect(pauses(0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(pauses(0.5)).toEqual([5, 10, 20, 40, 80, 160, 320, 500, 500]);
  });

  it('[RES-1] draws each pause around the one before, when decorrelated', () => {
    Math.random = () => 0.5;
    const next = pausesOf({ ...BOUNDS, max: 1_000, backoff: 'decorrelated' })();
    const drawn = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(next);

    expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
    expect(drawn[0]).toBeGreaterThan(0);
    expect(drawn.at(-1)).toBe(1_000);
  });

  it('[RES-1] starts over with each sequence', () => {
    Math.random = () => 0.5;
    const start = pausesOf({ ...BOUNDS, backoff: 'exponential' });
    const [first, second] = [start(), start()];
    expect([first(1), first(2), second(1)]).toEqual([5, 10, 5]);
  });

  it('[RES-1] is one turn of the event loop when none, and min beyond the attempts', () => {
    const pauses = pausesOf({ ...BOUNDS, backoff: 'none' })();
    expect([1, 2, 3, 4, 1_000].map(pauses)).toEqual([1, 1, 1, 10, 10]);
  });
});
