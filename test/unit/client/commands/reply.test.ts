import * as reply from '../../../../lib/client/commands/reply.js';

describe('decoders', () => {
  it('[CMD-8] whole numbers stay exact: number up to 2^53, bigint beyond', () => {
    expect(reply.toInteger(Number.MAX_SAFE_INTEGER, 'INCR')).toBe(Number.MAX_SAFE_INTEGER);
    expect(reply.toInteger(9007199254740991n, 'INCR')).toBe(9007199254740991);
    expect(reply.toInteger(9007199254740993n, 'INCR')).toBe(9007199254740993n);
    expect(reply.toInteger(-9223372036854775808n, 'INCR')).toBe(-9223372036854775808n);
    // Rounded already, so which number it was cannot be told.
    expect(() => reply.toInteger(2 ** 53, 'INCR')).toThrow('INCR');
  });

  it.each([
    ['1.5', 1.5],
    ['3.0e3', 3000],
    ['inf', Infinity],
    ['+inf', Infinity],
    ['-inf', -Infinity],
    [2, 2],
  ])('the number %p is %p', (text, number) => {
    expect(reply.toNumber(text, 'ZSCORE')).toBe(number);
  });

  it.each(['', 'nan', 'x', null, ['1']])('%p is no number', (text) => {
    expect(() => reply.toNumber(text, 'ZSCORE')).toThrow(expect.objectContaining({ code: 'VALKEY_DECODE_FAILED' }));
  });

  it('an unexpected reply is an error that names the command, not the reply', () => {
    expect(() => reply.toOk('secret', 'SET')).toThrow(
      expect.objectContaining({
        code: 'VALKEY_DECODE_FAILED',
        subject: 'SET',
        message: expect.not.stringContaining('secret') as string,
      }),
    );
    expect(() => reply.toText(null, 'ECHO')).toThrow('The reply to ECHO is not text.');
    expect(() => reply.toBoolean(2, 'SETNX')).toThrow('SETNX');
    expect(() => reply.toRecord(['a'], 'HGETALL')).toThrow('a list of pairs');
    expect(() => reply.toPairs(['a'], 'ZRANGE')).toThrow('a list of pairs');
  });
});
