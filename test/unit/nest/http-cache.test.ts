import { jest } from '@jest/globals';
import { Controller, Get, Header, HttpCode, NotFoundException, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { CACHE_SERVICE, CacheService, HttpCache } from '../../../lib/index.js';
import { ask, closeHttp, FRAMEWORKS, serve } from './http-cache-application.js';

/** What both frameworks' responses can do. */
interface AnyResponse {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
}

interface Personal {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

let runs = 0;
/** What the next response of `/shop/odd` says. */
let odd: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {};

@Controller('shop')
class ShopController {
  @HttpCache({
    ttl: '1m',
    tags: (request: { readonly params: { readonly id: string } }) => [`item:${request.params.id}`],
  })
  @Get('items/:id')
  item(@Param('id') id: string): object {
    runs += 1;
    return { id, run: runs, made: new Date(0), nothing: null, left: undefined };
  }

  @HttpCache({ ttl: '1m' })
  @Get('search')
  search(@Query() query: object): object {
    runs += 1;
    return { run: runs, query };
  }

  @HttpCache({ ttl: '1m' })
  @Get('text')
  @Header('Content-Type', 'text/csv; charset=utf-8')
  text(): string {
    runs += 1;
    return `run;${runs}\nä;ö`;
  }

  @HttpCache({ ttl: '1m' })
  @Get('bytes')
  @Header('Content-Type', 'application/octet-stream')
  bytes(): Buffer {
    runs += 1;
    return Buffer.from([0, 255, 128, runs]);
  }

  @HttpCache({ ttl: '1m' })
  @Get('null')
  none(): null {
    runs += 1;
    return null;
  }

  @HttpCache({ ttl: '1m' })
  @Get('gone')
  @HttpCode(204)
  empty(): void {
    runs += 1;
  }

  @HttpCache({ ttl: '1m', headers: ['X-Total'] })
  @Get('odd')
  odd(@Res({ passthrough: true }) response: AnyResponse): object {
    runs += 1;
    if (odd.status !== undefined) response.status(odd.status);
    for (const [name, value] of Object.entries(odd.headers ?? {})) response.header(name, value);
    return { run: runs };
  }

  @HttpCache({ ttl: '1m' })
  @Get('missing')
  missing(): never {
    runs += 1;
    throw new NotFoundException();
  }

  @HttpCache({ ttl: '1m', key: (request: Personal) => request.headers['x-user'] })
  @Get('mine')
  mine(@Req() request: Personal): object {
    runs += 1;
    return { run: runs, user: request.headers['x-user'] ?? 'nobody' };
  }

  @HttpCache({ ttl: '1m', public: true })
  @Get('public')
  everybodys(): object {
    runs += 1;
    return { run: runs };
  }

  @HttpCache({ ttl: '1m', vary: ['Accept-Language'] })
  @Get('language')
  language(@Req() request: Personal): object {
    runs += 1;
    return { run: runs, language: request.headers['accept-language'] };
  }

  @HttpCache({ ttl: '1m', cacheControl: 'no-cache' })
  @Get('revalidated')
  revalidated(): object {
    runs += 1;
    return { run: runs };
  }

  @HttpCache({ ttl: '1m', cacheControl: false })
  @Get('unsaid')
  unsaid(): object {
    runs += 1;
    return { run: runs };
  }

  @HttpCache({ ttl: (body: { readonly kept: boolean }) => (body.kept ? '1m' : 0) })
  @Get('ttl/:kept')
  byBody(@Param('kept') kept: string): { readonly kept: boolean; readonly run: number } {
    runs += 1;
    return { kept: kept === 'yes', run: runs };
  }

  @HttpCache({ ttl: '1m' })
  @Post('order')
  order(): object {
    runs += 1;
    return { run: runs };
  }
}

describe.each(FRAMEWORKS)('@HttpCache() on %s', (framework) => {
  let application: INestApplication;

  beforeAll(async () => {
    application = await serve(framework, { controllers: [ShopController] });
  });
  afterAll(closeHttp);
  beforeEach(async () => {
    runs = 0;
    odd = {};
    await application.get<CacheService>(CACHE_SERVICE).cache('http').clear();
  });
  afterEach(() => jest.restoreAllMocks());

  describe('[CAC-9] what is stored', () => {
    it.each(['/shop/items/1', '/shop/text', '/shop/bytes', '/shop/null'])(
      'answers %s with the same bytes',
      async (path) => {
        const first = await ask(application).get(path).buffer(true).responseType('blob').expect(200);
        const second = await ask(application).get(path).buffer(true).responseType('blob').expect(200);

        expect(runs).toBe(1);
        expect(second.body).toEqual(first.body);
        expect(second.headers['content-type']).toBe(first.headers['content-type']);
        expect(second.headers['etag']).toBe(first.headers['etag']);
      },
    );

    it('answers with a status without a body', async () => {
      await ask(application).get('/shop/gone').expect(204, '');
      await ask(application).get('/shop/gone').expect(204, '');
      expect(runs).toBe(1);
    });

    it('[C10] replays status and headers', async () => {
      odd = {
        status: 203,
        headers: { 'Content-Language': 'de', 'X-Total': '7', 'X-Other': 'once', Link: '</a>; rel="next"' },
      };
      await ask(application).get('/shop/odd').expect(203);
      odd = {};
      const hit = await ask(application).get('/shop/odd').expect(203, { run: 1 });

      expect(hit.headers).toMatchObject({ 'content-language': 'de', 'x-total': '7', link: '</a>; rel="next"' });
      expect(hit.headers).not.toHaveProperty('x-other');
    });

    it.each([
      ['Set-Cookie', { headers: { 'Set-Cookie': 'a=b' } }],
      ['no-store', { headers: { 'Cache-Control': 'no-store' } }],
      ['private', { headers: { 'Cache-Control': 'max-age=60, Private' } }],
      ['no-cache', { headers: { 'Cache-Control': 'no-cache' } }],
      ['max-age=0', { headers: { 'Cache-Control': 'max-age=0' } }],
      ['a Vary that the key knows nothing of', { headers: { Vary: 'X-Tenant' } }],
      ['an error', { status: 500 }],
      ['a part', { status: 206 }],
    ])('[C10] does not store a response with %s', async (_what, response) => {
      odd = response;
      await ask(application).get('/shop/odd').expect({ run: 1 });
      const next = await ask(application).get('/shop/odd').expect({ run: 2 });
      expect(next.headers['age']).toBeUndefined();
    });

    it('[C10] stores the next response again after one that was not for others', async () => {
      odd = { headers: { 'Set-Cookie': 'a=b' } };
      await ask(application).get('/shop/odd');
      odd = {};
      await ask(application).get('/shop/odd').expect({ run: 2 });
      await ask(application).get('/shop/odd').expect({ run: 3 });
      const hit = await ask(application).get('/shop/odd').expect({ run: 3 });
      expect(hit.headers).not.toHaveProperty('set-cookie');
    });

    it('does not store what the method throws', async () => {
      await ask(application).get('/shop/missing').expect(404);
      await ask(application).get('/shop/missing').expect(404);
      expect(runs).toBe(2);
    });

    it('stores for as long as the body says', async () => {
      for (const expected of [1, 2]) await ask(application).get('/shop/ttl/no').expect({ kept: false, run: expected });
      for (let again = 0; again < 2; again += 1)
        await ask(application).get('/shop/ttl/yes').expect({ kept: true, run: 3 });
    });

    it('leaves POST alone', async () => {
      for (const expected of [1, 2]) await ask(application).post('/shop/order').expect(201, { run: expected });
    });
  });

  describe('[CAC-9] the key', () => {
    it('[C10] takes the query in any order', async () => {
      await ask(application).get('/shop/search?b=2&a=1&c=x%20y');
      await ask(application).get('/shop/search?c=x%20y&a=1&b=2');
      expect(runs).toBe(1);
    });

    it('[C10] keeps the order of a repeated parameter', async () => {
      const first = await ask(application).get('/shop/search?a=1&a=2');
      const second = await ask(application).get('/shop/search?a=2&a=1');
      expect([first.body.query, second.body.query]).toEqual([{ a: ['1', '2'] }, { a: ['2', '1'] }]);
    });

    it('tells values of a header it varies by', async () => {
      for (const language of ['de', 'en', 'de']) {
        const { body, headers } = await ask(application).get('/shop/language').set('Accept-Language', language);
        expect(body.language).toBe(language);
        expect(headers['vary']).toMatch(/accept-language/i);
      }
      expect(runs).toBe(2);
    });
  });

  describe('[CAC-9] conditional requests', () => {
    it('[C10] answers If-None-Match with 304 and nothing else', async () => {
      const { headers } = await ask(application).get('/shop/items/1');
      expect(headers['etag']).toMatch(/^W\/".+"$/);
      const strong = (headers['etag'] as string).slice(2);

      for (const tag of [headers['etag'] as string, strong, `"other", ${strong}`, '*']) {
        const answer = await ask(application).get('/shop/items/1').set('If-None-Match', tag).expect(304, '');
        expect(answer.headers).toMatchObject({ etag: headers['etag'], 'cache-control': 'max-age=60' });
      }
      await ask(application).get('/shop/items/1').set('If-None-Match', '"other"').expect(200);
      expect(runs).toBe(1);
    });

    it('answers the request that runs the method with 304 too', async () => {
      const { headers } = await ask(application).get('/shop/text');
      await application.get<CacheService>(CACHE_SERVICE).cache('http').clear();
      runs = 0;
      await ask(application)
        .get('/shop/text')
        .set('If-None-Match', headers['etag'] as string)
        .expect(304, '');
      expect(runs).toBe(1);
    });

    it('answers If-Modified-Since where the method says when it was', async () => {
      odd = { headers: { 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT' } };
      await ask(application).get('/shop/odd');
      await ask(application).get('/shop/odd').set('If-Modified-Since', 'Tue, 02 Jan 2024 00:00:00 GMT').expect(304);
      await ask(application).get('/shop/odd').set('If-Modified-Since', 'Sun, 31 Dec 2023 00:00:00 GMT').expect(200);
      expect(runs).toBe(1);
    });

    it('answers HEAD with the headers of GET and no body, and GET with what HEAD brought', async () => {
      const head = await ask(application).head('/shop/items/1').expect(200);
      const get = await ask(application).get('/shop/items/1').expect(200);
      const again = await ask(application).head('/shop/items/1').expect(200);

      expect(runs).toBe(1);
      expect([head.text, again.text]).toEqual([undefined, undefined]);
      for (const name of ['etag', 'content-type', 'content-length']) {
        expect([head.headers[name], again.headers[name]]).toEqual([get.headers[name], get.headers[name]]);
      }
    });
  });

  describe('[CAC-9] Cache-Control and Age', () => {
    it('says how long the response is fresh and how old it is', async () => {
      const first = await ask(application).get('/shop/items/1');
      const later = Date.now() + 20_000;
      jest.spyOn(Date, 'now').mockReturnValue(later);
      const hit = await ask(application).get('/shop/items/1');

      expect(first.headers).toMatchObject({ 'cache-control': 'max-age=60' });
      expect(first.headers).not.toHaveProperty('age');
      expect(hit.headers).toMatchObject({
        'cache-control': 'max-age=60',
        age: expect.stringMatching(/^(19|20)$/) as string,
      });
    });

    it.each([
      ['/shop/revalidated', 'no-cache'],
      ['/shop/unsaid', undefined],
      ['/shop/public', 'public, max-age=60'],
    ])('says of %s what the options want', async (path, expected) => {
      for (let again = 0; again < 2; again += 1) {
        const { headers } = await ask(application).get(path).expect({ run: 1 });
        expect(headers['cache-control']).toBe(expected);
      }
    });

    it("leaves the method's own Cache-Control, and keeps nothing longer than that says", async () => {
      odd = { headers: { 'Cache-Control': 'public, max-age=600' } };
      for (let again = 0; again < 2; again += 1) {
        const { headers } = await ask(application).get('/shop/odd').expect({ run: 1 });
        expect(headers['cache-control']).toBe('public, max-age=600');
      }
    });

    it('[C10] neither answers from the cache nor stores at no-store', async () => {
      await ask(application).get('/shop/items/1').set('Cache-Control', 'no-store');
      await ask(application).get('/shop/items/1');
      await ask(application).get('/shop/items/1').set('Cache-Control', 'no-store');
      const hit = await ask(application).get('/shop/items/1');
      expect(runs).toBe(3);
      expect(hit.body.run).toBe(2);
    });

    it.each([
      ['Cache-Control', 'no-cache'],
      ['Cache-Control', 'max-age=0'],
      ['Pragma', 'no-cache'],
    ])('runs the method anew at %s: %s, and stores what it gives', async (name, value) => {
      await ask(application).get('/shop/items/1');
      await ask(application).get('/shop/items/1').set(name, value);
      const hit = await ask(application).get('/shop/items/1');
      expect(runs).toBe(2);
      expect(hit.body.run).toBe(2);
    });

    it('runs the method anew for who wants nothing as old', async () => {
      await ask(application).get('/shop/items/1');
      const later = Date.now() + 20_000;
      jest.spyOn(Date, 'now').mockReturnValue(later);
      await ask(application).get('/shop/items/1').set('Cache-Control', 'max-age=30');
      expect(runs).toBe(1);
      await ask(application).get('/shop/items/1').set('Cache-Control', 'max-age=10');
      expect(runs).toBe(2);
    });
  });

  describe('[C10] credentials', () => {
    it.each([
      ['Authorization', 'Bearer anne'],
      ['Cookie', 'session=anne'],
    ])('neither answers a request with %s from the cache nor stores its response', async (name, value) => {
      const own = await ask(application).get('/shop/items/1').set(name, value);
      await ask(application).get('/shop/items/1');
      const again = await ask(application).get('/shop/items/1').set(name, value);
      expect([own.body.run, again.body.run, runs]).toEqual([1, 3, 3]);
      expect(own.headers['cache-control']).toBe('private, no-cache');
    });

    it('tells caches on the way that credentials make a difference', async () => {
      for (let again = 0; again < 2; again += 1) {
        const { headers } = await ask(application).get('/shop/items/1');
        expect(headers['vary']).toMatch(/authorization, cookie/i);
      }
    });

    it('has entries for each owner the key names, and calls them private', async () => {
      for (const user of ['anne', 'bert', 'anne', 'bert']) {
        const { body, headers } = await ask(application)
          .get('/shop/mine')
          .set('X-User', user)
          .set('Authorization', `Bearer ${user}`);
        expect([body.user, headers['cache-control']]).toEqual([user, 'private, max-age=60']);
      }
      expect(runs).toBe(2);
    });

    it('takes a key that names nobody for none', async () => {
      for (const expected of [1, 2]) {
        const { body } = await ask(application).get('/shop/mine').set('Authorization', 'Bearer x');
        expect(body.run).toBe(expected);
      }
    });

    it('answers everybody from one entry where the options say it is public', async () => {
      await ask(application).get('/shop/public').set('Authorization', 'Bearer anne').expect({ run: 1 });
      const { headers } = await ask(application).get('/shop/public').set('Cookie', 'session=bert').expect({ run: 1 });
      expect(headers['vary']).toBeUndefined();
    });
  });

  it('[CAC-9] [CAC-5] forgets responses by their tags', async () => {
    for (const id of ['1', '2']) await ask(application).get(`/shop/items/${id}`);
    await application.get<CacheService>(CACHE_SERVICE).invalidateTags('item:1');
    const [one, two] = [await ask(application).get('/shop/items/1'), await ask(application).get('/shop/items/2')];
    expect([one.body.run, two.body.run]).toEqual([3, 2]);
  });
});
