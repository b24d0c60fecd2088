import type { Driver } from '../../../../lib/driver/driver.js';
import { until } from '../../../support/index.js';
import { closeAll, open, plan, run, StoppedClock, transact } from './embedded-harness.js';

afterEach(closeAll);

interface Told {
  readonly news: (string | boolean)[];
  readonly stop: () => void;
}

function track(driver: Required<Pick<Driver, 'track'>>, prefix = ''): Told {
  const news: (string | boolean)[] = [];
  const stop = driver.track({
    prefix,
    changed: (key) => void news.push(key),
    covered: (covered) => void news.push(covered),
  });
  return { news, stop };
}

describe('changes of keys in the embedded driver', () => {
  it('are told from the first moment, in order, before the next command', async () => {
    const driver = open();
    const { news } = track(driver, 'a');
    expect(news).toEqual([true]);
    await run(driver, 'SET', 'a1', 'x');
    expect(news).toEqual([true, 'a1']);
    await run(driver, 'SET', 'b1', 'x');
    await run(driver, 'RENAME', 'a1', 'a2');
    expect(new Set(news.slice(2))).toEqual(new Set(['a1', 'a2']));
  });

  it('are told after the transaction that makes them, and what a reader is told is the new value', async () => {
    const driver = open();
    const { news } = track(driver);
    const seen: unknown[] = [];
    driver.track({
      prefix: 'a',
      changed: () => void run(driver, 'MGET', 'a1', 'a2').then((values) => seen.push(values)),
      covered: () => undefined,
    });
    await transact(driver, ['SET', 'a1', '1'], ['SET', 'a2', '2']);
    expect(news).toEqual([true, 'a1', 'a2']);
    await until(() => seen.length === 2, { what: 'the readers are answered' });
    expect(seen).toEqual([
      ['1', '2'],
      ['1', '2'],
    ]);
  });

  it('are told when a key ends, whether somebody asks for it or not', async () => {
    const clock = new StoppedClock();
    const driver = open({ clock });
    await run(driver, 'SET', 'asked', 'x', 'PX', '10');
    await run(driver, 'SET', 'not asked', 'x', 'PX', '10');
    const { news } = track(driver);
    clock.time += 20;
    await run(driver, 'GET', 'asked');
    expect(news).toEqual([true, 'asked']);
    await until(() => news.includes('not asked'), { what: 'it is swept away' });
  });

  it('are told when keys are flushed and when they make room', async () => {
    const driver = open({ maxEntries: 2 });
    await run(driver, 'SET', 'a', 'x');
    const { news } = track(driver);
    await run(driver, 'SET', 'b', 'x');
    await run(driver, 'SET', 'c', 'x');
    expect(news).toEqual([true, 'b', 'c', 'a']);
    await run(driver, 'FLUSHALL');
    expect(new Set(news.slice(4))).toEqual(new Set(['b', 'c']));
  });

  it('are not told of commands that change nothing', async () => {
    const driver = open();
    await run(driver, 'SET', 'a', '1');
    const { news } = track(driver);
    await run(driver, 'GET', 'a');
    await run(driver, 'SET', 'a', '2', 'NX');
    await run(driver, 'DEL', 'missing');
    await expect(run(driver, 'LPUSH', 'a', 'x')).rejects.toMatchObject({ kind: 'WRONGTYPE' });
    await plan(driver, { command: 'EXISTS', args: ['a'] });
    expect(news).toEqual([true]);
  });

  it('are told to each until it stops, and to nobody once the driver is closed', async () => {
    const driver = open();
    const [first, second] = [track(driver), track(driver)];
    first.stop();
    await run(driver, 'SET', 'a', 'x');
    expect([first.news, second.news]).toEqual([[true], [true, 'a']]);
    await driver.close();
    expect([first.news, second.news]).toEqual([[true], [true, 'a', false]]);
    expect(() => track(driver)).toThrow(expect.objectContaining({ code: 'VALKEY_CLIENT_CLOSED' }));
  });
});
