import { ArgumentError, CacheMissError, isValkeyError } from '../../../../lib/core/errors.js';
import { AllCommands } from '../../../../lib/client/commands/all-commands.js';
import { CommandSet } from '../../../../lib/client/commands/command-set.js';
import { Requests } from '../../../../lib/client/commands/methods/requests.js';
import { describeCommand } from '../../../../lib/client/commands/table.js';
import type { Reply } from '../../../../lib/driver/driver.js';
import { COLLECTION_EXCHANGES, STREAM_EXCHANGES, STRING_EXCHANGES } from './exchanges.js';
import { RecordingCommands, type Exchange } from './recording-commands.js';

const ALL = [...STRING_EXCHANGES, ...COLLECTION_EXCHANGES, ...STREAM_EXCHANGES];

describe.each([
  ['[CMD-1] [CMD-4] strings and keys', STRING_EXCHANGES],
  ['[CMD-2] hashes, lists, sets and sorted sets', COLLECTION_EXCHANGES],
  ['[PUB-4] streams', STREAM_EXCHANGES],
])('%s', (_, exchanges: readonly Exchange[]) => {
  it.each(exchanges)('%s', async (wire, call, reply, result) => {
    const commands = new RecordingCommands(reply);
    await expect(call(commands)).resolves.toEqual(result);
    expect(commands.wire).toBe(wire);
  });
});

describe('the chain of command methods', () => {
  it('has an exchange above for every method', () => {
    const called = new Set<string>();
    for (const [, call] of ALL) {
      const spy = new Proxy(new RecordingCommands(), {
        get(target, name) {
          called.add(String(name));
          return Reflect.get(target, name, target) as unknown;
        },
      });
      call(spy).catch(() => undefined);
    }
    expect(methodNames().filter((name) => !called.has(name))).toEqual([]);
  });

  it('sends only what the table describes, never more daringly than it', async () => {
    for (const [, call, reply] of ALL) {
      const commands = new RecordingCommands(reply);
      await call(commands);
      for (const { command, args } of commands.sent) {
        expect(describeCommand(command.name, args)).toEqual(command);
      }
    }
  });

  it('refuses a reply of the wrong shape instead of passing it on', async () => {
    const oddities: readonly Reply[] = [[[['x']]], { odd: true } as never];
    for (const [wire, call] of ALL) {
      for (const oddity of oddities) {
        const error: unknown = await call(new RecordingCommands(oddity)).then(
          () => `${wire} took it`,
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: 'VALKEY_DECODE_FAILED', subject: wire.split(' ')[0] });
      }
    }
  });

  it('[CMD-5] prefixes every key, and takes the prefix off again', async () => {
    const commands = new RecordingCommands(['app:b', 'x'], 'app:');
    await expect(commands.blpop(['a', 'b'], { timeout: '1s' })).resolves.toEqual({ key: 'b', value: 'x' });
    expect(commands.wire).toBe('BLPOP app:a app:b 1');
    const streams = new RecordingCommands([['app:x', []]], 'app:');
    await expect(streams.xread({ x: '0' })).resolves.toEqual([{ stream: 'x', entries: [] }]);
    expect(streams.wire).toBe('XREAD STREAMS app:x 0');
  });

  it('[CLU-1] leaves commands over many keys to be split', async () => {
    const commands = new RecordingCommands(2);
    await commands.del('a', 'b');
    await commands.unlink('a', 'b');
    await commands.exists('a', 'b');
    await commands.touch('a', 'b');
    const reads = new RecordingCommands(['1', '2']);
    await reads.mget('a', 'b');
    await reads.mgetJson('a', 'b');
    const writes = new RecordingCommands('OK');
    await writes.mset({ a: 1, b: 2 });
    expect(commands.sent.map(({ rule }) => rule)).toEqual(
      Array.from({ length: 4 }, () => ({ step: 1, combine: 'sum' })),
    );
    expect(reads.sent.map(({ rule }) => rule)).toEqual(
      Array.from({ length: 2 }, () => ({ step: 1, combine: 'order' })),
    );
    expect(writes.sent.map(({ rule }) => rule)).toEqual([{ step: 2, combine: 'same' }]);
  });

  it('asks for bytes where it gives bytes', async () => {
    const commands = new RecordingCommands(null);
    await commands.getBuffer('k');
    await commands.hgetBuffer('k', 'f');
    await commands.lpopBuffer('k');
    await commands.rpopBuffer('k');
    expect(commands.sent.map(({ binary }) => binary)).toEqual([true, true, true, true]);
  });
});

