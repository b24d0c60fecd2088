import { isDeepStrictEqual } from 'node:util';
import { encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { isValkeyError } from '../../../lib/core/errors.js';
import { messagePack } from '../../../lib/msgpack/index.js';
import { anyValue } from '../core/codec/any-value.js';

const codec = messagePack();
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value));
const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return isValkeyError(error) ? error.code : error;
  }
};

describe('[CAC-8] [C8] MessagePack gives back what it was given', () => {
  it.each([
    ['a date', new Date('2026-01-01T00:00:00.123Z')],
    ['a far date', new Date(8.64e15)],
    ['a date long ago', new Date(-8.64e15)],
    ['a date just before the epoch', new Date(-1)],
    ['a bigint', 2n ** 70n],
    ['a negative bigint', -1n],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', new Map([['k', new Date(0)]])],
        [undefined, null],
      ]),
    ],
    ['a set', new Set<unknown>([1n, 'x', new Set([Number.NaN])])],
    ['an empty map', new Map()],
    ['an empty set', new Set()],
    ['bytes', Uint8Array.from([0, 255, 128])],
    ['a buffer', Buffer.from([0, 255, 128])],
    ['an empty buffer', Buffer.alloc(0)],
    ['null', null],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['minus infinity', -Infinity],
    ['minus zero', -0],
    ['zero', 0],
    ['the largest whole number', Number.MAX_SAFE_INTEGER],
    ['the smallest whole number', Number.MIN_SAFE_INTEGER],
    ['a number beyond whole ones', 2 ** 64],
    ['an empty text', ''],
    ['text in many scripts', 'ä 中 🙂'],
    ['half a character', 'a\ud83d'],
    ['half a character in a key', { 'a\ud83d': 1 }],
    ['text like a date', '2026-01-01T00:00:00.000Z'],
    ['undefined among properties', { a: undefined, b: { c: undefined } }],
    ['undefined among elements', [undefined, 1, [undefined]]],
    ['all in one', { m: new Map([['d', [new Date(5), { b: Buffer.from('x'), n: -0, u: undefined, big: [1n] }]]]) }],
  ])('%s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it('an invalid date', () => {
    expect((roundTrip(new Date(Number.NaN)) as Date).getTime()).toBeNaN();
  });

  it('tells bytes from a buffer, and gives a copy of the data', () => {
    const stored = codec.encode(Buffer.from('abc')) as Buffer;
    const first = codec.decode(stored) as Buffer;
    expect(Buffer.isBuffer(first)).toBe(true);
    first.fill(0);
    expect(codec.decode(stored)).toEqual(Buffer.from('abc'));
    const bytes = roundTrip(Uint8Array.from([1, 2])) as Uint8Array;
    expect(Buffer.isBuffer(bytes)).toBe(false);
    expect(bytes.buffer.byteLength).toBe(2);
  });

  it('a key called __proto__ is a key, and changes no prototype', () => {
    const result = roundTrip(JSON.parse('{"__proto__":{"polluted":true},"d":1}')) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual(['__proto__', 'd']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(result['polluted']).toBeUndefined();
  });

  it('anything nested in anything, of all kinds', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      // Code units of their own: also halves of characters.
      fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units)),
      fc.double(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(null, undefined, -0, '__proto__'),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '0', '\ud800'));
    fc.assert(
      fc.property(anyValue(leaf, key), (input) => {
        expect(isDeepStrictEqual(roundTrip(input), input)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('plain data is plain MessagePack', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/:-0|-0[,\]}]|__proto__/.test(JSON.stringify(value)) && !hasMinusZero(value));
        expect(codec.encode(value)).toEqual(Buffer.from(encode(value)));
      }),
    );
  });

  it('class instances and toJSON() are as in typed JSON', () => {
    class Money {
      constructor(
        readonly amount: number,
        readonly since: Date,
      ) {}
    }
    expect(roundTrip(new Money(5, new Date(0)))).toStrictEqual({ amount: 5, since: new Date(0) });
    expect(roundTrip({ t: { toJSON: (key: string) => `as ${key}` } })).toStrictEqual({ t: 'as t' });
    expect(roundTrip([new Number(5), new String('x'), new Boolean(true)])).toStrictEqual([5, 'x', true]);
    expect(roundTrip(new URL('http://a/'))).toBe('http://a/');
    // eslint-disable-next-line no-sparse-arrays -- what becomes of the hole is the question
    expect(roundTrip([1, , 2])).toStrictEqual([1, undefined, 2]);
  });

  it('deep data', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 500; depth += 1) deep = depth % 2 === 0 ? { deep } : [deep];
    expect(isDeepStrictEqual(roundTrip(deep), deep)).toBe(true);
  });
});

describe('[CAC-8] [C8] what MessagePack refuses', () => {
  it.each([
    ['a function', { a: [() => 1] }, 'value.a[0] is a function'],
    ['a symbol', { a: { b: Symbol('x') } }, 'value.a.b is a symbol'],
    ['a promise', { a: Promise.resolve(1) }, 'is an await missing?'],
    ['a regular expression', /x/, 'value is a RegExp'],
  ])('to write %s, with the path', (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(message);
    expect(codeOf(() => codec.encode(value))).toBe('VALKEY_ENCODE_FAILED');
  });

  it('to write what contains itself, or is nested too deeply', () => {
    const circular: Record<string, unknown> = {};
    circular['inner'] = [circular];
    expect(() => codec.encode(circular)).toThrow('value.inner[0] refers back');
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(codeOf(() => codec.encode(deep))).toBe('VALKEY_ENCODE_FAILED');
  });

  const ext = (type: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0xc7, content.length, type]), content]);
  it.each([
    ['text', 'plain'],
    ['nothing', Buffer.alloc(0)],
    ['a byte that begins nothing', Buffer.from([0xc1])],
    ['something after the end', Buffer.from([0x01, 0x01])],
    ['a text that is cut off', Buffer.from([0xa5, 0x61])],
    ['a list said to be endless', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ['a map said to be endless', Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff])],
    ['the key __proto__', Buffer.from(encode(JSON.parse('{"__proto__":1}')))],
    ['an unknown extension', ext(99, Buffer.alloc(1))],
    ['a bigint that is none', ext(3, Buffer.from('x'))],
    ['a date beyond all dates', ext(-1 & 0xff, Buffer.alloc(12, 0x7f))],
    ['a date of the wrong length', ext(-1 & 0xff, Buffer.alloc(3))],
    ['a map of an odd number', ext(7, Buffer.from(encode([1])))],
    ['a set that is no list', ext(8, Buffer.from(encode(1)))],
    ['an object with a key that is no text', ext(9, Buffer.from(encode([1, 1])))],
  ])('to read %s', (_, data) => {
    expect(codeOf(() => codec.decode(data))).toBe('VALKEY_DECODE_FAILED');
  });

  it('to read damaged data in any other way than with its own error', () => {
    const whole = codec.encode({
      m: new Map([['a', [new Date(5), 1n, Buffer.from('x')]]]),
      s: new Set(['ä']),
    }) as Buffer;
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const damaged = Buffer.from(whole.subarray(0, length));
        if (at < length) damaged[at] = byte;
        const outcome = codeOf(() => {
          codec.decode(damaged);
          return 'read';
        });
        expect(['read', 'VALKEY_DECODE_FAILED']).toContain(outcome);
      }),
      { numRuns: 500 },
    );
  });
});

function hasMinusZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMinusZero);
}
