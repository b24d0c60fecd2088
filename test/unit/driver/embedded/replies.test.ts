import { closeAll, open, run, runBinary } from './embedded-harness.js';

afterEach(closeAll);

const INVALID = Buffer.from([0xff, 0x00, 0xc3, 0x28]);

describe('replies of the embedded driver', () => {
  it('are text, or bytes for an operation that asks for bytes [DRV-3]', async () => {
    const driver = open();
    await run(driver, 'SET', 'key', 'grün');
    expect(await run(driver, 'GET', 'key')).toBe('grün');
    expect(await runBinary(driver, 'GET', 'key')).toEqual(Buffer.from('grün'));
    expect(await runBinary(driver, 'PING')).toEqual(Buffer.from('PONG'));
  });

  it('give back any bytes as key, field, member and value [CMD-8]', async () => {
    const driver = open();
    await run(driver, 'SET', INVALID, INVALID);
    await run(driver, 'HSET', 'hash', INVALID, INVALID);
    await run(driver, 'SADD', 'set', INVALID);
    expect(await runBinary(driver, 'GET', Buffer.from(INVALID))).toEqual(INVALID);
    expect(await runBinary(driver, 'HGETALL', 'hash')).toEqual([INVALID, INVALID]);
    expect(await runBinary(driver, 'SMEMBERS', 'set')).toEqual([INVALID]);
    expect(await run(driver, 'STRLEN', INVALID)).toBe(4);
  });

  it('take text and its UTF-8 bytes for the same key', async () => {
    const driver = open();
    await run(driver, 'SET', 'grün', 'x');
    expect(await run(driver, 'GET', Buffer.from('grün'))).toBe('x');
  });

  it('keep names of prototypes harmless', async () => {
    const driver = open();
    await run(driver, 'HSET', '__proto__', 'constructor', '1', '__proto__', '2');
    expect(await run(driver, 'HGETALL', '__proto__')).toEqual(['constructor', '1', '__proto__', '2']);
    expect(await run(driver, 'GET', 'constructor')).toBeNull();
  });

  it('cannot be used to change the store, nor can arguments', async () => {
    const driver = open();
    const given = Buffer.from('abc');
    await run(driver, 'SET', 'key', given);
    given[0] = 0x7a;
    const taken = (await runBinary(driver, 'GET', 'key')) as Buffer;
    taken[1] = 0x7a;
    expect(await run(driver, 'GET', 'key')).toBe('abc');
  });

  it('are exact beyond 2^53 and refuse to overflow [CMD-8]', async () => {
    const driver = open();
    await run(driver, 'SET', 'n', '9007199254740992');
    expect(await run(driver, 'INCR', 'n')).toBe(9007199254740993n);
    await run(driver, 'SET', 'n', '9223372036854775807');
    await expect(run(driver, 'INCR', 'n')).rejects.toMatchObject({
      kind: 'ERR',
      message: expect.stringContaining('would overflow'),
    });
  });

  it('write floats as the server does', async () => {
    const driver = open();
    await run(driver, 'SET', 'f', '10.5');
    expect(await run(driver, 'INCRBYFLOAT', 'f', '0.1')).toBe('10.6');
    expect(await run(driver, 'INCRBYFLOAT', 'f', '5e3')).toBe('5010.60000000000000009');
    await run(driver, 'ZADD', 'z', '1e21', 'a', '100000000', 'b', '1e-7', 'c');
    expect(await run(driver, 'ZMSCORE', 'z', 'a', 'b', 'c')).toEqual(['1e+21', '100000000', '1e-7']);
  });

  it('are errors in the words of the server [DRV-3]', async () => {
    const driver = open();
    await run(driver, 'SET', 'key', 'text');
    await expect(run(driver, 'HGET', 'key', 'field')).rejects.toMatchObject({ kind: 'WRONGTYPE', subject: 'HGET' });
    await expect(run(driver, 'INCR', 'key')).rejects.toThrow('value is not an integer or out of range');
    await expect(run(driver, 'GET')).rejects.toThrow("wrong number of arguments for 'get' command");
    await expect(run(driver, 'XGROUP', 'CREATE', 'x')).rejects.toThrow("'xgroup|create'");
  });

  it('say what to do about an unknown command', async () => {
    const driver = open();
    await expect(run(driver, 'GEOADD', 'k', '1', '1', 'm')).rejects.toMatchObject({ code: 'VALKEY_UNSUPPORTED' });
    await expect(run(driver, 'MULTI')).rejects.toThrow('transaction()');
    await expect(run(driver, 'EVAL', 'return 1', '0')).rejects.toThrow('defineScript');
    await expect(run(driver, 'constructor')).rejects.toMatchObject({ code: 'VALKEY_UNSUPPORTED' });
  });
});
