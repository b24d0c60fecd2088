import { until } from '../../../support/index.js';
import { closeAll, open, run, StoppedClock } from './embedded-harness.js';

afterEach(closeAll);

describe('time to live in the embedded driver', () => {
  it('ends a key at its time and not before [DRV-3]', async () => {
    const clock = new StoppedClock();
    const driver = open({ clock });
    await run(driver, 'SET', 'key', 'x', 'PX', '1000');
    clock.time += 999;
    expect(await run(driver, 'PTTL', 'key')).toBe(1);
    clock.time += 1;
    expect(await run(driver, 'GET', 'key')).toBeNull();
    expect(await run(driver, 'PTTL', 'key')).toBe(-2);
  });

  it('is kept by KEEPTTL and INCR, ended by SET and PERSIST', async () => {
    const driver = open({ clock: new StoppedClock() });
    await run(driver, 'SET', 'key', '1', 'EX', '10');
    await run(driver, 'INCR', 'key');
    await run(driver, 'SET', 'key', '3', 'KEEPTTL');
    expect(await run(driver, 'TTL', 'key')).toBe(10);
    expect(await run(driver, 'PERSIST', 'key')).toBe(1);
    await run(driver, 'EXPIRE', 'key', '5');
    await run(driver, 'SET', 'key', '4');
    expect(await run(driver, 'TTL', 'key')).toBe(-1);
  });

  it('is not prolonged by GT with an earlier time', async () => {
    const driver = open({ clock: new StoppedClock() });
    await run(driver, 'SET', 'key', '1', 'EX', '10');
    expect(await run(driver, 'EXPIRE', 'key', '5', 'GT')).toBe(0);
    expect(await run(driver, 'EXPIRE', 'key', '5', 'LT')).toBe(1);
    expect(await run(driver, 'EXPIRE', 'key', '5', 'NX')).toBe(0);
  });

  it('also ends keys nobody asks for', async () => {
    const clock = new StoppedClock();
    const driver = open({ clock });
    for (let index = 0; index < 2000; index += 1) await run(driver, 'SET', `k${index}`, 'x', 'PX', '10');
    clock.time += 20;
    await until(() => driver.native().size === 0, { what: 'all of them are swept away' });
    expect(driver.native().bytes).toBe(0);
  });
});
