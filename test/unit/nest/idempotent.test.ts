import { jest } from '@jest/globals';
import {
  BadRequestException,
  Body,
  Catch,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  HttpException,
  NotFoundException,
  Param,
  Patch,
  Post,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter, INestApplication } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { events, HttpCache, Idempotent, RateLimit } from '../../../lib/index.js';
import type { IdempotencyEvent } from '../../../lib/index.js';
import { until } from '../../support/index.js';
import { ask, closeHttp, FRAMEWORKS, serve, warned } from './http-cache-application.js';

/** What both frameworks' responses can do. */
interface AnyResponse {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
}

class Instance {
  readonly secret = 'hidden';
}

class Domain extends Error {}

/** The framework's way to write a response stays in use: a filter that does not end a response would hang. */
@Catch(Domain)
class DomainFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_error: Domain, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { domain: true }, 422);
  }
}

let runs = 0;
/** What the next run of `/orders/any` does. */
let act: (response: AnyResponse) => unknown = () => undefined;
const opened = { gate: Promise.resolve() };

@Controller('orders')
class OrderController {
  @Post()
  @Idempotent()
  create(@Body() body: object, @Res({ passthrough: true }) response: AnyResponse): object {
    runs += 1;
    response.header('Location', `/orders/${runs}`);
    response.header('Set-Cookie', 'session=1');
    response.header('X-Other', 'once');
    return { orderId: runs, body };
  }

  @Post('any')
  @Idempotent({ headers: ['X-Kept'] })
  async any(@Res({ passthrough: true }) response: AnyResponse): Promise<unknown> {
    runs += 1;
    return act(response);
  }

  @Post('none')
  @HttpCode(204)
  @Idempotent()
  none(): void {
    runs += 1;
  }

  @Post('slow')
  @Idempotent()
  async slow(): Promise<object> {
    runs += 1;
    await opened.gate;
    return { run: runs };
  }

  @Patch(':id')
  @Idempotent({ scope: (request) => request.headers['x-user'] as string | undefined })
  change(@Param('id') id: string): object {
    runs += 1;
    return { id, run: runs };
  }

  @Post('optional')
  @Idempotent({ required: false, header: 'X-Request-Key' })
  optional(): object {
    runs += 1;
    return { run: runs };
  }

  @Post('strict')
  @Idempotent({ store: (status) => status < 400 })
  strict(): never {
    runs += 1;
    throw new NotFoundException();
  }

  @Post('small')
  @Idempotent({ maxBytes: 200 })
  small(): object {
    runs += 1;
    return { text: 'x'.repeat(1_000) };
  }

  @Post('plain')
  @Idempotent({ toPlain: (body: Instance) => ({ shown: body.secret.length }) })
  plain(): Instance {
    runs += 1;
    return new Instance();
  }

  @Post('spoilt')
  @Idempotent({
    toPlain: () => {
      throw new Error('no plain data');
    },
  })
  spoilt(): Instance {
    runs += 1;
    return new Instance();
  }

  @Post('upload')
  @Idempotent({ fingerprint: (request) => request.headers['x-digest'] })
  upload(): object {
    runs += 1;
    return { run: runs };
  }

  @Post('mine')
  @Idempotent({ scope: (request: { readonly user?: { readonly id: string } }) => request.user?.id })
  mine(@Req() request: { readonly user?: unknown }): object {
    runs += 1;
    return { run: runs, user: request.user ?? null };
  }
}

@Controller('shop')
@HttpCache({ ttl: '1m' })
@RateLimit({ limit: 3, window: '1m' })
@Idempotent()
class ShopController {
  @Get()
  list(): object {
    runs += 1;
    return { run: runs };
  }

  @Post()
  buy(): object {
    runs += 1;
    return { run: runs };
  }
}

