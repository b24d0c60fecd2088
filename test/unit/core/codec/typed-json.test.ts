import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { isValkeyError } from '../../../../lib/core/errors.js';
import { typedJson } from '../../../../lib/core/codec/typed-json.js';
import { anyValue } from './any-value.js';

const roundTrip = (value: unknown): unknown => typedJson.decode(typedJson.encode(value));
const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};
const codeOf = (run: () => unknown): unknown => {
  const error = thrownBy(run);
  return isValkeyError(error) ? error.code : error;
};

const DATE = '2026-01-01T00:00:00.000Z';

describe('[C8] typed JSON gives back what it was given', () => {
  it.each([
    ['a date', new Date(DATE)],
    ['a far date', new Date(8.64e15)],
    ['a bigint', 2n ** 70n],
    ['a negative bigint', -1n],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', new Map([[{ k: 1 }, new Date(0)]])],
        [undefined, null],
      ]),
    ],
    ['a set', new Set<unknown>([1n, 'x', new Set([Number.NaN])])],
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
    ['an empty text', ''],
    ['false', false],
    ['text like a date', DATE],
    ['text like a mark', '{"@@date":"x"}'],
    ['undefined among properties', { a: undefined, b: { c: undefined } }],
    ['undefined among elements', [undefined, 1, [undefined]]],
    ['all in one', { m: new Map([['d', [new Date(5), { b: Buffer.from('x'), n: -0, u: undefined, big: [1n] }]]]) }],
    ['keys like marks', { '@@date': DATE, '@@=x': 1, '@@': new Date(0), nested: { '@@map': [] } }],
    ['one key like a mark', { '@@undefined': true }],
  ])('%s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it('an invalid date', () => {
    const date = roundTrip(new Date(Number.NaN)) as Date;
    expect(date).toBeInstanceOf(Date);
    expect(date.getTime()).toBeNaN();
  });

  it('tells bytes from a buffer', () => {
    expect(Buffer.isBuffer(roundTrip(Buffer.from('a')))).toBe(true);
    expect(Buffer.isBuffer(roundTrip(Uint8Array.from([1])))).toBe(false);
  });

  it('keeps the own property of an undefined', () => {
    expect(Object.keys(roundTrip({ a: undefined }) as object)).toEqual(['a']);
  });

  it('reads what comes as bytes', () => {
    expect(typedJson.decode(Buffer.from('{"ä":{"@@bigint":"1"}}'))).toEqual({ ä: 1n });
  });

  it('holes of an array become undefined', () => {
    // eslint-disable-next-line no-sparse-arrays -- what becomes of the hole is the question
    expect(roundTrip([1, , 2])).toStrictEqual([1, undefined, 2]);
  });

  it('plain JSON is JSON to the letter, also next to class instances and at any depth', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('"@@') && !hasMinusZero(value));
        expect(typedJson.encode(value)).toBe(JSON.stringify(value));
      }),
    );
    let deep: unknown = 'x';
    for (let depth = 0; depth < 500; depth += 1) deep = { deep };
    expect(typedJson.encode(deep)).toBe(JSON.stringify(deep));
    expect(typedJson.encode({ text: 'say "@@ aloud' })).toBe(JSON.stringify({ text: 'say "@@ aloud' }));
  });

  it('anything nested in anything, of all kinds', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(null, undefined, -0, '@@', '@@date', '__proto__'),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('@@', '@@date', '@@=', '@@=@@', '__proto__', 'constructor', '0'));
    fc.assert(
      fc.property(anyValue(leaf, key), (input) => {
        // Node's own comparison: jest's stumbles over objects as keys of a Map.
        expect(isDeepStrictEqual(roundTrip(input), input)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('does what JSON does with toJSON, class instances and boxed values', () => {
    class Money {
      constructor(
        readonly amount: number,
        readonly since: Date,
      ) {}
      get shown(): string {
        return 'not stored';
      }
    }
    class Temperature {
      constructor(private readonly celsius: number) {}
      toJSON(key: string): unknown {
        return { key, celsius: this.celsius, at: new Date(0) };
      }
    }
    class Self {
      readonly a = 1;
      toJSON(): this {
        return this;
      }
    }
    expect(roundTrip(new Money(5, new Date(0)))).toStrictEqual({ amount: 5, since: new Date(0) });
    expect(roundTrip({ t: new Temperature(20) })).toStrictEqual({ t: { key: 't', celsius: 20, at: new Date(0) } });
    expect(roundTrip(new Self())).toStrictEqual({ a: 1 });
    expect(roundTrip(Object.assign(() => 1, { toJSON: () => 'fn' }))).toBe('fn');
    expect(roundTrip([new Number(5), new String('x'), new Boolean(true)])).toStrictEqual([5, 'x', true]);
    expect(roundTrip(Object.assign(Object.create(null) as object, { a: 1 }))).toStrictEqual({ a: 1 });
    expect(roundTrip(new URL('http://a/'))).toBe('http://a/');
  });

  it('writes the same object twice when it is there twice', () => {
    const shared = { at: new Date(0) };
    expect(roundTrip([shared, shared])).toStrictEqual([shared, shared]);
  });

  it('a key called __proto__ is a key, and changes no prototype', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"d":1}') as Record<string, unknown>;
    hostile['d'] = new Date(0);
    const result = roundTrip(hostile) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual(['__proto__', 'd']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(result['polluted']).toBeUndefined();
  });
});

describe('[C8] what typed JSON refuses', () => {
  it.each([
    ['a function', { a: [() => 1] }, 'value.a[0] is a function'],
    ['a symbol', { a: { b: Symbol('x') } }, 'value.a.b is a symbol'],
    ['a function in a map', new Map([['k', () => 1]]), 'value.value(0) is a function'],
    ['a symbol as a map key', new Map([[Symbol('x'), 1]]), 'value.key(0) is a symbol'],
    ['a function in a set', new Set([() => 1]), 'value.item(0) is a function'],
  ])('%s, with the path', (_, value, message) => {
    expect(() => typedJson.encode(value)).toThrow(message);
    expect(codeOf(() => typedJson.encode(value))).toBe('VALKEY_ENCODE_FAILED');
  });

  it('what contains itself', () => {
    const circular: Record<string, unknown> = { name: 'x' };
    circular['inner'] = [circular];
    expect(() => typedJson.encode(circular)).toThrow('value.inner[0] refers back');
    expect(codeOf(() => typedJson.encode(circular))).toBe('VALKEY_ENCODE_FAILED');
  });

  it('what is nested too deeply', () => {
    let deep: unknown = new Date(0);
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(codeOf(() => typedJson.encode(deep))).toBe('VALKEY_ENCODE_FAILED');
    const text = '['.repeat(100_000) + '{"@@date":null}' + ']'.repeat(100_000);
    expect(codeOf(() => typedJson.decode(text))).toBe('VALKEY_DECODE_FAILED');
  });

  it('a toJSON that throws, with its error as the cause', () => {
    const cause = new Error('no');
    const value = {
      toJSON() {
        throw cause;
      },
    };
    expect(() => typedJson.encode(value)).toThrow(expect.objectContaining({ code: 'VALKEY_ENCODE_FAILED', cause }));
  });

  it.each([
    'no json',
    '',
    '{"a":',
    '{"@@unknown":1}',
    '{"@@date":"x"}',
    '{"@@date":5}',
    '{"@@bigint":"x"}',
    '{"@@bigint":1}',
    '{"@@number":"1"}',
    '{"@@number":"toString"}',
    '{"@@map":[1]}',
    '{"@@map":[[1]]}',
    '{"@@map":1}',
    '{"@@set":1}',
    '{"@@buffer":1}',
    '{"@@bytes":1}',
    '{"@@date":null,"a":1}',
  ])('the corrupt or foreign text %s, without showing it', (text) => {
    expect(codeOf(() => typedJson.decode(text))).toBe('VALKEY_DECODE_FAILED');
    const error = thrownBy(() => typedJson.decode(`${text}secret`));
    expect(String(error)).not.toContain('secret');
    expect(error).not.toHaveProperty('cause');
  });
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero);
  return Object.is(value, -0);
}
