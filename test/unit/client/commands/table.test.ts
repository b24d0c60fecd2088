import { COMMAND_NAMES, describeCommand, firstKey, keyIndexes } from '../../../../lib/client/commands/table.js';

const words = (text: string): [string, string[]] => {
  const [name = '', ...args] = text.split(' ').map((word) => (word === '""' ? '' : word));
  return [name, args];
};

/** The keys the table finds in a command line. */
function keysOf(line: string): string[] {
  const [name, args] = words(line);
  const description = describeCommand(name, args);
  if (!description) throw new Error(`${name} is not in the table.`);
  return keyIndexes(description, args).map((index) => args[index] ?? '?');
}

describe('keys of a command', () => {
  // Each line was compared with COMMAND GETKEYS of Valkey 8.0.1.
  it.each([
    ['GET k', ['k']],
    ['GET', []],
    ['MSET a 1 b 2', ['a', 'b']],
    ['BLPOP a b 0', ['a', 'b']],
    ['BLMOVE a b LEFT RIGHT 0', ['a', 'b']],
    ['OBJECT ENCODING k', ['k']],
    ['OBJECT HELP', []],
    ['MEMORY USAGE k SAMPLES 5', ['k']],
    ['MEMORY DOCTOR', []],
    ['XINFO STREAM k FULL', ['k']],
    ['XGROUP CREATE k g $', ['k']],
    ['BITOP AND d a b', ['d', 'a', 'b']],
    ['EVAL s 2 a b x', ['a', 'b']],
    ['EVALSHA s 0 x', []],
    ['EVALSHA s many x', []],
    ['EVALSHA s 5 a', ['a']],
    ['FCALL f 1 a', ['a']],
    ['LMPOP 2 a b LEFT', ['a', 'b']],
    ['BZMPOP 0 1 a MIN', ['a']],
    ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', ['d', 'a', 'b']],
    ['ZDIFF 1 a WITHSCORES', ['a']],
    ['XREAD COUNT 1 BLOCK 0 STREAMS a b 0 0', ['a', 'b']],
    ['XREADGROUP GROUP streams streams NOACK STREAMS streams b > >', ['streams', 'b']],
    ['XREAD COUNT 1', []],
    ['SORT k BY w_* GET # LIMIT 0 5 STORE d', ['k', 'd']],
    ['SORT k BY STORE', ['k']],
    ['SORT k STORE a STORE b', ['k', 'b']],
    ['SORT', []],
    ['GEORADIUS k 1 2 3 m STORE d', ['k', 'd']],
    ['GEORADIUSBYMEMBER k store 3 m STOREDIST d', ['k', 'd']],
    ['GEORADIUS', []],
    ['MIGRATE h 1 k 0 100', ['k']],
    ['MIGRATE h 1 "" 0 100 AUTH KEYS KEYS a b', ['a', 'b']],
    ['MIGRATE h 1 "" 0 100 AUTH2 u KEYS KEYS a', ['a']],
    ['MIGRATE h 1 "" 0 100 COPY', []],
    ['MIGRATE h', []],
    ['SPUBLISH c m', ['c']],
    ['PUBLISH c m', []],
    ['PING', []],
  ])('%s', (line, keys) => {
    expect(keysOf(line)).toEqual(keys);
  });

  it('the first of them decides on the route', () => {
    const first = (line: string) => {
      const [name, args] = words(line);
      return firstKey(describeCommand(name)!, args);
    };
    expect(first('GET k')).toBe('k');
    expect(first('XREAD STREAMS a b 0 0')).toBe('a');
    expect(first('EVAL s 0')).toBeUndefined();
  });
});

describe('what may be repeated, and what may hold its connection', () => {
  const trait = (line: string) => {
    const [name, args] = words(line);
    const { readOnly, retrySafe, blocking } = describeCommand(name, args)!;
    return [readOnly && 'reads', retrySafe && 'repeatable', blocking && 'waits'].filter(Boolean).join(' ');
  };

  it.each([
    ['GET k', 'reads repeatable'],
    ['SET k v', 'repeatable'],
    ['SET k v EX 5 XX', 'repeatable'],
    ['SET k NX', 'repeatable'],
    ['SET k v nx', ''],
    ['SET k v GET', ''],
    ['DEL k', 'repeatable'],
    ['TOUCH k', 'repeatable'],
    ['EXPIRE k 5', 'repeatable'],
    ['EXPIRE k 5 NX', ''],
    ['ZADD z 1 a', 'repeatable'],
    ['ZADD z INCR 1 a', ''],
    ['SORT k', 'repeatable'],
    ['SORT k STORE d', ''],
    ['GEORADIUS k 1 2 3 m', 'repeatable'],
    ['GEORADIUS k 1 2 3 m STORE d', ''],
    ['XREAD STREAMS a 0', 'reads repeatable'],
    ['XREAD BLOCK 0 STREAMS a 0', 'reads repeatable waits'],
    ['XREADGROUP GROUP g c STREAMS a >', ''],
    ['XREADGROUP GROUP g c BLOCK 1 STREAMS a >', 'waits'],
    ['XGROUP DESTROY k g', 'repeatable'],
    ['XGROUP CREATE k g $', ''],
    ['CONFIG GET x', 'repeatable'],
    ['CONFIG SET x y', ''],
    ['MEMORY USAGE k', 'reads repeatable'],
    ['BLPOP k 0', 'waits'],
    ['INFO', 'repeatable'],
  ])('%s: %s', (line, expected) => {
    expect(trait(line)).toBe(expected);
  });

  it.each(
    'INCR INCRBY INCRBYFLOAT DECR DECRBY APPEND LPUSH RPUSH LPOP RPOP SPOP GETDEL GETSET XADD RENAME SETNX MSETNX HSETNX HINCRBY ZINCRBY PUBLISH EVAL EVALSHA FCALL LMOVE LREM LTRIM ZPOPMIN ZUNIONSTORE COPY SMOVE BITOP SETBIT'.split(
      ' ',
    ),
  )('%s is never repeated', (name) => {
    expect(describeCommand(name)).toMatchObject({ readOnly: false, retrySafe: false });
  });

  it('without arguments, the cautious answer is given', () => {
    expect(describeCommand('SET')?.retrySafe).toBe(false);
    expect(describeCommand('XREAD')?.blocking).toBe(true);
  });

  it('every reading command is repeatable', () => {
    const reading = COMMAND_NAMES.map((name) => describeCommand(name)!).filter(({ readOnly }) => readOnly);
    expect(reading.length).toBeGreaterThan(80);
    expect(reading.filter(({ retrySafe }) => !retrySafe)).toEqual([]);
  });

  it('knows nothing of commands that are not of Valkey 8', () => {
    expect(describeCommand('JSON.GET', ['k'])).toBeUndefined();
    expect(describeCommand('constructor', ['k'])).toBeUndefined();
  });
});
