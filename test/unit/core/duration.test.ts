import { parseDuration, toMilliseconds } from '../../../lib/core/duration.js';

describe('a duration', () => {
  it.each([
    [0, 0],
    [250, 250],
    ['250', 250],
    ['8ms', 8],
    ['5s', 5_000],
    ['1m', 60_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['0.5s', 500],
    [' 5s ', 5_000],
  ])('%p is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', 's', '-1s', '5 s', '1w', 'NaN', '1e3', -1, Number.NaN, Infinity])('is not %p', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(() => toMilliseconds(text as number, 'ttl')).toThrow(/^ttl must be a duration/);
  });

  it('is rounded up to whole milliseconds', () => {
    expect(toMilliseconds(0.1, 'ttl')).toBe(1);
  });
});
