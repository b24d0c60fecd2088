import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Injectable, Param, ParseIntPipe, Query, Res, Scope, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import * as fc from 'fast-check';
import { firstValueFrom, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { HttpCache } from '../../../lib/index.js';
import { TestValkeyModule } from '../../../lib/testing/index.js';
import { freePort } from '../../support/index.js';
import { ask, closeHttp, FRAMEWORKS, serve } from './http-cache-application.js';

let runs = 0;
beforeEach(() => (runs = 0));
afterEach(closeHttp);

interface Item {
  readonly id: unknown;
  readonly run: number;
  readonly seen?: number;
}

/** Does to a body what it may do to one that was just made. */
@Injectable()
class Meddler implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((body: { nested: { times: number }; list: number[] }) => {
        body.nested.times += 1;
        body.list.push(body.nested.times);
        return body;
      }),
    );
  }
}

@Controller('items')
class ItemController {
  @HttpCache({ ttl: '1m' })
  @Get('meddled')
  @UseInterceptors(Meddler)
  meddled(): object {
    runs += 1;
    return { nested: { times: 0 }, list: [] };
  }

  @HttpCache({ ttl: '1m' })
  @Get(':id')
  find(@Param('id', ParseIntPipe) id: number, page = 1, ...others: readonly unknown[]): object {
    runs += 1;
    return { id, page, others: others.length, run: runs };
  }
}

