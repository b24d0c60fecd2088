import { FakeClock } from 'nestjs-valkey/testing';

describe('FakeClock', () => {
  it('[TST-1] stands still until it is moved on', () => {
    const clock = new FakeClock(1_000);

    expect(clock.now()).toBe(1_000);
    clock.advance('1.5s');
    expect(clock.now()).toBe(2_500);
    clock.advance(5);
    expect(clock.now()).toBe(2_505);
  });

  it('[TST-1] begins with the real time', () => {
    expect(Math.abs(new FakeClock().now() - Date.now())).toBeLessThan(1_000);
    expect(new FakeClock(new Date(7)).now()).toBe(7);
  });

  it('[TST-1] lets happen what becomes due, in its order and at its time', () => {
    const clock = new FakeClock(0);
    const seen: (readonly [string, number])[] = [];
    clock.after(20, () => seen.push(['second', clock.now()]));
    clock.after(10, () => {
      seen.push(['first', clock.now()]);
      clock.after(5, () => seen.push(['between', clock.now()]));
    });
    clock.after(100, () => seen.push(['never', clock.now()]));
    const cancel = clock.after(12, () => seen.push(['cancelled', clock.now()]));
    cancel();
    clock.advance(50);

    expect(seen).toEqual([
      ['first', 10],
      ['between', 15],
      ['second', 20],
    ]);
    expect(clock.now()).toBe(50);
  });

  it('[TST-1] refuses what is no time', () => {
    expect(() => new FakeClock(Number.NaN)).toThrow(expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }));
    expect(() => new FakeClock(0).advance(-1)).toThrow(expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }));
  });
});
