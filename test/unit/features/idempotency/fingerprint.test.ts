import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { fingerprint } from '../../../../lib/features/idempotency/fingerprint.js';

describe('[L12] a fingerprint', () => {
  it.each<readonly [string, unknown, unknown]>([
    ['the order of keys', { a: 1, b: { c: 2, d: [3] } }, { b: { d: [3], c: 2 }, a: 1 }],
    ['the realm of bytes', Buffer.from('ab'), new Uint8Array([97, 98])],
    ['a prototype', Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
  ])('does not see %s', (_what, left, right) => {
    expect(fingerprint(left)).toBe(fingerprint(right));
  });

  it.each<readonly [string, unknown, unknown]>([
    ['another value', { a: 1 }, { a: 2 }],
    ['another order of a list', [1, 2], [2, 1]],
    ['text and number', '1', 1],
    ['text and JSON', '{"a":1}', { a: 1 }],
    ['text and bytes', 'ab', Buffer.from('ab')],
    ['nothing and null', undefined, null],
    ['two Maps', new Map([['a', 1]]), new Map([['a', 2]])],
    ['two Dates', new Date(0), new Date(1)],
    ['a Date and its text', new Date(0), new Date(0).toISOString()],
    ['two bigints', 1n, 2n],
    ['halves of a surrogate pair', '\ud800', '\ud801'],
    ['a key named __proto__', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
    ['a key more', { a: undefined }, {}],
  ])('tells %s apart', (_what, left, right) => {
    expect(fingerprint(left)).not.toBe(fingerprint(right));
  });

  it('tells where a part ends', () => {
    expect(fingerprint('ab', 'c')).not.toBe(fingerprint('a', 'bc'));
    expect(fingerprint('a', 'b')).not.toBe(fingerprint('a b'));
    expect(fingerprint('a')).not.toBe(fingerprint('a', undefined));
  });

  it('is the same for JSON and its copy', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(fingerprint(JSON.parse(JSON.stringify(value)))).toBe(fingerprint(JSON.parse(JSON.stringify(value))));
      }),
    );
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  it.each<readonly [string, unknown]>([
    ['a stream', Readable.from(['a'])],
    ['a web stream', new ReadableStream()],
    ['a function', () => undefined],
    ['a circle', circle],
  ])('is refused for %s', (_what, part) => {
    expect(() => fingerprint(part)).toThrow(expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }) as Error);
  });
});
