import { UnsupportedError } from '../../../../lib/core/errors.js';
import { refusalOf } from '../../../../lib/client/commands/call/refusals.js';
import { escapeGlob, prefixArguments } from '../../../../lib/client/commands/prefix.js';
import { stripReply } from '../../../../lib/client/commands/strip.js';
import { describeCommand } from '../../../../lib/client/commands/table.js';
import type { Reply } from '../../../../lib/driver/driver.js';

function prefixLine(line: string, prefix: string): string {
  const [name = '', ...args] = line.split(' ');
  return [name, ...prefixArguments(describeCommand(name, args)!, args, prefix)].join(' ');
}

describe('[CMD-5] the key prefix on the way out', () => {
  it.each([
    ['GET k', 'GET app:k'],
    ['MSET a 1 b 2', 'MSET app:a 1 app:b 2'],
    ['EVAL s 1 k arg', 'EVAL s 1 app:k arg'],
    ['XREAD STREAMS a b 0 0', 'XREAD STREAMS app:a app:b 0 0'],
    ['OBJECT ENCODING k', 'OBJECT ENCODING app:k'],
    ['PUBLISH c m', 'PUBLISH app:c m'],
    ['SPUBLISH c m', 'SPUBLISH app:c m'],
    ['PUBSUB CHANNELS', 'PUBSUB CHANNELS app:*'],
    ['PUBSUB CHANNELS n?', 'PUBSUB CHANNELS app:n?'],
    ['PUBSUB SHARDCHANNELS', 'PUBSUB SHARDCHANNELS app:*'],
    ['PUBSUB NUMSUB a b', 'PUBSUB NUMSUB app:a app:b'],
    ['PUBSUB NUMPAT', 'PUBSUB NUMPAT'],
    ['SCAN 0', 'SCAN 0 MATCH app:*'],
    ['SCAN 0 COUNT 5', 'SCAN 0 COUNT 5 MATCH app:*'],
    ['SCAN 0 match u* COUNT 5', 'SCAN 0 match app:u* COUNT 5'],
    ['SCAN 0 MATCH a MATCH b', 'SCAN 0 MATCH app:a MATCH app:b'],
    ['HSCAN h 0 MATCH f*', 'HSCAN app:h 0 MATCH f*'],
    ['KEYS u*', 'KEYS app:u*'],
    [
      'SORT k BY w_*->f GET o_* GET # LIMIT 0 5 STORE d',
      'SORT app:k BY app:w_*->f GET app:o_* GET # LIMIT 0 5 STORE app:d',
    ],
    ['SORT_RO k BY nosort', 'SORT_RO app:k BY nosort'],
    ['CLUSTER KEYSLOT k', 'CLUSTER KEYSLOT app:k'],
    ['CLUSTER INFO', 'CLUSTER INFO'],
    ['PING', 'PING'],
    ['INFO server', 'INFO server'],
  ])('%s becomes %s', (line, expected) => {
    expect(prefixLine(line, 'app:')).toBe(expected);
  });

  it('without a prefix, the arguments are passed on as they are', () => {
    const args = ['k'];
    expect(prefixArguments(describeCommand('GET')!, args, '')).toBe(args);
  });

  it('glob characters in the prefix are literal', () => {
    expect(escapeGlob('a*?[b]\\^-:')).toBe('a\\*\\?\\[b\\]\\\\\\^\\-:');
    expect(prefixLine('SCAN 0', 'p*:')).toBe('SCAN 0 MATCH p\\*:*');
    expect(prefixLine('KEYS u*', '[x]:')).toBe('KEYS \\[x\\]:u*');
  });

  it('a Buffer stays one', () => {
    const [key] = prefixArguments(describeCommand('GET')!, [Buffer.from([0xff])], 'é:');
    expect(key).toEqual(Buffer.from([0xc3, 0xa9, 0x3a, 0xff]));
  });

  it('SORT patterns under a prefix with an asterisk are refused', () => {
    expect(() => prefixLine('SORT k BY w_*', 'p*:')).toThrow(UnsupportedError);
    expect(prefixLine('SORT k BY nosort GET #', 'p*:')).toBe('SORT p*:k BY nosort GET #');
  });
});

