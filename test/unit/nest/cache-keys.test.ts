import { Readable } from 'node:stream';
import { createContext, runInContext } from 'node:vm';
import { array, assert, constantFrom, jsonValue, property, string } from 'fast-check';
import { canonicalArguments } from '../../../lib/nest/cache/canonical-arguments.js';
import { keyTemplate } from '../../../lib/nest/cache/key-template.js';

const canonical = (...args: readonly unknown[]): string => canonicalArguments(args, 'Products.find');

class Money {
  constructor(readonly amount: number) {}
}
class Weight {
  constructor(readonly amount: number) {}
}
class Secretive {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  id(): number {
    return this.#id;
  }
}

describe('[CAC-2] the canonical form of arguments', () => {
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['the order of properties', [{ a: 1, b: { c: 2, d: 3 } }], [{ b: { d: 3, c: 2 }, a: 1 }]],
    ['properties that are undefined', [{ a: 1, b: undefined }], [{ a: 1 }]],
    ['trailing arguments that are undefined', ['a', undefined], ['a']],
    ['the order in a Set', [new Set([1, 2])], [new Set([2, 1])]],
    [
      'the order in a Map',
      [
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ],
      [
        new Map([
          ['b', 2],
          ['a', 1],
        ]),
      ],
    ],
    ['objects without a prototype', [Object.assign(Object.create(null) as object, { a: 1 })], [{ a: 1 }]],
    ['objects of another realm', [runInContext('({ a: 1 })', createContext({}))], [{ a: 1 }]],
  ])('does not depend on %s', (_what, one, other) => {
    expect(canonical(...one)).toBe(canonical(...other));
  });

  it('differs where arguments differ', () => {
    const date = new Date(0);
    const different: readonly (readonly unknown[])[] = [
      [],
      ['a'],
      ['a', 'b'],
      ['a,b'],
      [['a', 'b']],
      [undefined, 'a'],
      [null],
      ['null'],
      ['undefined', 1],
      [1],
      ['1'],
      [1n],
      ['1n'],
      [0],
      [-0],
      [NaN],
      ['NaN'],
      [Infinity],
      [true],
      ['true'],
      [''],
      [{}],
      [[]],
      [date],
      [new Date(1)],
      [new Date(NaN)],
      [date.toISOString()],
      [new Map()],
      [new Set()],
      [new Map([['a', 1]])],
      [{ a: 1 }],
      [{ 'a":1,"b': 1 }],
      [{ a: 1, b: 1 }],
      [new Set(['a'])],
      [Buffer.from('a')],
      [Uint8Array.from([97])],
      [new Money(1)],
      [new Weight(1)],
      [{ amount: 1 }],
      [/a/],
      [/a/i],
      [new URL('http://a/')],
      ['\ud800'],
      ['\udfff'],
    ];
    const texts = different.map((args) => canonical(...args));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('is one text for each list of JSON, whatever it holds', () => {
    const sorted = (value: unknown): unknown =>
      JSON.stringify(value, (_key, item: unknown) =>
        typeof item === 'object' && item !== null && !Array.isArray(item)
          ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
          : item,
      );
    assert(
      property(array(jsonValue()), array(jsonValue()), (one, other) => {
        expect(canonical(...one)).toBe(canonical(...structuredClone(one)));
        if (sorted(one) !== sorted(other)) expect(canonical(...one)).not.toBe(canonical(...other));
      }),
    );
  });

  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = { cyclic };
  let deep: unknown = {};
  for (let depth = 0; depth < 50_000; depth += 1) deep = [deep];

  it.each<[string, unknown, string]>([
    ['a function', { go: () => 1 }, 'it holds a function'],
    ['a symbol', Symbol('a'), 'it holds a symbol'],
    ['what holds itself', cyclic, 'it holds itself'],
    ['a stream', Readable.from([]), 'it has keys that are symbols'],
    ['a promise', Promise.resolve(), 'an instance of Promise shows nothing'],
    ['an error', new Error('a'), 'an instance of Error shows nothing'],
    ['an instance with private fields only', new Secretive(1), 'an instance of Secretive shows nothing'],
    ['keys that are symbols', { [Symbol('a')]: 1 }, 'it has keys that are symbols'],
    ['a getter that throws', Object.defineProperty({}, 'a', { enumerable: true, get: fail }), 'reading it fails'],
    ['what is nested too deeply', deep, 'it is nested too deeply'],
  ])('refuses %s', (_what, value, reason) => {
    const text = `Argument 2 of Products.find cannot be part of a key: ${reason}`;
    expect(() => canonical('a', value)).toThrow(text);
    expect(() => canonical('a', value)).toThrow(expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }) as Error);
  });

  it('takes the same object twice, beside itself', () => {
    const shared = { a: 1 };
    expect(canonical({ one: shared, other: shared })).toBe(canonical({ one: { a: 1 }, other: { a: 1 } }));
  });
});

describe('[CAC-2] a template for keys', () => {
  const filled = (template: string, ...args: readonly unknown[]): string =>
    keyTemplate(template, 'Products.find')(args);

  it.each<[string, readonly unknown[], string]>([
    ['products', ['x'], 'products'],
    ['product:{0}', ['a:b'], 'product:a:b'],
    ['product:{0}', [7], 'product:7'],
    ['product:{1}', [7, 12n], 'product:12'],
    ['{0.id}', [{ id: 'x' }], 'x'],
    ['{0.owner.id}/{1}', [{ owner: { id: 1 } }, true], '1/true'],
  ])('%s', (template, args, key) => {
    expect(filled(template, ...args)).toBe(key);
  });

  it('makes no key of two different calls', () => {
    const text = string({ unit: constantFrom('a', ':', '%', '3', ';', 'b') });
    assert(
      property(text, text, text, text, (a, b, c, d) => {
        const isSame = filled('p:{0}:{1}', a, b) === filled('p:{0}:{1}', c, d);
        expect(isSame).toBe(a === c && b === d);
      }),
    );
  });

  it.each<[string, string]>([
    ['', 'is empty'],
    ['product:{id}', 'has a brace that belongs to no place'],
    ['product:{0', 'has a brace'],
    ['product:{0.}', 'has a brace'],
    ['product:{}', 'has a brace'],
    ['{0}{1}', 'has two places with nothing between them'],
  ])('is refused when it is written wrong: %s', (template, text) => {
    expect(() => filled(template)).toThrow(`The key of Products.find ${text}`);
  });

  it.each<[unknown, string]>([
    [undefined, 'of type undefined'],
    [null, 'null'],
    [{ id: 1 }, 'of type object'],
  ])('is not filled with %p', (value, text) => {
    expect(() => filled('product:{0}', value)).toThrow(`{0} in the key of Products.find is ${text}`);
    expect(() => filled('product:{0.id.no}', value)).toThrow(
      '{0.id.no} in the key of Products.find is of type undefined',
    );
  });
});

function fail(): never {
  throw new Error('no');
}
