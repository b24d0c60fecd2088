import type { AbstractHttpAdapter } from '@nestjs/core';
import { HttpExchange } from '../../../lib/nest/http/http-exchange.js';
import { rulesOf } from '../../../lib/nest/http-cache/http-cache-options.js';
import { requestKey } from '../../../lib/nest/http-cache/request-key.js';

const EVERYBODYS = rulesOf({ ttl: '1m' }, 'Shop.find');
const BY_LANGUAGE = rulesOf({ ttl: '1m', vary: ['Accept-Language'] }, 'Shop.find');
const ROUTE = '"Shop.find"';

function exchangeOf(url: string, headers: Readonly<Record<string, string>> = {}): HttpExchange {
  const adapter = { getRequestUrl: (request: { readonly url: string }) => request.url };
  const request = { url, headers };
  return new HttpExchange(adapter as unknown as AbstractHttpAdapter, request, {});
}

describe('[CAC-9] the key of a response', () => {
  it.each([
    ['/shop?b=2&a=1', '/shop?a=1&b=2'],
    ['http://shop.example/shop?a=1', '/shop?a=1'],
    ['/shop#top', '/shop'],
    ['/shop?', '/shop'],
    ['', '/'],
  ])('[C10] is one for %s and %s', (one, other) => {
    expect(requestKey(exchangeOf(one), ROUTE, EVERYBODYS, undefined)).toBe(
      requestKey(exchangeOf(other), ROUTE, EVERYBODYS, undefined),
    );
  });

  it('[C10] takes no text of a client for another part of it', () => {
    const keys = [
      requestKey(exchangeOf('/a'), ROUTE, EVERYBODYS, undefined),
      requestKey(exchangeOf('/a'), ROUTE, EVERYBODYS, 'anne'),
      requestKey(exchangeOf('[[],"anne"]/a'), ROUTE, EVERYBODYS, undefined),
      requestKey(exchangeOf('/a'), ROUTE, EVERYBODYS, 'anne"]/a'),
      requestKey(exchangeOf('/a'), '"Shop.find@1"', EVERYBODYS, undefined),
      requestKey(exchangeOf('/a'), ROUTE, BY_LANGUAGE, undefined),
      requestKey(exchangeOf('/a', { 'accept-language': 'null' }), ROUTE, BY_LANGUAGE, undefined),
      requestKey(exchangeOf('/a', { 'accept-language': 'de' }), ROUTE, BY_LANGUAGE, 'anne'),
      requestKey(exchangeOf('/a', { 'accept-language': 'de"],"anne"]' }), ROUTE, BY_LANGUAGE, undefined),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
