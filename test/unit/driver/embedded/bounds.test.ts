import { PlainOperation } from '../../../../lib/driver/pending-operation.js';
import { closeAll, open, run } from './embedded-harness.js';

afterEach(closeAll);

describe('bounds of the embedded driver', () => {
  it('hold through a million distinct keys [DRV-3]', () => {
    const driver = open({ maxEntries: 100_000, maxBytes: 32 * 1024 * 1024 });
    const value = 'v'.repeat(64);
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 1_000_000; index += 1) {
      driver.execute([new PlainOperation({ command: 'SET', args: [`key:${index}`, value] }, () => undefined)]);
    }
    expect(driver.native().size).toBeLessThanOrEqual(100_000);
    expect(driver.native().bytes).toBeLessThanOrEqual(32 * 1024 * 1024);
    // Garbage not yet collected counts here, hence the generous limit; a leak of a million keys would be far above it.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(250 * 1024 * 1024);
  });

  it('drop the least recently used first', async () => {
    const driver = open({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) await run(driver, 'SET', key, '1');
    await run(driver, 'GET', 'a');
    await run(driver, 'SET', 'd', '1');
    expect(await run(driver, 'EXISTS', 'a', 'c', 'd')).toBe(3);
    expect(await run(driver, 'EXISTS', 'b')).toBe(0);
  });

  it('count what collections grow and shrink by', async () => {
    const driver = open();
    await run(driver, 'HSET', 'h', 'f', 'v');
    await run(driver, 'RPUSH', 'l', 'a', 'b');
    await run(driver, 'ZADD', 'z', '1', 'm');
    await run(driver, 'SADD', 's', 'm');
    await run(driver, 'XADD', 'x', '1-1', 'f', 'v');
    await run(driver, 'XGROUP', 'CREATE', 'x', 'g', '0');
    await run(driver, 'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'x', '>');
    const before = driver.native().bytes;
    await run(driver, 'HSET', 'h', 'f2', 'longer');
    await run(driver, 'LPUSH', 'l', 'c');
    await run(driver, 'ZADD', 'z', '2', 'n');
    expect(driver.native().bytes).toBeGreaterThan(before);
    await run(driver, 'HDEL', 'h', 'f2');
    await run(driver, 'LPOP', 'l');
    await run(driver, 'ZREM', 'z', 'n');
    expect(driver.native().bytes).toBe(before);
    await run(driver, 'DEL', 'h', 'l', 'z', 's', 'x');
    expect(driver.native().bytes).toBe(0);
  });

  it('refuse a value that alone is too large, and leave what was there', async () => {
    const driver = open({ maxBytes: 4096 });
    await run(driver, 'SET', 'key', 'small');
    await run(driver, 'RPUSH', 'list', 'a');
    await expect(run(driver, 'SET', 'key', 'x'.repeat(5000))).rejects.toMatchObject({ code: 'VALKEY_OUT_OF_MEMORY' });
    await expect(run(driver, 'APPEND', 'key', 'x'.repeat(4000))).rejects.toMatchObject({ kind: 'OOM' });
    await expect(run(driver, 'RPUSH', 'list', 'x'.repeat(4000))).rejects.toMatchObject({ kind: 'OOM' });
    expect(await run(driver, 'GET', 'key')).toBe('small');
    expect(await run(driver, 'LRANGE', 'list', '0', '-1')).toEqual(['a']);
  });
});
