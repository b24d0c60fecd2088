import {
  Controller,
  ForbiddenException,
  Get,
  Header,
  Injectable,
  Next,
  Param,
  Redirect,
  Req,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  UseInterceptors,
  VersioningType,
} from '@nestjs/common';
import type { CallHandler, CanActivate, ExecutionContext, INestApplication, NestInterceptor } from '@nestjs/common';
import { Readable } from 'node:stream';
import { map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { CACHE_SERVICE, CacheService, Cacheable, HttpCache, ValkeyModule } from '../../../lib/index.js';
import { until } from '../../support/index.js';
import { ask, closeHttp, embedded, FRAMEWORKS, serve, warned } from './http-cache-application.js';

interface AnyRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
}
interface AnyResponse {
  header(name: string, value: string): unknown;
  send(body: unknown): unknown;
}

let runs = 0;
/** Requests that have come to the application. */
let arrived = 0;

const counting = (application: INestApplication): void => {
  application.use((_request: unknown, _response: unknown, next: () => void) => {
    arrived += 1;
    next();
  });
};
/** Holds methods back until it is opened. */
let gate: { readonly opened: Promise<void>; open(): void };

beforeEach(() => {
  runs = 0;
  arrived = 0;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  gate = { opened, open };
});
afterEach(closeHttp);

@Controller('slow')
class SlowController {
  @HttpCache({ ttl: '1m' })
  @Get('shared')
  async shared(): Promise<object> {
    runs += 1;
    await gate.opened;
    return { run: runs };
  }

  @HttpCache({ ttl: '1m' })
  @Get('cookie')
  async cookie(@Req() request: AnyRequest, @Res({ passthrough: true }) response: AnyResponse): Promise<object> {
    runs += 1;
    await gate.opened;
    const { 'x-name': name = '' } = request.headers;
    response.header('Set-Cookie', `name=${name}`);
    return { name };
  }

  @HttpCache({ ttl: '1m' })
  @Get('forbidden')
  async forbidden(@Req() request: AnyRequest): Promise<object> {
    runs += 1;
    await gate.opened;
    throw new ForbiddenException(request.headers['x-name']);
  }

  @HttpCache({ ttl: '1m', hardTimeout: 50 })
  @Get('late')
  async late(): Promise<object> {
    runs += 1;
    await gate.opened;
    return { run: runs };
  }
}

/** Who refuses everybody but one. */
@Injectable()
class OnlyAnne implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    request.user = { name: request.headers['x-name'] };
    return request.headers['x-name'] === 'anne';
  }
}

@Injectable()
class Wrap implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

class Entity {
  readonly secret = 'secret';
  constructor(readonly run: number) {}
}

@HttpCache({ ttl: '1m' })
@UseInterceptors(Wrap)
@Controller('all')
class WholeController {
  @Get('wrapped')
  wrapped(): object {
    runs += 1;
    return { run: runs };
  }

  @HttpCache({ ttl: '1m', cacheControl: 'no-cache' })
  @Get('own')
  own(): object {
    runs += 1;
    return { run: runs };
  }

  @Get('entity')
  entity(): Entity {
    runs += 1;
    return new Entity(runs);
  }

  @HttpCache({ ttl: '1m', toPlain: ({ run }: Entity) => ({ run }) })
  @Get('plain')
  plain(): Entity {
    runs += 1;
    return new Entity(runs);
  }
}

@Controller('guarded')
class GuardedController {
  @HttpCache({ ttl: '1m', public: true })
  @UseGuards(OnlyAnne)
  @Get('public')
  guarded(): object {
    runs += 1;
    return { run: runs };
  }

  @HttpCache({ ttl: '1m' })
  @UseGuards(OnlyAnne)
  @Get('known')
  known(): object {
    runs += 1;
    return { run: runs };
  }
}

@HttpCache({ ttl: '1m' })
@Controller('self')
class SelfAnsweringController {
  @Get('stream')
  stream(): StreamableFile {
    runs += 1;
    return new StreamableFile(Readable.from([Buffer.from(`run ${runs}`)]));
  }

  @Get('written')
  written(@Res() response: AnyResponse): void {
    runs += 1;
    const text = `run ${runs}`;
    setImmediate(() => response.send(text));
  }

  @Get('next')
  next(@Res() response: AnyResponse, @Next() _next: unknown): object {
    runs += 1;
    const text = `run ${runs}`;
    setImmediate(() => response.send(text));
    return { not: 'sent' };
  }

  @Redirect('/elsewhere', 301)
  @Get('redirect')
  redirect(): object {
    runs += 1;
    return { url: `/elsewhere/${runs}`, statusCode: 301 };
  }

