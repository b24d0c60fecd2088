import * as fc from 'fast-check';
import { HttpCache } from '../../../lib/index.js';
import { demandOf, directivesOf, secondsOf } from '../../../lib/nest/http-cache/cache-control.js';
import { normalised } from '../../../lib/nest/http/normalised-url.js';
import { bodyOf, storedBody } from '../../../lib/nest/http/response-body.js';

/** What the decorator has against options. */
function complaint(options: object): string {
  try {
    class Shop {
      find(): void {
        // Only decorated.
      }
    }
    HttpCache(options as { ttl: '1m' })(Shop.prototype, 'find', { value: Shop.prototype.find });
    return '';
  } catch (error) {
    expect((error as { code?: unknown }).code).toBe('VALKEY_CONFIGURATION_INVALID');
    return (error as Error).message;
  }
}

describe('[CAC-9] the options of @HttpCache()', () => {
  it.each([
    [{}, 'has no ttl'],
    [{ ttl: 'soon' }, 'ttl is'],
    [{ ttl: '1m', tag: [] }, "Did you mean 'tags'?"],
    [{ ttl: '1m', key: 'user' }, 'key is'],
    [{ ttl: '1m', vary: ['*'] }, 'vary is'],
    [{ ttl: '1m', vary: 'Accept' }, 'vary is'],
    [{ ttl: '1m', headers: ['Set-Cookie'] }, 'headers is'],
    [{ ttl: '1m', headers: ['no header'] }, 'headers is'],
    [{ ttl: '1m', public: 'yes' }, 'public is'],
    [{ ttl: '1m', cacheControl: true }, 'cacheControl is'],
    [{ ttl: '1m', cacheControl: 'a\r\nX: y' }, 'cacheControl is'],
    [{ ttl: '1m', tags: [''] }, 'tags is'],
    [{ ttl: '1m', toPlain: {} }, 'toPlain is'],
    [{ ttl: '1m', cache: 'a b' }, 'cache is'],
    [{ ttl: '1m', client: '' }, 'client is'],
    [{ ttl: '1m', jitter: 2 }, 'jitter is'],
    [{ ttl: '1m', softTimeout: '1s' }, 'softTimeout is not an option'],
  ])('are refused when the class is defined: %j', (options, expected) => {
    expect(complaint(options)).toContain(expected);
    expect(complaint(options)).toContain('Shop.find');
  });

  it('are taken where they are right', () => {
    expect(
      complaint({ ttl: () => '1m', key: () => 1, vary: ['accept'], tags: ['a'], public: false, cacheControl: false }),
    ).toBe('');
  });

  it('are refused on what is no method', () => {
    expect(() => HttpCache({ ttl: '1m' })({}, 'field', undefined as never)).toThrow(/no method/);
  });
});

describe('[C10] the query', () => {
  it.each([
    ['/a', '/a'],
    ['/a?', '/a'],
    ['/a?&', '/a'],
    ['/a?x=1#top', '/a?x=1'],
    ['http://shop.example/a?b=2&a=1', '/a?a=1&b=2'],
    ['http://shop.example', '/'],
    ['/a?b&a=', '/a?a=&b'],
    ['/a?b=1&a=2&b=0', '/a?a=2&b=1&b=0'],
    ['/a?%61=2&a=1', '/a?%61=2&a=1'],
    ['/a?a=1&%61=2', '/a?a=1&%61=2'],
    ['/a?f[b]=1&f[a]=2&e=3', '/a?e=3&f[b]=1&f[a]=2'],
    ['/a?%=1&b=2', '/a?%=1&b=2'],
  ])('of %s is the same as of %s', (url, expected) => {
    expect(normalised(url)).toBe(expected);
  });

  it('is one for every order of different names, and never mixes two values of one name', () => {
    const name = fc.constantFrom('a', 'b', '%61', 'c[x]', 'c', 'ü', '%');
    const parameters = fc.array(fc.tuple(name, fc.constantFrom('1', '2')), { maxLength: 8 });
    fc.assert(
      fc.property(parameters, fc.func(fc.nat()), (given, place) => {
        const root = (text: string): string => (text.startsWith('c') ? 'c' : text.replace('%61', 'a'));
        // Another order that leaves parameters of one name in theirs.
        const other = given
          .map((each, index) => ({ each, index, at: place(root(each[0])) }))
          .toSorted((a, b) => a.at - b.at || a.index - b.index)
          .map(({ each }) => each);
        const url = (list: typeof given): string => normalised(`/p?${list.map((pair) => pair.join('=')).join('&')}`);
        expect(url(other)).toBe(url(given));
        const values = (text: string, wanted: string): string[] =>
          (text.split('?')[1] ?? '').split('&').filter((pair) => root(pair.split('=')[0] as string) === wanted);
        for (const wanted of ['a', 'b', 'c', 'ü']) {
          expect(values(url(given), wanted)).toEqual(
            given.filter(([each]) => root(each) === wanted).map((pair) => pair.join('=')),
          );
        }
      }),
    );
  });
});

describe('[CAC-9] Cache-Control', () => {
  it('is read leniently', () => {
    const directives = directivesOf('Max-Age=60 , no-cache="set-cookie, x",PRIVATE,, s-maxage="5", odd=x');
    expect(secondsOf(directives, 'max-age')).toBe(60);
    expect(secondsOf(directives, 's-maxage')).toBe(5);
    expect(secondsOf(directives, 'odd')).toBe(0);
    expect(secondsOf(directives, 'none')).toBeUndefined();
    expect([...directives.keys()]).toEqual(['max-age', 'no-cache', 'private', 's-maxage', 'odd']);
  });

  it.each([
    [undefined, undefined, { isBypass: false, oldest: Infinity }],
    ['no-store', undefined, { isBypass: true, oldest: Infinity }],
    ['max-age=7', 'no-cache', { isBypass: false, oldest: 7 }],
    [undefined, 'no-cache', { isBypass: false, oldest: 0 }],
  ])('of a request, %s with Pragma %s, demands %j', (cacheControl, pragma, expected) => {
    expect(demandOf(cacheControl, pragma)).toEqual(expected);
  });
});

describe('[CAC-9] a body', () => {
  it('comes back so that it is written as before', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string()), (body) => {
        const stored = storedBody(body);
        expect(typeof stored).toBe('object');
        expect(JSON.stringify(bodyOf(stored as never))).toBe(JSON.stringify(body));
      }),
    );
  });

  it.each([
    ['a symbol', Symbol('x'), 'unstorable'],
    ['a function', () => 1, 'unstorable'],
    ['a bigint', 1n, 'unstorable'],
    ['what is no number', Number.NaN, 'unstorable'],
    ['a Blob', new Blob(['x']), 'unstorable'],
    ['a Response', new Response('x'), 'unstorable'],
    ['an instance', new (class Money {})(), 'instance'],
    ['an instance below', { list: [{ price: new Map() }] }, 'instance'],
    ['what says how it is written', { toJSON: () => 1 }, 'instance'],
  ])('is not stored if it is %s', (_what, body, expected) => {
    expect(storedBody(body)).toBe(expected);
  });
});
