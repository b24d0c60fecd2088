import { Controller, Get, Inject, Injectable, Sse, UseGuards } from '@nestjs/common';
import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { map, Observable, of } from 'rxjs';
import {
  CACHE_CLIENT,
  CACHE_SERVICE,
  Cacheable,
  CacheClient,
  CacheService,
  currentTenant,
  provideTenantSettings,
  TenantSettings,
  ValkeyModule,
} from '../../../lib/index.js';
import type { TenantModuleOptions } from '../../../lib/index.js';
import { closeApplications, start, startFailure } from './application.js';
import { ask, closeHttp, FRAMEWORKS, serve } from './http-cache-application.js';

interface WithUser {
  readonly headers: Readonly<Record<string, string | undefined>>;
  user?: { readonly tenantId: string };
}

/** Puts the user of the header there, as one that checks tokens would. */
@Injectable()
class Authentication implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<WithUser>();
    const tenantId = request.headers['x-user-tenant'];
    if (tenantId !== undefined) request.user = { tenantId };
    return true;
  }
}

@Injectable()
class Carts {
  runs = 0;

  @Cacheable({ key: () => `cart:${currentTenant()}` })
  async find(): Promise<string> {
    this.runs += 1;
    return `cart ${this.runs}`;
  }
}

@UseGuards(Authentication)
@Controller()
class TenantController {
  constructor(
    @Inject(CACHE_CLIENT) private readonly client: CacheClient,
    @Inject(Carts) private readonly carts: Carts,
    @Inject(TenantSettings) private readonly settings: TenantSettings<{ readonly currency: string }>,
  ) {}

  @Get('whoami')
  async whoami(): Promise<object> {
    await new Promise((resolve) => setImmediate(resolve));
    return { tenant: currentTenant() ?? null };
  }

  @Get('visits')
  async visits(): Promise<object> {
    return { visits: await this.client.forTenant().incr('visits') };
  }

  @Get('cart')
  async cart(): Promise<object> {
    return { cart: await this.carts.find() };
  }

  @Get('settings')
  async ownSettings(): Promise<object> {
    return { ...(await this.settings.current()) };
  }

  @Sse('events')
  events(): Observable<{ data: string }> {
    return of(1).pipe(map(() => ({ data: String(currentTenant()) })));
  }
}

const byHeader: TenantModuleOptions = {
  from: (request) => request.headers['x-tenant'] as string | undefined,
};

