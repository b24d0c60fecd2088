import { ClientClosedError, DeadlineError } from '../../../../lib/core/errors.js';
import { closeAll, open, run, start, transact } from './embedded-harness.js';

afterEach(closeAll);

const blpop = (...args: string[]) => ({ command: 'BLPOP', args, blocking: true });

describe('a blocking command in the embedded driver', () => {
  it('is served in the order of arrival [CMD-2]', async () => {
    const driver = open();
    const first = start(driver, blpop('a', 'b', '0'));
    const second = start(driver, blpop('b', '0'));
    expect(await run(driver, 'RPUSH', 'b', '1', '2')).toBe(2);
    expect(await first.outcome).toEqual({ ok: true, value: ['b', '1'] });
    expect(await second.outcome).toEqual({ ok: true, value: ['b', '2'] });
    expect(await run(driver, 'EXISTS', 'b')).toBe(0);
  });

  it('answers null after its time', async () => {
    const driver = open();
    const keepAlive = setTimeout(() => undefined, 5000);
    expect(await start(driver, blpop('a', '0.01')).outcome).toEqual({ ok: true, value: null });
    clearTimeout(keepAlive);
  });

  it('takes nothing once it was abandoned', async () => {
    const driver = open();
    const { operation, outcome } = start(driver, blpop('a', '0'));
    operation.settle({ ok: false, error: new DeadlineError('BLPOP', 1) });
    await outcome;
    await run(driver, 'RPUSH', 'a', '1');
    expect(await run(driver, 'LLEN', 'a')).toBe(1);
  });

  it('sees a transaction only when it is over', async () => {
    const driver = open();
    const { outcome } = start(driver, blpop('a', '0'));
    await transact(driver, ['RPUSH', 'a', '1'], ['DEL', 'a'], ['RPUSH', 'a', '2']);
    expect(await outcome).toEqual({ ok: true, value: ['a', '2'] });
  });

  it('passes an element on to who waits behind it', async () => {
    const driver = open();
    const mover = start(driver, { command: 'BLMOVE', args: ['a', 'b', 'LEFT', 'RIGHT', '0'] });
    const taker = start(driver, blpop('b', '0'));
    await run(driver, 'RPUSH', 'a', 'x');
    expect(await mover.outcome).toEqual({ ok: true, value: 'x' });
    expect(await taker.outcome).toEqual({ ok: true, value: ['b', 'x'] });
  });

  it('reads new entries of streams, alone and in a group [PUB-4]', async () => {
    const driver = open();
    await run(driver, 'XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
    const reader = start(driver, { command: 'XREAD', args: ['BLOCK', '0', 'STREAMS', 's', '$'] });
    const member = start(driver, {
      command: 'XREADGROUP',
      args: ['GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>'],
    });
    await run(driver, 'XADD', 's', '1-1', 'f', 'v');
    const entries = [['s', [['1-1', ['f', 'v']]]]];
    expect(await reader.outcome).toEqual({ ok: true, value: entries });
    expect(await member.outcome).toEqual({ ok: true, value: entries });
    expect(await run(driver, 'XACK', 's', 'g', '1-1')).toBe(1);
  });

  it('of a group fails when the group goes', async () => {
    const driver = open();
    await run(driver, 'XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
    const args = ['GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>'];
    const { outcome } = start(driver, { command: 'XREADGROUP', args });
    await run(driver, 'XGROUP', 'DESTROY', 's', 'g');
    expect(await outcome).toMatchObject({ ok: false, error: { kind: 'NOGROUP' } });
  });

  it('waits in a sorted set, too', async () => {
    const driver = open();
    const { outcome } = start(driver, { command: 'BZPOPMIN', args: ['z', '0'] });
    await run(driver, 'ZADD', 'z', '2', 'b', '1', 'a');
    expect(await outcome).toEqual({ ok: true, value: ['z', 'a', '1'] });
  });

  it('ends with the driver, and nothing runs afterwards', async () => {
    const driver = open();
    const { outcome } = start(driver, blpop('a', '0'));
    await driver.close();
    expect(await outcome).toMatchObject({ ok: false, error: expect.any(ClientClosedError) });
    await expect(run(driver, 'PING')).rejects.toBeInstanceOf(ClientClosedError);
    expect(driver.status()).toEqual({ state: 'closed' });
  });
});
