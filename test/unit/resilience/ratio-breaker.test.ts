import { CircuitState } from 'cockatiel';
import { RatioBreaker } from '../../../lib/resilience/ratio-breaker.js';

const WINDOW = 10_000;

function at(ratio: number, minimum: number) {
  let now = 1_000_000;
  const breaker = new RatioBreaker(ratio, WINDOW, minimum, () => now);
  return {
    breaker,
    pass: (milliseconds: number) => void (now += milliseconds),
    /** Whether the last of so many failures would open the circuit. */
    fail: (count: number) => Array.from({ length: count }, () => breaker.failure()).at(-1),
    succeed: (count: number) => Array.from({ length: count }, () => breaker.success(CircuitState.Closed)),
  };
}

describe('RatioBreaker', () => {
  it('[RES-2] judges from exactly the minimum on', () => {
    const { fail } = at(0.5, 10);
    expect(fail(9)).toBe(false);
    expect(fail(1)).toBe(true);
  });

  it('[RES-2] opens at exactly the ratio', () => {
    const { fail, succeed } = at(0.5, 1);
    succeed(10);
    expect(fail(9)).toBe(false);
    expect(fail(1)).toBe(true);
  });

  it('[RES-2] with ratio 1 opens when nothing succeeds at all', () => {
    const { fail, succeed } = at(1, 3);
    succeed(1);
    expect(fail(100)).toBe(false);
    const other = at(1, 3);
    expect(other.fail(3)).toBe(true);
  });

  it('[RES-2] forgets what has left the window, after a quiet time too', () => {
    const { fail, succeed, pass } = at(0.5, 10);
    fail(9);
    pass(WINDOW + WINDOW / 10);
    expect(fail(9)).toBe(false);
    expect(fail(1)).toBe(true);

    pass(100 * WINDOW);
    succeed(10);
    expect(fail(9)).toBe(false);
  });

  it('[RES-2] slides: what is younger than the window counts', () => {
    const { fail, pass } = at(0.5, 10);
    for (let step = 0; step < 9; step += 1) {
      expect(fail(1)).toBe(false);
      pass(WINDOW / 10);
    }
    expect(fail(1)).toBe(true);
  });
});