  @Sse('events')
  events(): Observable<{ data: string }> {
    runs += 1;
    return of({ data: `first ${runs}` }, { data: `second ${runs}` });
  }
}

/** As it is in a file of its own for each version. */
function versioned(version: string): new () => object {
  @Controller({ path: 'things', version })
  class ThingController {
    @HttpCache({ ttl: '1m' })
    @Get(':id')
    @Header('X-Route', version)
    find(@Param('id') id: string): object {
      runs += 1;
      return { id, version };
    }
  }
  return ThingController;
}

describe.each(FRAMEWORKS)('@HttpCache() on %s', (framework) => {
  describe('[CAC-9] [CAC-4] many at once', () => {
    it('run the method once', async () => {
      const application = await serve(framework, { controllers: [SlowController], prepare: counting });
      const answers = Array.from({ length: 20 }, () =>
        ask(application)
          .get('/slow/shared')
          .then((answer) => answer),
      );
      await until(() => runs === 1 && arrived === answers.length, { what: 'all ask, and the method runs' });
      gate.open();
      expect((await Promise.all(answers)).map(({ body }) => body as unknown)).toEqual(answers.map(() => ({ run: 1 })));
      expect(runs).toBe(1);
    });

    it.each(['cookie', 'forbidden'])('[C10] get a response each where it is for one alone: %s', async (path) => {
      const application = await serve(framework, { controllers: [SlowController], prepare: counting });
      const names = ['anne', 'bert', 'carl', 'dora'];
      const answers = names.map((name) =>
        ask(application)
          .get(`/slow/${path}`)
          .set('X-Name', name)
          .then((answer) => answer),
      );
      await until(() => runs === 1 && arrived === names.length, { what: 'all ask, and the method runs' });
      gate.open();
      const got = (await Promise.all(answers)).map(({ body, headers }) => ({
        body: body as object,
        cookies: headers['set-cookie'],
      }));
      expect(runs).toBe(names.length);
      expect(got).toEqual(
        names.map((name) =>
          path === 'cookie'
            ? { body: { name }, cookies: [`name=${name}`] }
            : { body: expect.objectContaining({ message: name }) as object, cookies: undefined },
        ),
      );
    });

    it('get what a method gives that takes longer than others wait for it', async () => {
      const application = await serve(framework, { controllers: [SlowController] });
      const answer = ask(application)
        .get('/slow/late')
        .then((response) => response);
      const failures: unknown[] = [];
      const caching = application.get<CacheService>(CACHE_SERVICE).cache('http');
      const failed = caching.failed.bind(caching);
      caching.failed = (error) => {
        failures.push((error as { code?: unknown }).code);
        failed(error);
      };
      await until(() => failures.length > 0, { what: 'nobody else waits' });
      gate.open();
      expect((await answer).body).toEqual({ run: 1 });
      expect([runs, failures]).toEqual([1, ['VALKEY_LOAD_TIMEOUT']]);
    });
  });

  describe('[CAC-9] beside what else Nest has', () => {
    it('[C10] gives nothing to whom a guard refuses', async () => {
      const application = await serve(framework, { controllers: [GuardedController] });
      await ask(application).get('/guarded/public').set('X-Name', 'anne').expect(200, { run: 1 });
      await ask(application).get('/guarded/public').set('X-Name', 'bert').expect(403);
      await ask(application).get('/guarded/public').set('X-Name', 'anne').expect(200, { run: 1 });
    });

    it('[C10] takes a user that a guard knows for credentials', async () => {
      const application = await serve(framework, { controllers: [GuardedController] });
      for (const run of [1, 2]) {
        const { headers } = await ask(application).get('/guarded/known').set('X-Name', 'anne').expect(200, { run });
        expect(headers['cache-control']).toBe('private, no-cache');
      }
    });

    it('gives interceptors around it the same on a hit as on a miss', async () => {
      const application = await serve(framework, { controllers: [WholeController] });
      for (let again = 0; again < 2; again += 1)
        await ask(application)
          .get('/all/wrapped')
          .expect({ data: { run: 1 } });
    });

    it("stands on a class for its methods, a method's own first", async () => {
      const application = await serve(framework, { controllers: [WholeController] });
      for (let again = 0; again < 2; again += 1) {
        const { headers } = await ask(application)
          .get('/all/own')
          .expect({ data: { run: 1 } });
        expect(headers['cache-control']).toBe('no-cache');
      }
    });

    it('[C10] does not store instances of classes, and says so once, unless it is told how to make plain data of them', async () => {
      const application = await serve(framework, { controllers: [WholeController] });
      for (const run of [1, 2])
        await ask(application)
          .get('/all/entity')
          .expect({ data: { secret: 'secret', run } });
      expect(warned()).toEqual([expect.stringMatching(/@HttpCache\(\) on WholeController .*toPlain/)]);
      for (let again = 0; again < 2; again += 1)
        await ask(application)
          .get('/all/plain')
          .expect({ data: { run: 3 } });
    });

    it('[C10] keeps versions apart that have one path, and knows the prefix', async () => {
      const application = await serve(framework, {
        controllers: [versioned('1'), versioned('2')],
        prepare: (created) => {
          created.setGlobalPrefix('api');
          created.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' });
        },
      });
      for (const version of ['1', '2', '1', '2']) {
        await ask(application).get('/api/things/7').set('X-Version', version).expect(200, { id: '7', version });
      }
      expect(runs).toBe(2);
    });

    it.each(['stream', 'written', 'next', 'redirect', 'events'])(
      '[C10] leaves alone what answers by itself: %s',
      async (path) => {
        const application = await serve(framework, { controllers: [SelfAnsweringController] });
        const answers = [await ask(application).get(`/self/${path}`), await ask(application).get(`/self/${path}`)];
        const seen = answers.map(({ text, body, headers }) =>
          String([headers['location'], text, body].find((value) => value !== undefined)),
        );
        expect(runs).toBe(2);
        expect(seen).toEqual([expect.stringContaining('1'), expect.stringContaining('2')]);
        if (path === 'events') expect(seen[0]).toMatch(/first 1[^]*second 1/);
      },
    );
  });

  it('[C10] shares nothing between two applications of one process', async () => {
    const [one, two] = [
      await serve(framework, { controllers: [WholeController] }),
      await serve(framework, { controllers: [WholeController] }),
    ];
    for (const [application, run] of [
      [one, 1],
      [two, 2],
      [one, 1],
      [two, 2],
    ] as const) {
      await ask(application).get('/all/wrapped').expect({ data: { run } });
    }
  });

  it('[CAC-9] uses the client and the cache it is told', async () => {
    @Controller('elsewhere')
    class ElsewhereController {
      @HttpCache({ ttl: '1m', client: 'pages', cache: 'shop' })
      @Get()
      find(): object {
        runs += 1;
        return { run: runs };
      }
    }
    const application = await serve(framework, {
      controllers: [ElsewhereController],
      imports: [embedded(), ValkeyModule.forRoot({ name: 'pages', mode: 'embedded', logLevel: 'silent' })],
    });
    const { cacheServiceToken } = await import('../../../lib/index.js');
    for (let again = 0; again < 2; again += 1) await ask(application).get('/elsewhere').expect({ run: 1 });
    await application.get<CacheService>(cacheServiceToken('pages')).cache('shop').clear();
    await ask(application).get('/elsewhere').expect({ run: 2 });
  });

  it('[CAC-9] serves a stale response for staleFor where the method fails, but not where it refuses', async () => {
    let failure: Error | undefined;
    @Controller('stale')
    class StaleController {
      @HttpCache({ ttl: 1, staleFor: '1h', staleRetry: 1 })
      @Get()
      find(): object {
        runs += 1;
        if (failure) throw failure;
        return { run: runs };
      }
    }
    const application = await serve(framework, { controllers: [StaleController] });
    const caching = application.get<CacheService>(CACHE_SERVICE).cache('http');
    await ask(application).get('/stale').expect({ run: 1 });
    await caching.idle();
    failure = new Error('down');
    await until(async () => (await ask(application).get('/stale'), runs > 1), { what: 'the response is old' });
    await ask(application).get('/stale').expect(200, { run: 1 });
    failure = new ForbiddenException();
    await until(async () => (await ask(application).get('/stale')).status === 403, {
      what: 'the refusal comes through',
    });
  });
});

describe('[CAC-9] @HttpCache() and @Cacheable() on one method', () => {
  it('work in either order', async () => {
    @Controller('both')
    class BothController {
      @Cacheable({ key: () => 'one' })
      @HttpCache({ ttl: '1m' })
      @Get('one')
      async one(): Promise<object> {
        runs += 1;
        return { run: runs };
      }

      @HttpCache({ ttl: '1m' })
      @Cacheable({ key: () => 'two' })
      @Get('two')
      async two(): Promise<object> {
        runs += 1;
        return { run: runs };
      }
    }
    const application = await serve('Express', { controllers: [BothController] });
    for (const [path, run] of [
      ['one', 1],
      ['two', 2],
    ] as const) {
      await ask(application).get(`/both/${path}`).expect({ run });
      const { headers } = await ask(application).get(`/both/${path}`).expect({ run });
      expect(headers).toHaveProperty('age');
    }
  });
});