describe('[CMD-5] the key prefix on the way back', () => {
  const stripLine = (line: string, reply: Reply) => {
    const [name = '', ...args] = line.split(' ');
    return stripReply(name, args, reply, 'app:');
  };

  it.each<[string, Reply, Reply]>([
    ['KEYS *', ['app:a', 'app:b'], ['a', 'b']],
    ['SCAN 0', ['7', ['app:a']], ['7', ['a']]],
    ['SCAN 0', ['7', null], ['7', null]],
    ['BLPOP k 0', ['app:k', 'app:value'], ['k', 'app:value']],
    ['BZPOPMIN k 0', ['app:k', 'm', '1'], ['k', 'm', '1']],
    ['LMPOP 1 k LEFT', ['app:k', ['app:v']], ['k', ['app:v']]],
    ['XREAD STREAMS x 0', [['app:x', [['1-0', ['app:f', 'v']]]]], [['x', [['1-0', ['app:f', 'v']]]]]],
    ['XREAD STREAMS x 0', null, null],
    ['PUBSUB CHANNELS', ['app:c'], ['c']],
    ['PUBSUB NUMSUB c', ['app:c', 1], ['c', 1]],
    ['PUBSUB NUMPAT', 3, 3],
    ['PUBSUB HELP', ['app:'], ['app:']],
    ['LRANGE k 0 -1', ['app:value'], ['app:value']],
    ['KEYS *', [Buffer.from('app:a')], [Buffer.from('a')]],
    ['KEYS *', [Buffer.from('x'), 'other', 1], [Buffer.from('x'), 'other', 1]],
  ])('%s', (line, reply, expected) => {
    expect(stripLine(line, reply)).toEqual(expected);
  });

  it('nothing is touched without a prefix', () => {
    const reply = ['a'];
    expect(stripReply('KEYS', ['*'], reply, '')).toBe(reply);
  });
});

describe('what call() refuses', () => {
  it.each(
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE MONITOR SELECT AUTH HELLO RESET QUIT MULTI EXEC WATCH UNWATCH DISCARD ASKING READONLY READWRITE SYNC PSYNC'.split(
      ' ',
    ),
  )('%s, which changes a shared connection, with what to use instead', (name) => {
    expect(refusalOf(name, [], '')).toBeInstanceOf(UnsupportedError);
    expect(refusalOf(name, [], '')?.message).toMatch(/(Use|Set|End|The driver) .+\.$/);
  });

  it('of CLIENT and SCRIPT only what changes the connection', () => {
    expect(refusalOf('CLIENT', ['reply', 'OFF'], '')?.subject).toBe('CLIENT REPLY');
    expect(refusalOf('CLIENT', ['TRACKING', 'ON'], '')).toBeInstanceOf(UnsupportedError);
    expect(refusalOf('SCRIPT', ['DEBUG', 'YES'], '')).toBeInstanceOf(UnsupportedError);
    expect(refusalOf('CLIENT', ['LIST'], '')).toBeUndefined();
    expect(refusalOf('SCRIPT', ['FLUSH'], 'app:')).toBeUndefined();
    expect(refusalOf('WAIT', ['1', '0'], 'app:')).toBeUndefined();
  });

  it.each(['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'RANDOMKEY', 'MIGRATE', 'DBSIZE'])(
    '[CMD-5] %s, which reaches beyond a prefix, only with one',
    (name) => {
      expect(refusalOf(name, [], '')).toBeUndefined();
      expect(refusalOf(name, [], 'app:')?.message).toContain('native()');
    },
  );

  it('[CMD-5] a listing of a slot, only with a prefix', () => {
    expect(refusalOf('CLUSTER', ['GETKEYSINSLOT', '1', '1'], '')).toBeUndefined();
    expect(refusalOf('CLUSTER', ['GETKEYSINSLOT', '1', '1'], 'app:')).toBeInstanceOf(UnsupportedError);
  });
});
