import { Inject, Injectable, Module } from '@nestjs/common';
import type {
  CommandCall,
  CommandInterceptor,
  InterceptorFactory,
  NextInterceptor,
  ObservedClient,
  Reply,
} from 'nestjs-valkey';
import { CACHE_CLIENT, CacheClient, clientToken, ValkeyModule } from 'nestjs-valkey';
import { closeApplications, start, startFailure } from './application.js';

afterEach(async () => {
  await closeApplications();
  trace.length = 0;
});

const embedded = { mode: 'embedded' } as const;
const trace: string[] = [];

@Injectable()
class Prices {
  readonly currency = 'EUR';
}

/** Needs something of its module's, and counts its instances' calls. */
@Injectable()
class Auditor implements CommandInterceptor {
  calls = 0;

  constructor(@Inject(Prices) private readonly prices: Prices) {}

  intercept(call: CommandCall, next: NextInterceptor): Promise<Reply> {
    this.calls += 1;
    trace.push(`auditor ${this.prices.currency}`);
    return next(call);
  }
}

@Module({ providers: [Prices, Auditor] })
class AuditModule {}

@Module({ providers: [Prices], exports: [Prices] })
class PricesModule {}

const plain: CommandInterceptor = {
  intercept: (call, next) => {
    trace.push('plain');
    return next(call);
  },
};

describe('[HOK-1] interceptors of the module', () => {
  it('may be objects, classes and tokens, in the order given', async () => {
    const byToken: CommandInterceptor = {
      intercept: (call, next) => {
        trace.push('token');
        return next(call);
      },
    };
    const application = await start({
      imports: [ValkeyModule.forRoot({ ...embedded, interceptors: ['AUDIT', plain, Auditor] }), AuditModule],
      providers: [{ provide: 'AUDIT', useFactory: async () => Promise.resolve(byToken) }],
    });

    await application.get<CacheClient>(CACHE_CLIENT).get('key');

    expect(trace).toEqual(['token', 'plain', 'auditor EUR']);
  });

  it('are the very instances of providers, also of a module that does not export them', async () => {
    const application = await start({
      imports: [ValkeyModule.forRoot({ ...embedded, interceptors: [Auditor] }), AuditModule],
    });

    await application.get<CacheClient>(CACHE_CLIENT).get('key');

    expect(application.get(Auditor, { strict: false }).calls).toBe(1);
  });

  it('wait for a provider that takes its time', async () => {
    const slow = new Promise<CommandInterceptor>((resolve) => void setImmediate(() => resolve(plain)));
    const application = await start({
      imports: [ValkeyModule.forRoot({ ...embedded, interceptors: ['SLOW'] })],
      providers: [{ provide: 'SLOW', useFactory: () => slow }],
    });

    await application.get<CacheClient>(CACHE_CLIENT).get('key');

    expect(trace).toEqual(['plain']);
  });

  it('are made with what their constructor asks for, when nobody provides them', async () => {
    const application = await start({
      imports: [
        ValkeyModule.forRootAsync({
          imports: [PricesModule],
          useFactory: () => ({ ...embedded, interceptors: [Auditor] }),
        }),
      ],
    });

    await application.get<CacheClient>(CACHE_CLIENT).get('key');

    expect(trace).toEqual(['auditor EUR']);
    expect(() => application.get(Auditor, { strict: false })).toThrow('Auditor');
  });

  it('belong to the client they are given to; a factory makes one for each', async () => {
    const seen: string[] = [];
    const factory: InterceptorFactory = {
      forClient: ({ client }: ObservedClient) => ({
        beforeCommand: ({ command }) => void seen.push(`${client} ${command}`),
      }),
    };
    const application = await start({
      imports: [
        ValkeyModule.forRoot({ ...embedded, interceptors: [factory] }),
        ValkeyModule.forRoot({ ...embedded, name: 'sessions', interceptors: [factory] }),
        ValkeyModule.forRoot({ ...embedded, name: 'plain' }),
      ],
    });

    await application.get<CacheClient>(CACHE_CLIENT).get('key');
    await application.get<CacheClient>(clientToken('sessions')).set('key', 'value');
    await application.get<CacheClient>(clientToken('plain')).get('key');

    expect(seen).toEqual(['default GET', 'sessions SET']);
  });

  class Nothing {}

  it.each([
    ['an object without a method', [plain, {}], 'VALKEY_ARGUMENT_INVALID', 'interceptors[1]'],
    ['a class without a method', [Nothing], 'VALKEY_ARGUMENT_INVALID', 'interceptors[0]'],
    ['no list', plain, 'VALKEY_ARGUMENT_INVALID', 'interceptors must be an array'],
    ['a token nobody provides', [plain, 'NOBODY'], 'VALKEY_CONFIGURATION_INVALID', 'interceptors[1] names NOBODY'],
  ])('fail the start when one is none: %s', async (_what, interceptors, code, hint) => {
    const error = await startFailure({
      imports: [ValkeyModule.forRoot({ ...embedded, interceptors: interceptors as never })],
    });

    expect(error).toMatchObject({ code, subject: 'interceptors' });
    expect(error.message).toContain(hint);
  });

  it('fail the start, instead of holding it up, when one asks for the client it belongs to', async () => {
    @Injectable()
    class Circular {
      constructor(@Inject(CACHE_CLIENT) readonly client: CacheClient) {}

      beforeCommand(): void {
        trace.push('circular');
      }
    }
    const error = await startFailure({
      imports: [ValkeyModule.forRoot({ ...embedded, interceptors: [Circular] })],
      providers: [Circular],
    });

    expect(error.message).toContain('cannot inject the client it belongs to');
  });
});