const parts = (tenant: TenantModuleOptions) => ({
  imports: [ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', tenant })],
  controllers: [TenantController],
  providers: [
    Carts,
    provideTenantSettings({
      useFactory: () => ({ load: (id: string) => ({ currency: id === 'acme' ? 'EUR' : 'USD' }) }),
    }),
  ],
});

afterEach(closeApplications);
afterEach(closeHttp);

describe.each(FRAMEWORKS)('[TEN-1] the tenant of a request on %s', (framework) => {
  it('is found before the handler, and is nobody elsewhere', async () => {
    const application = await serve(framework, parts(byHeader));
    const whoami = async (tenant: string): Promise<unknown> =>
      (await ask(application).get('/whoami').set('x-tenant', tenant)).body;
    expect(await Promise.all(['acme', 'globex', 'acme'].map(whoami))).toEqual([
      { tenant: 'acme' },
      { tenant: 'globex' },
      { tenant: 'acme' },
    ]);
    expect((await ask(application).get('/whoami')).body).toEqual({ tenant: null });
    expect(await whoami('')).toEqual({ tenant: null });
    expect(currentTenant()).toBeUndefined();
  });

  it('is the one guards have proved', async () => {
    const application = await serve(framework, parts({ from: ({ user }) => user?.tenantId }));
    const response = await ask(application).get('/whoami').set('x-user-tenant', 'acme').set('x-tenant', 'globex');
    expect(response.body).toEqual({ tenant: 'acme' });
  });

  it('decides whose keys, whose entries and whose settings a handler sees', async () => {
    const application = await serve(framework, parts(byHeader));
    const get = async (path: string, tenant: string): Promise<unknown> =>
      (await ask(application).get(path).set('x-tenant', tenant)).body;

    expect(await get('/visits', 'acme')).toEqual({ visits: 1 });
    expect(await get('/visits', 'acme')).toEqual({ visits: 2 });
    expect(await get('/visits', 'globex')).toEqual({ visits: 1 });
    expect(await get('/cart', 'acme')).toEqual({ cart: 'cart 1' });
    expect(await get('/cart', 'globex')).toEqual({ cart: 'cart 2' });
    expect(await get('/cart', 'acme')).toEqual({ cart: 'cart 1' });
    expect(await get('/settings', 'acme')).toEqual({ currency: 'EUR' });
    expect(await get('/settings', 'globex')).toEqual({ currency: 'USD' });
    const client = application.get<CacheClient>(CACHE_CLIENT);
    expect(await client.get('tenant:{acme}:visits')).toBe('2');
  });

  it('holds for streams too', async () => {
    const application = await serve(framework, parts(byHeader));
    const { text } = await ask(application).get('/events').set('x-tenant', 'acme');
    expect(text).toContain('data: acme');
  });

  it('is refused with 400 when it is none, and without one when it is required', async () => {
    const lenient = await serve(framework, parts(byHeader));
    const bad = await ask(lenient).get('/whoami').set('x-tenant', 'acme:evil');
    expect([bad.status, bad.text]).toEqual([400, expect.not.stringContaining('acme:evil')]);
    expect((await ask(lenient).get('/visits')).status).toBe(500);
    const strict = await serve(framework, parts({ ...byHeader, required: true }));
    expect((await ask(strict).get('/whoami')).status).toBe(400);
    expect((await ask(strict).get('/whoami').set('x-tenant', 'acme')).status).toBe(200);
  });

  it('that is no text is a mistake of ours', async () => {
    const application = await serve(framework, parts({ from: () => 7 as unknown as string }));
    expect((await ask(application).get('/whoami')).status).toBe(500);
  });
});

describe('[TEN-1] the option tenant', () => {
  const embedded = { mode: 'embedded', logLevel: 'silent' } as const;

  it('says what is wrong with it', async () => {
    const options = { form: () => 'a', required: 'yes' } as unknown as TenantModuleOptions;
    const { message } = await startFailure({ imports: [ValkeyModule.forRoot({ ...embedded, tenant: options })] });
    expect(message).toContain('tenant.from is missing');
    expect(message).toContain("Did you mean 'from'?");
    expect(message).toContain('tenant.required is "yes"');
  });

  it('stands in one registration only', async () => {
    const error = await startFailure({
      imports: [
        ValkeyModule.forRoot({ ...embedded, tenant: byHeader }),
        ValkeyModule.forRoot({ ...embedded, name: 'sessions', tenant: byHeader }),
      ],
    });
    expect(error.message).toMatch(/tenant of the client ".*" says again/);
  });

  it('leaves an application without it as it is, with interceptors of its own', async () => {
    class Marks implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((body: object) => ({ ...body, marked: true })));
      }
    }
    @Controller()
    class Plain {
      @Get('plain')
      plain(): object {
        return { tenant: currentTenant() ?? null };
      }
    }
    const application = await serve('Express', {
      controllers: [Plain],
      providers: [{ provide: APP_INTERCEPTOR, useClass: Marks }],
    });
    const { status, body } = await ask(application).get('/plain').set('x-tenant', 'acme');
    expect([status, body]).toEqual([200, { tenant: null, marked: true }]);
  });

  it('works with forRootAsync too', async () => {
    const application = await start({
      imports: [ValkeyModule.forRootAsync({ useFactory: () => ({ ...embedded, tenant: byHeader }) })],
      controllers: [TenantController],
      providers: parts(byHeader).providers,
    });
    expect(application.get<CacheService>(CACHE_SERVICE)).toBeDefined();
    expect((await ask(application).get('/whoami').set('x-tenant', 'acme')).body).toEqual({ tenant: 'acme' });
  });
});
