import { isValkeyError } from '../../../../lib/core/errors.js';
import { defineScript } from '../../../../lib/driver/script.js';
import { closeAll, open, plan, run, StoppedClock, transact } from './embedded-harness.js';

afterEach(closeAll);

const increment = defineScript({
  name: 'increment-with-ttl',
  lua: 'return 0',
  embedded: ({ call }, [key = ''], [ttl = '0']) => {
    const value = call('incr', key);
    if (value === 1) call('PEXPIRE', key, ttl);
    return value;
  },
});

describe('a transaction in the embedded driver', () => {
  it('answers with all replies, errors among them [PIP-2]', async () => {
    const driver = open();
    const replies = (await transact(driver, ['SET', 'k', 'x'], ['INCR', 'k'], ['GET', 'k'])) as readonly unknown[];
    expect(replies[0]).toBe('OK');
    expect(isValkeyError(replies[1], 'VALKEY_REPLY')).toBe(true);
    expect(replies[2]).toBe('x');
  });

  it('runs nothing when one of its commands could not run', async () => {
    const driver = open();
    await expect(transact(driver, ['SET', 'k', 'x'], ['GET'])).rejects.toMatchObject({ kind: 'ERR' });
    await expect(transact(driver, ['SET', 'k', 'x'], ['NOPE'])).rejects.toMatchObject({ code: 'VALKEY_UNSUPPORTED' });
    expect(await run(driver, 'GET', 'k')).toBeNull();
  });

  it('is null when a watched key changed, expired or was evicted [PIP-2]', async () => {
    const clock = new StoppedClock();
    const driver = open({ clock, maxEntries: 2 });
    const changes = [
      () => run(driver, 'SET', 'k', 'other'),
      () => Promise.resolve((clock.time += 5000)),
      () => Promise.all([run(driver, 'SET', 'x', '1'), run(driver, 'SET', 'y', '1')]),
    ];
    for (const change of changes) {
      const session = await driver.session();
      await run(driver, 'SET', 'k', 'x', 'PX', '1000');
      await run(session, 'WATCH', 'k');
      await change();
      await run(driver, 'EXISTS', 'k');
      expect(await transact(session, ['SET', 'k', 'mine'])).toBeNull();
      expect(await transact(session, ['PING'])).toEqual(['PONG']);
      session.release();
    }
  });

  it('goes through when only other keys changed, or the watch was taken back', async () => {
    const driver = open();
    const session = await driver.session();
    await run(session, 'WATCH', 'k');
    await run(driver, 'SET', 'other', 'x');
    expect(await transact(session, ['SET', 'k', '1'])).toEqual(['OK']);
    await run(session, 'WATCH', 'k');
    await run(driver, 'SET', 'k', 'x');
    await run(session, 'UNWATCH');
    expect(await transact(session, ['SET', 'k', '2'])).toEqual(['OK']);
  });

  it('needs a session to watch', async () => {
    await expect(run(open(), 'WATCH', 'k')).rejects.toMatchObject({ code: 'VALKEY_UNSUPPORTED' });
  });

  it('does not wait in a blocking command', async () => {
    expect(await transact(open(), ['BLPOP', 'list', '0'])).toEqual([null]);
  });
});

describe('a script in the embedded driver', () => {
  it('runs its twin on the store [DRV-3]', async () => {
    const driver = open({ clock: new StoppedClock() });
    const once = { command: 'EVALSHA', args: [increment.sha, '1', 'n', '500'], script: increment };
    expect(await plan(driver, once)).toBe(1);
    expect(await plan(driver, once)).toBe(2);
    expect(await run(driver, 'PTTL', 'n')).toBe(500);
  });

  it('ends with the error of a command it called', async () => {
    const driver = open();
    await run(driver, 'SET', 'n', 'text');
    const operation = { command: 'EVALSHA', args: [increment.sha, '1', 'n', '500'], script: increment };
    await expect(plan(driver, operation)).rejects.toMatchObject({ kind: 'ERR', subject: 'INCR' });
  });

  it('without a twin is refused with advice', async () => {
    const script = defineScript({ name: 'lonely', lua: 'return 1' });
    await expect(plan(open(), { command: 'EVALSHA', args: [script.sha, '0'], script })).rejects.toMatchObject({
      code: 'VALKEY_UNSUPPORTED',
      message: expect.stringContaining('embedded'),
    });
  });
});