describe.each(FRAMEWORKS)('@Idempotent() on %s', (framework) => {
  let application: INestApplication;
  let keys = 0;
  const post = (path: string, key?: string, body?: object | string) => {
    const request = ask(application).post(path);
    if (key !== undefined) void request.set('Idempotency-Key', key);
    return body === undefined ? request : request.send(body);
  };
  const freshKey = (): string => `key-${(keys += 1)}`;

  beforeAll(async () => {
    application = await serve(framework, {
      controllers: [OrderController, ShopController],
      prepare: (made) => void made.useGlobalFilters(new DomainFilter(made.get(HttpAdapterHost))),
    });
  });
  afterAll(closeHttp);
  beforeEach(() => {
    runs = 0;
    act = () => undefined;
  });
  afterEach(() => jest.restoreAllMocks());

  describe('[L13] [IDM-3] a repetition', () => {
    it('gets 201, Location and the body again, and never Set-Cookie', async () => {
      const key = freshKey();
      const first = await post('/orders', key, { productId: 7 }).expect(201);
      const again = await post('/orders', key, { productId: 7 }).expect(201);

      expect(runs).toBe(1);
      expect(again.text).toBe(first.text);
      expect(first.headers).not.toHaveProperty('idempotency-replayed');
      expect(again.headers).toMatchObject({
        location: '/orders/1',
        'idempotency-replayed': 'true',
        'content-type': first.headers['content-type'],
      });
      expect(again.headers).not.toHaveProperty('set-cookie');
      expect(again.headers).not.toHaveProperty('x-other');
    });

    it('gets 204 without a body', async () => {
      const key = freshKey();
      await post('/orders/none', key).expect(204, '');
      await post('/orders/none', key).expect(204, '').expect('Idempotency-Replayed', 'true');
      expect(runs).toBe(1);
    });

    it.each<readonly [string, () => unknown]>([
      ['null', () => null],
      ['nothing', () => undefined],
      ['text', () => 'ä;ö\n'],
      ['a Buffer', () => Buffer.from([0, 255, 128, 7])],
      ['a list', () => [1, { a: null }]],
      ['a Date', () => ({ at: new Date(0) })],
      ['a number', () => 7],
    ])('gets the same bytes for %s', async (_what, body) => {
      const key = freshKey();
      act = (response) => {
        response.status(200);
        response.header('X-Kept', 'yes');
        if (typeof body() === 'string' || Buffer.isBuffer(body()))
          response.header('Content-Type', 'application/x-test');
        return body();
      };
      const ways = () => post('/orders/any', key).buffer(true).responseType('blob').expect(200);
      const first = await ways();
      const again = await ways();

      expect(runs).toBe(1);
      expect(again.body).toEqual(first.body);
      expect(again.headers['content-type']).toBe(first.headers['content-type']);
      expect(again.headers).toMatchObject({ 'x-kept': 'yes', 'idempotency-replayed': 'true' });
    });

    it.each<readonly [string, () => Error]>([
      ['a text', () => new HttpException('no such product', 404)],
      ['an object', () => new ConflictException({ reason: 'taken' })],
      ['a validation', () => new BadRequestException(['quantity must be positive'])],
    ])('gets the error again that was thrown with %s', async (_what, error) => {
      const thrown = error() as HttpException;
      const key = freshKey();
      act = () => {
        throw thrown.getStatus() === 409 ? new HttpException(thrown.getResponse(), 410) : thrown;
      };
      const first = await post('/orders/any', key);
      const again = await post('/orders/any', key);

      expect(runs).toBe(1);
      expect([again.status, again.text]).toEqual([first.status, first.text]);
      expect(again.headers['content-type']).toBe(first.headers['content-type']);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(first.status).toBe(thrown.getStatus() === 409 ? 410 : thrown.getStatus());
    });

    it.each([408, 409, 425, 429, 500, 503])('runs the method again after %s', async (status) => {
      const key = freshKey();
      act = () => {
        throw new HttpException('not now', status);
      };
      await post('/orders/any', key).expect(status);
      act = () => ({ done: true });
      await post('/orders/any', key).expect(201, { done: true });
      expect(runs).toBe(2);
    });

    it('runs the method again after a 5xx that it gave, and after an error that a filter knows', async () => {
      const key = freshKey();
      act = (response) => {
        response.status(502);
        return 'bad';
      };
      await post('/orders/any', key).expect(502);
      act = () => {
        throw new Domain();
      };
      await post('/orders/any', key).expect(422, { domain: true });
      act = () => 'good';
      await post('/orders/any', key).expect(201, 'good');
      expect(runs).toBe(3);
    });

    it('runs the method again where `store` says so', async () => {
      const key = freshKey();
      await post('/orders/strict', key).expect(404);
      await post('/orders/strict', key).expect(404);
      expect(runs).toBe(2);
    });

    it('gets what toPlain makes of an instance, the first time too', async () => {
      const key = freshKey();
      await post('/orders/plain', key).expect(201, { shown: 6 });
      await post('/orders/plain', key).expect(201, { shown: 6 });
      expect(runs).toBe(1);
    });
  });

  describe('what cannot be given again', () => {
    it('is not done again because toPlain threw after it was done', async () => {
      const key = freshKey();
      await post('/orders/spoilt', key).expect(500);
      await post('/orders/spoilt', key).expect(409);
      expect(runs).toBe(1);
    });

    it.each<readonly [string, string, () => unknown]>([
      ['a stream', '/orders/any', () => new StreamableFile(Buffer.from('file'))],
      ['an instance', '/orders/any', () => new Instance()],
      ['too much', '/orders/small', () => undefined],
    ])('goes out once, and is refused afterwards: %s', async (_what, path, body) => {
      const key = freshKey();
      act = body;
      await post(path, key).expect(201);
      const again = await post(path, key)
        .expect(409)
        .expect('Content-Type', /application\/problem\+json/);

      expect(runs).toBe(1);
      expect(again.headers).not.toHaveProperty('retry-after');
      expect(JSON.parse(again.text)).toMatchObject({ status: 409, type: expect.stringMatching(/#not-replayable$/) });
    });

    it('is told in one log line, with what to do', async () => {
      act = () => new Instance();
      await post('/orders/any', freshKey()).expect(201);
      expect(warned().filter((line) => line.includes('OrderController.any')).length).toBeGreaterThan(0);
    });
  });

  describe('[IDM-2] refusals are problem+json', () => {
    const expectProblem = async (response: ReturnType<typeof post>, status: number, name: string): Promise<void> => {
      const { text } = await response.expect(status).expect('Content-Type', /application\/problem\+json/);
      expect(JSON.parse(text)).toEqual({
        type: expect.stringMatching(new RegExp(`#${name}$`)),
        title: expect.any(String),
        status,
        detail: expect.any(String),
      });
    };

    it('400 without a key', async () => {
      await expectProblem(post('/orders', undefined, {}), 400, 'missing');
      expect(runs).toBe(0);
    });

    it.each([
      ['an empty one', '""'],
      ['one that is too long', 'k'.repeat(257)],
      ['an open quotation mark', '"abc'],
      ['two', 'a, b'],
      ['two quoted ones', '"a", "b"'],
      ['a tab', 'a\tb'],
      ['Latin letters', 'schl\u00fcssel'],
      ['a number in quotation marks and something', '"1" x'],
    ])('400 for a key that is none: %s', async (_what, key) => {
      await expectProblem(post('/orders', key, {}), 400, 'invalid');
      expect(runs).toBe(0);
    });

    it('[L12] 422 for another body, order of keys aside', async () => {
      const key = freshKey();
      await post('/orders', key, { a: 1, b: { c: 2, d: 3 } }).expect(201);
      await post('/orders', key, { b: { d: 3, c: 2 }, a: 1 }).expect(201);
      await expectProblem(post('/orders', key, { a: 1, b: { c: 2, d: 4 } }), 422, 'reused');
      expect(runs).toBe(1);
    });

    it('422 for another route, another address and another query', async () => {
      const key = freshKey();
      await post('/orders/any?a=1&b=2', key).expect(201);
      await post('/orders/any?b=2&a=1', key).expect(201);
      await expectProblem(post('/orders/any?a=1&b=3', key), 422, 'reused');
      await expectProblem(post('/orders/none', key), 422, 'reused');
      await ask(application).patch('/orders/any').set('Idempotency-Key', key).set('x-user', '').expect(422);
      expect(runs).toBe(1);
    });

    it('[L12] 409 with Retry-After while it is under way, and 422 for another body', async () => {
      const key = freshKey();
      let open = (): void => undefined;
      opened.gate = new Promise((resolve) => (open = resolve));
      const first = post('/orders/slow', key, { a: 1 }).then((response) => response.body as object);
      await until(() => runs > 0, { what: 'it is under way' });

      const second = post('/orders/slow', key, { a: 1 });
      await expectProblem(second.expect('Retry-After', '1'), 409, 'in-progress');
      await expectProblem(post('/orders/slow', key, { a: 2 }), 422, 'reused');
      open();
      expect(await first).toEqual({ run: 1 });
      await post('/orders/slow', key, { a: 1 }).expect(201, { run: 1 });
    });

    it('415 for an upload, and for a body nobody has read', async () => {
      const upload = ask(application).post('/orders').set('Idempotency-Key', freshKey());
      if (framework === 'Express') {
        await expectProblem(upload.attach('file', Buffer.from('x'), 'x.txt'), 415, 'incomparable');
        const raw = ask(application).post('/orders').set('Idempotency-Key', freshKey());
        await expectProblem(raw.set('Content-Type', 'application/x-raw').send('x') as never, 415, 'incomparable');
      } else {
        // Fastify itself refuses what it cannot read.
        await upload.attach('file', Buffer.from('x'), 'x.txt').expect(415);
      }
      expect(runs).toBe(0);
    });

    it('415 for a body that is nested deeper than anybody reads', async () => {
      const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      const request = ask(application).post('/orders').set('Idempotency-Key', freshKey());
      await expectProblem(request.set('Content-Type', 'application/json').send(deep) as never, 415, 'incomparable');
    });
  });

  it('[IDM-1] takes the quoted and the bare form for the same key', async () => {
    const key = freshKey();
    await post('/orders', `"${key}"`, {}).expect(201);
    await post('/orders', key, {}).expect(201);
    await post('/orders', ` "${key}";v=1`, {}).expect(201);
    await post('/orders', 'k'.repeat(256), {}).expect(201);
    expect(runs).toBe(2);
  });

  it('[IDM-1] has a header of another name, and no need of it', async () => {
    await post('/orders/optional').expect(201, { run: 1 });
    await post('/orders/optional', freshKey()).expect(201, { run: 2 });
    const key = freshKey();
    await post('/orders/optional').set('X-Request-Key', key).expect(201, { run: 3 });
    await post('/orders/optional').set('X-Request-Key', key).expect(201, { run: 3 });
    expect(runs).toBe(3);
  });

  it('[L12] keeps the same key of two users apart', async () => {
    const key = freshKey();
    const change = (user: string) =>
      ask(application).patch('/orders/1').set('Idempotency-Key', key).set('x-user', user).send({});
    await change('anne').expect(200, { id: '1', run: 1 });
    await change('bert').expect(200, { id: '1', run: 2 });
    await change('anne').expect(200, { id: '1', run: 1 });
    // Nobody has keys of their own, too.
    await change('').expect(200, { id: '1', run: 3 });
  });

  it('compares uploads by what the route says', async () => {
    const key = freshKey();
    const upload = (digest: string) =>
      ask(application).post('/orders/upload').set('Idempotency-Key', key).set('x-digest', digest).send({ any: runs });
    await upload('a').expect(201, { run: 1 });
    await upload('a').expect(201, { run: 1 });
    await upload('b').expect(422);
  });

  it('works beside @RateLimit() and @HttpCache() of the class: counted once each, cached only on GET', async () => {
    const key = freshKey();
    await post('/shop', key).expect(201, { run: 1 });
    await post('/shop', key).expect(201, { run: 1 }).expect('RateLimit', /r=1/);
    await ask(application).get('/shop').expect(200, { run: 2 });
    await post('/shop', key).expect(429);
  });

  it('[OBS-2] tells what became of each call, and not the key', async () => {
    const seen: IdempotencyEvent[] = [];
    const stop = events.idempotency.subscribe((event) => seen.push(event));
    const key = freshKey();
    await post('/orders', key, { a: 1 });
    await post('/orders', key, { a: 1 });
    await post('/orders', key, { a: 2 });
    act = () => {
      throw new Error('broken');
    };
    await post('/orders/any', freshKey()).expect(500);
    act = () => new Instance();
    await post('/orders/any', freshKey()).expect(201);
    stop();

    expect(seen.map(({ operation, outcome, code }) => [operation, outcome, code])).toEqual([
      ['OrderController.create', 'completed', undefined],
      ['OrderController.create', 'replayed', undefined],
      ['OrderController.create', 'reused', undefined],
      ['OrderController.any', 'released', undefined],
      ['OrderController.any', 'not-kept', 'VALKEY_ENCODE_FAILED'],
    ]);
    expect(JSON.stringify(seen)).not.toContain(key);
  });

  it('lets one of many through', async () => {
    const key = freshKey();
    let open = (): void => undefined;
    opened.gate = new Promise((resolve) => (open = resolve));
    const statuses: number[] = [];
    const all = Array.from({ length: 100 }, async () => statuses.push((await post('/orders/slow', key)).status));
    await until(() => statuses.length === 99, { what: 'all others are refused' });
    open();
    await Promise.all(all);

    expect(runs).toBe(1);
    expect(statuses).toEqual([...Array.from({ length: 99 }, () => 409), 201]);
  });
});