describe('[CMD-8] edges', () => {
  const EMPTY: readonly (readonly [string, (c: RecordingCommands) => Promise<unknown>, unknown])[] = [
    ['del', (c) => c.del(), 0],
    ['del of a list', (c) => c.del([]), 0],
    ['unlink', (c) => c.unlink(), 0],
    ['exists', (c) => c.exists(), 0],
    ['touch', (c) => c.touch(), 0],
    ['mget', (c) => c.mget([]), []],
    ['mgetBuffer', (c) => c.mgetBuffer(), []],
    ['mgetJson', (c) => c.mgetJson(), []],
    ['mset', (c) => c.mset({}), 'OK'],
    ['msetnx', (c) => c.msetnx([]), true],
    ['hset', (c) => c.hset('h', {}), 0],
    ['hdel', (c) => c.hdel('h'), 0],
    ['hmget', (c) => c.hmget('h', []), []],
    ['sadd', (c) => c.sadd('s', []), 0],
    ['srem', (c) => c.srem('s'), 0],
    ['smismember', (c) => c.smismember('s'), []],
    ['sinter', (c) => c.sinter(), []],
    ['sintercard', (c) => c.sintercard([]), 0],
    ['zadd', (c) => c.zadd('z', []), 0],
    ['zrem', (c) => c.zrem('z'), 0],
    ['zmscore', (c) => c.zmscore('z'), []],
    ['zunion', (c) => c.zunion([]), []],
    ['zintercard', (c) => c.zintercard([]), 0],
    ['lmpop', (c) => c.lmpop([], 'left'), null],
    ['blpop', (c) => c.blpop([], { timeout: 0 }), null],
    ['blmpop', (c) => c.blmpop([], 'left', { timeout: 0 }), null],
    ['zmpop', (c) => c.zmpop([], 'min'), null],
    ['bzpopmin', (c) => c.bzpopmin([], { timeout: 0 }), null],
    ['bzmpop', (c) => c.bzmpop([], 'min', { timeout: 0 }), null],
    ['xread', (c) => c.xread({}), []],
    ['xreadgroup', (c) => c.xreadgroup({ group: 'g', consumer: 'c' }, {}), []],
    ['xdel', (c) => c.xdel('x'), 0],
    ['xack', (c) => c.xack('x', 'g'), 0],
    ['xclaim', (c) => c.xclaim('x', { group: 'g', consumer: 'c' }, [], { minIdle: 0 }), []],
  ];

  it.each(EMPTY)('%s with nothing to do is answered without a trip', async (_, call, result) => {
    const commands = new RecordingCommands();
    await expect(call(commands)).resolves.toEqual(result);
    expect(commands.sent).toEqual([]);
  });

  const REFUSED: readonly (readonly [string, (c: RecordingCommands) => Promise<unknown>])[] = [
    ['a missing key', (c) => c.get(undefined as never)],
    ['a number as key', (c) => c.get(5 as never)],
    ['a null among keys', (c) => c.mget('a', null as never)],
    ['a number among keys', (c) => c.mset([[5, 'v']] as never)],
    ['an object as value', (c) => c.set('k', {} as never)],
    ['NaN as value', (c) => c.set('k', Number.NaN)],
    ['infinity as amount', (c) => c.incrbyfloat('k', Infinity)],
    ['NaN as score', (c) => c.zadd('z', { a: Number.NaN })],
    ['a fraction as whole number', (c) => c.incrby('k', 1.5)],
    ['a number beyond 2^53', (c) => c.decrby('k', 2 ** 53)],
    ['an odd list of pairs', (c) => c.mset(['a', '1', 'b'] as never)],
    ['a pair of three', (c) => c.hset('h', [['a', '1', '2']] as never)],
    ['a field without value', (c) => c.hset('h', 'f', undefined as never)],
    ['no time to live', (c) => c.set('k', 'v', { ttl: 0 })],
    ['text that is no duration', (c) => c.set('k', 'v', { ttl: 'soon' as never })],
    ['no valid instant', (c) => c.set('k', 'v', { expireAt: new Date(Number.NaN) })],
    ['two expiries', (c) => c.set('k', 'v', { ttl: '1m', keepTtl: true } as never)],
    ['nx with xx', (c) => c.set('k', 'v', { nx: true, xx: true } as never)],
    ['persist with ttl', (c) => c.getex('k', { persist: true, ttl: '1m' } as never)],
    ['gt with lt', (c) => c.expire('k', 1, { gt: true, lt: true } as never)],
    ['zadd nx with gt', (c) => c.zadd('z', { a: 1 }, { nx: true, gt: true } as never)],
    ['a limit by rank', (c) => c.zrange('z', 0, 1, { limit: { offset: 0, count: 1 } })],
    ['too few weights', (c) => c.zunion(['a', 'b'], { weights: [1] })],
    ['no sources', (c) => c.sunionstore('d')],
    ['no scored sources', (c) => c.zunionstore('d', [])],
    ['an entry without fields', (c) => c.xadd('x', {})],
    ['a trim without a bound', (c) => c.xtrim('x', {} as never)],
    ['an exact trim with a limit', (c) => c.xtrim('x', { maxLength: 1, exact: true, limit: 1 })],
    ['setJson with nx and xx', (c) => c.setJson('k', 1, { nx: true, xx: true } as never)],
  ];

  it.each(REFUSED)('%s is refused without a trip', async (_, call) => {
    const commands = new RecordingCommands();
    await expect(call(commands)).rejects.toBeInstanceOf(ArgumentError);
    expect(commands.sent).toEqual([]);
  });

  it('says where the flaw is, and never what the value is', async () => {
    await expect(new RecordingCommands().get(undefined as never)).rejects.toThrow(
      'GET: a key must be a string or a Buffer, not undefined.',
    );
    await expect(new RecordingCommands().set('k', ['secret'] as never)).rejects.toThrow(
      'SET: argument 2 must be a string, a Buffer, a finite number or a bigint, not object. Use setJson() for anything richer.',
    );
  });

  it('does not hide a fault of its own as a refusal', () => {
    expect(() => new RecordingCommands().set('k', 'v', null as never)).toThrow(TypeError);
  });

  it('is binary safe', async () => {
    const bytes = Buffer.from([0, 0xff, 0x0d, 0x0a]);
    const commands = new RecordingCommands('OK');
    await commands.set(bytes, bytes);
    expect(commands.sent[0]?.args).toEqual([bytes, bytes]);
  });

  it('sends an empty key, which the server allows', async () => {
    const commands = new RecordingCommands('v');
    await commands.get('');
    expect(commands.sent[0]?.args).toEqual(['']);
  });

  it('[CMD-1] getOrThrow tells a missing key from a stored value', async () => {
    await expect(new RecordingCommands(null).getOrThrow('k')).rejects.toBeInstanceOf(CacheMissError);
    await expect(new RecordingCommands('').getOrThrow('k')).resolves.toBe('');
  });

  it('keeps a field called __proto__ a field', async () => {
    const record = await new RecordingCommands(['__proto__', 'x', 'constructor', 'y']).hgetall('h');
    expect(Object.entries(record)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('gives a codec that wants bytes bytes', async () => {
    class Bytes extends RecordingCommands {
      protected override readonly codec = {
        name: 'hex',
        binary: true,
        encode: (value: unknown) => Buffer.from(String(value), 'hex'),
        decode: (data: string | Buffer) => data.toString('hex'),
      };
    }
    const commands = new Bytes(Buffer.from([0xab]));
    await expect(commands.getJson('k')).resolves.toBe('ab');
    expect(commands.sent[0]?.binary).toBe(true);
  });

  it('[CMD-4] setJson refuses what the codec cannot write', async () => {
    const commands = new RecordingCommands('OK');
    const error: unknown = await commands.setJson('k', () => 1).catch((reason: unknown) => reason);
    expect(isValkeyError(error, 'VALKEY_ENCODE_FAILED')).toBe(true);
    expect(commands.sent).toEqual([]);
  });
});

/** Every public command method of the chain. */
function methodNames(): string[] {
  const hidden = new Set(['constructor', 'summed', 'expires', 'pushed', 'popped', 'awaited', 'toPoppedMany', 'drawn']);
  for (const name of [
    'combined',
    'stored',
    'taken',
    'awaitedMember',
    'toPoppedMembers',
    'scoresOf',
    'storedScores',
    'decoded',
  ]) {
    hidden.add(name);
  }
  const names: string[] = [];
  let link: object = AllCommands.prototype as object;
  while (link !== Requests.prototype && link !== CommandSet.prototype) {
    names.push(...Object.getOwnPropertyNames(link).filter((name) => !hidden.has(name)));
    link = Object.getPrototypeOf(link) as object;
  }
  return names;
}
