import { closeAll, open, run } from './embedded-harness.js';

afterEach(closeAll);

describe('a scan in the embedded driver', () => {
  it.each([
    ['SCAN', [], (n: number) => ['SET', `m${n}`, 'x'], (n: number) => ['DEL', `m${n}`]],
    ['HSCAN', ['k'], (n: number) => ['HSET', 'k', `m${n}`, 'x'], (n: number) => ['HDEL', 'k', `m${n}`]],
    ['SSCAN', ['k'], (n: number) => ['SADD', 'k', `m${n}`], (n: number) => ['SREM', 'k', `m${n}`]],
    ['ZSCAN', ['k'], (n: number) => ['ZADD', 'k', '1', `m${n}`], (n: number) => ['ZREM', 'k', `m${n}`]],
  ] as const)(
    'misses nothing that stays while other things come and go (%s) [CMD-7]',
    async (name, key, add, remove) => {
      const driver = open();
      const change = ([command = '', ...args]: string[]) => run(driver, command, ...args);
      for (let n = 0; n < 300; n += 1) await change(add(n));
      const seen = new Set<unknown>();
      let cursor = '0';
      let next = 300;
      do {
        const [after, items] = (await run(driver, name, ...key, cursor, 'COUNT', '7')) as [string, string[]];
        for (const item of items) seen.add(item);
        cursor = after;
        for (let step = 0; step < 3; step += 1, next += 1) {
          await change(remove((next * 2) % 300));
          await change(add(next));
        }
      } while (cursor !== '0');
      for (let n = 1; n < 300; n += 2) expect(seen).toContain(`m${n}`);
    },
  );
});

describe('channels of the embedded driver', () => {
  it('deliver in order, by name and by pattern, until one leaves [PUB-1]', async () => {
    const driver = open();
    const heard: string[] = [];
    const deliver = ({
      channel,
      pattern,
      payload,
    }: {
      channel: string;
      pattern: string | undefined;
      payload: Buffer;
    }) => void heard.push(`${pattern ?? '-'} ${channel} ${payload.toString()}`);
    const leave = await driver.subscribe({ kind: 'channel', names: ['news'], deliver });
    await driver.subscribe({ kind: 'pattern', names: ['n*'], deliver });
    expect(await run(driver, 'PUBLISH', 'news', '1')).toBe(2);
    await leave();
    expect(await run(driver, 'PUBLISH', 'news', '2')).toBe(1);
    expect(heard).toEqual(['- news 1', 'n* news 1', 'n* news 2']);
    expect(await run(driver, 'PUBSUB', 'NUMSUB', 'news')).toEqual(['news', 0]);
    expect(await run(driver, 'PUBSUB', 'NUMPAT')).toBe(1);
  });

  it('refuse after close()', async () => {
    const driver = open();
    await driver.close();
    const request = { kind: 'channel' as const, names: ['news'], deliver: () => undefined };
    await expect(driver.subscribe(request)).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
  });
});