describe.each(FRAMEWORKS)('[CAC-9] [CAC-11] a route with @HttpCache() on %s', (framework) => {
  it('has its own arguments and no others, and its pipes run on every request', async () => {
    const application = await serve(framework, { controllers: [ItemController] });
    const body = { id: 7, page: 1, others: 0, run: 1 };
    for (let again = 0; again < 2; again += 1) await ask(application).get('/items/7').expect(200, body);
    await ask(application).get('/items/seven').expect(400);
    expect(runs).toBe(1);
  });

  it('[C10] is not changed by what an interceptor does to a response', async () => {
    const application = await serve(framework, { controllers: [ItemController] });
    for (let again = 0; again < 3; again += 1) {
      await ask(application)
        .get('/items/meddled')
        .expect(200, { nested: { times: 1 }, list: [1] });
    }
    expect(runs).toBe(1);
  });

  it('is a method as before for whoever calls it by hand', async () => {
    const application = await serve(framework, { controllers: [ItemController] });
    const controller = application.get(ItemController);
    const like = { headers: {} };
    for (const others of [[like], [like, { req: {} }], [like, like, like]]) {
      expect(controller.find(7, 2, ...others)).toMatchObject({ page: 2, others: others.length });
    }
    runs = 0;
    expect(controller.find(7)).toEqual({ id: 7, page: 1, others: 0, run: 1 });
    expect(controller.find(7, 2, 'three', 'four')).toEqual({ id: 7, page: 2, others: 2, run: 2 });
    expect(new ItemController().find(7)).toEqual({ id: 7, page: 1, others: 0, run: 3 });
    expect([controller.find.name, controller.find.length]).toEqual(['find', 1]);
  });

  it('[C10] is one of its own for each class that inherits it, with the rules of that class', async () => {
    class Base {
      @Get(':id')
      find(@Param('id') id: string): Item {
        runs += 1;
        return { id, run: runs };
      }
    }
    @HttpCache({ ttl: '1m' })
    @Controller('one')
    class One extends Base {}
    @HttpCache({ ttl: '1m', cacheControl: 'no-cache' })
    @Controller('two')
    class Two extends One {}
    @Controller('three')
    class Three extends Two {
      @Get(':id')
      override find(@Param('id') id: string): Item {
        return { ...super.find(id), seen: runs };
      }
    }
    const application = await serve(framework, { controllers: [Two, One, Three] });
    for (let again = 0; again < 2; again += 1) {
      const one = await ask(application).get('/one/a').expect({ id: 'a', run: 1 });
      const two = await ask(application).get('/two/a').expect({ id: 'a', run: 2 });
      const three = await ask(application).get('/three/a').expect({ id: 'a', run: 3, seen: 3 });
      expect([one, two, three].map(({ headers }) => headers['cache-control'])).toEqual([
        'max-age=60',
        'no-cache',
        'no-cache',
      ]);
    }
  });

  describe.each(['method', 'class'])('of a %s, which a class inherits that writes its own', (where) => {
    const family = (): readonly (new () => object)[] => {
      @Controller('base')
      class Base {
        @Get('written')
        written(..._others: readonly unknown[]): object {
          return { base: true };
        }

        @Get('plain')
        plain(): object {
          return { base: true };
        }
      }
      if (where === 'class') HttpCache({ ttl: '1m' })(Base);
      else {
        for (const name of ['written', 'plain']) {
          const descriptor = Object.getOwnPropertyDescriptor(Base.prototype, name) as PropertyDescriptor;
          HttpCache({ ttl: '1m' })(Base.prototype, name, descriptor);
        }
      }
      @Controller('sub')
      class Sub extends Base {
        @Get('written')
        override written(@Res() response: { send(body: unknown): unknown }): object {
          setImmediate(() => response.send({ sub: true }));
          return { never: 'sent' };
        }

        @Get('plain')
        override plain(page = 1, ...others: readonly unknown[]): object {
          return { page, others: others.length };
        }
      }
      return [Base, Sub];
    };

    it.each(['first', 'last', 'before'])('leaves that alone, the parent %s', async (order) => {
      const classes = family();
      if (order === 'before') await serve(framework, { controllers: classes.slice(0, 1) });
      const controllers = order === 'last' ? classes.toReversed() : classes;
      const application = await serve(framework, { controllers });
      for (let again = 0; again < 2; again += 1) {
        await ask(application).get('/base/written').expect(200, { base: true });
        await ask(application).get('/sub/written').expect(200, { sub: true });
        await ask(application).get('/sub/plain').expect(200, { page: 1, others: 0 });
      }
    });
  });

  it('is cached with the module for tests', async () => {
    const application = await serve(framework, {
      controllers: [ItemController],
      imports: [TestValkeyModule.forRoot()],
    });
    for (let again = 0; again < 2; again += 1) await ask(application).get('/items/8').expect(200);
    expect(runs).toBe(1);
  });

  it.each([
    ['a Date', (): unknown => new Date(0)],
    ['what is nested too deeply to be looked at', (): unknown => JSON.parse('['.repeat(5_000) + ']'.repeat(5_000))],
  ])('[C10] gives %s as it would without a cache', async (_what, make) => {
    @Controller('odd')
    class OddController {
      @HttpCache({ ttl: '1m' })
      @Get('cached')
      cached(): unknown {
        return make();
      }

      @Get('bare')
      bare(): unknown {
        return make();
      }
    }
    const application = await serve(framework, { controllers: [OddController] });
    const bare = await ask(application).get('/odd/bare');
    for (let again = 0; again < 2; again += 1) {
      const { status, text, headers } = await ask(application).get('/odd/cached');
      expect([status, text, headers['content-type']]).toEqual([bare.status, bare.text, bare.headers['content-type']]);
    }
  });

  describe('that a mixin has copied', () => {
    class Finding {
      @HttpCache({ ttl: '1m' })
      @Get(':id')
      find(@Param('id', ParseIntPipe) id: number): object {
        runs += 1;
        return { id, run: runs };
      }
    }
    const mixed = (): new () => object => {
      class Mixed {}
      Object.defineProperties(Mixed.prototype, Object.getOwnPropertyDescriptors(Finding.prototype));
      Controller('mixed')(Mixed);
      return Mixed;
    };

    it('has its arguments too', async () => {
      const Mixed = mixed();
      HttpCache({ ttl: '1m' })(Mixed);
      const application = await serve(framework, { controllers: [Mixed] });
      for (let again = 0; again < 2; again += 1) await ask(application).get('/mixed/7').expect(200, { id: 7, run: 1 });
    });

    it('fails the start where nothing could be injected', async () => {
      await expect(serve(framework, { controllers: [mixed()] })).rejects.toThrow(
        /Mixed\.find has @HttpCache\(\), but was copied .* Let Mixed extend/,
      );
    });
  });

  it('is cached where each request has a controller of its own', async () => {
    let made = 0;
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      readonly number = (made += 1);

      @HttpCache({ ttl: '1m' })
      @Get()
      find(): object {
        return { number: this.number };
      }
    }
    const application = await serve(framework, { controllers: [ScopedController] });
    for (let again = 0; again < 2; again += 1) await ask(application).get('/scoped').expect({ number: 1 });
    expect(made).toBe(2);
  });

  it('[C10] runs in the context of the request that runs it', async () => {
    const context = new AsyncLocalStorage<string>();
    @Controller('context')
    class ContextController {
      @HttpCache({ ttl: '1m' })
      @Get()
      async find(@Query('name') name: string): Promise<object> {
        runs += 1;
        await Promise.resolve();
        return { name, context: context.getStore() };
      }
    }
    const application = await serve(framework, {
      controllers: [ContextController],
      prepare: (created) => {
        created.use((request: { url: string }, _response: unknown, next: () => void) => context.run(request.url, next));
      },
    });
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    const answers = await Promise.all(names.map((name) => ask(application).get(`/context?name=${name}`)));
    expect(answers.map(({ body }) => body as unknown)).toEqual(
      names.map((name) => ({ name, context: `/context?name=${name}` })),
    );
    expect(runs).toBe(names.length);
  });

  it('[C10] answers a hit with the same bytes, whatever JSON it is', async () => {
    const bodies: unknown[] = [];
    @Controller('json')
    class JsonController {
      @HttpCache({ ttl: '1m' })
      @Get(':index')
      find(@Param('index', ParseIntPipe) index: number): unknown {
        runs += 1;
        return bodies[index];
      }
    }
    const application = await serve(framework, { controllers: [JsonController] });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())), async (body) => {
        // As it comes out of a database: with a name that is otherwise special.
        bodies.push(JSON.parse(JSON.stringify(body)));
        const path = `/json/${bodies.length - 1}`;
        const [first, second] = [await ask(application).get(path), await ask(application).get(path)];
        expect(second.text).toBe(first.text);
        expect(second.headers).toHaveProperty('age');
        expect(JSON.parse(second.text)).toEqual(JSON.parse(JSON.stringify(body)));
      }),
      { numRuns: 60, seed: 7, examples: [[{ ['__proto__']: { a: 1 }, toJSON: 1 }]] },
    );
    expect(runs).toBe(bodies.length);
  });
});

describe('[CAC-9] [CAC-11] @HttpCache() beside HTTP', () => {
  it('is as if it were not there', async () => {
    @HttpCache({ ttl: '1m' })
    @Controller('both')
    class BothController {
      @MessagePattern('find')
      @Get()
      find(@Payload() payload: unknown): object {
        runs += 1;
        return { payload: payload ?? null, run: runs };
      }
    }
    const port = await freePort();
    const application = await serve('Express', { controllers: [BothController] });
    application.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP, options: { port } });
    await application.startAllMicroservices();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    try {
      for (const run of [1, 2]) {
        expect(await firstValueFrom(client.send('find', { a: 1 }))).toEqual({ payload: { a: 1 }, run });
      }
    } finally {
      await client.close();
    }
    for (let again = 0; again < 2; again += 1) await ask(application).get('/both').expect({ payload: null, run: 3 });
  });
});
