import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { CacheService } from '../features/cache/cache-service.js';
import { LockService } from '../features/lock/lock-service.js';
import { RateLimiter } from '../features/rate-limit/rate-limiter.js';
import { CachedRoutesModule } from '../nest/http-cache/cached-routes.js';
import { ApplicationLimits, ApplicationLimitsModule } from '../nest/rate-limit/application-limits.js';
import { resolveLimitSettings } from '../nest/rate-limit/module-options.js';
import { defaultGuard } from '../nest/rate-limit/rate-limit-guard.js';
import type { RateLimitModuleOptions } from '../nest/rate-limit/rate-limit-options.js';
import { cacheServiceToken, clientToken, DEFAULT_CLIENT, lockServiceToken, rateLimiterToken } from '../nest/tokens.js';
import type { CachingOptions } from '../options/cache-options.js';
import type { LockOptions } from '../options/lock-options.js';
import { createTestClient } from './test-client.js';
import type { TestClient, TestClientOptions } from './test-client.js';

/** How the module for tests is set up: a test client's options, and where the client is injected. */
export interface TestValkeyModuleOptions extends TestClientOptions {
  /** Whether other modules may inject it without importing this one. Default true. */
  readonly isGlobal?: boolean;
  /** What its caches do. Default: as the real module, but nothing is kept outside of the store: its clock rules. */
  readonly cache?: CachingOptions;
  /** What limits calls. Default: as the real module, but no refusal is remembered outside of the store. */
  readonly rateLimit?: RateLimitModuleOptions;
  /** How locks are taken and held, on this client's store alone. Default: as the real module. */
  readonly lock?: LockOptions;
}

const TOKENS = new Map<string, symbol>();

/** The token of a {@link TestValkeyModule}'s client with its clock and store: `module.get(testClientToken())`. */
export function testClientToken(name: string = DEFAULT_CLIENT): symbol {
  let token = TOKENS.get(name);
  if (!token) {
    token = Symbol(`TEST_CLIENT(${name})`);
    TOKENS.set(name, token);
  }
  return token;
}

/** The instance's own client, limiter and locks, under the same tokens in each; not exported. */
const OWN_TEST_CLIENT = Symbol('OWN_TEST_CLIENT');
const OWN_LIMITER = Symbol('OWN_LIMITER');
const OWN_LOCKS = Symbol('OWN_LOCKS');

/**
 * Stands in for ValkeyModule in a test: the same tokens, but the client keeps its data in the process, by a clock of its
 * own. It is closed with the application.
 *
 * @example
 * ```ts
 * const module = await Test.createTestingModule({
 *   imports: [TestValkeyModule.forRoot()],
 *   providers: [ProductService],
 * }).compile();
 * const { clock } = module.get<TestClient>(testClientToken());
 * clock.advance('5m');
 * ```
 */
@Module({})
export class TestValkeyModule implements OnApplicationShutdown {
  readonly #test: TestClient;
  readonly #limiter: RateLimiter;
  readonly #locks: LockService;

  constructor(
    @Inject(OWN_TEST_CLIENT) test: TestClient,
    @Inject(OWN_LIMITER) limiter: RateLimiter,
    @Inject(OWN_LOCKS) locks: LockService,
  ) {
    this.#test = test;
    this.#limiter = limiter;
    this.#locks = locks;
  }

  /** Registers a client; with `name` a further one, for `@InjectClient(name)`. */
  static forRoot({ isGlobal = true, cache, rateLimit, lock, ...options }: TestValkeyModuleOptions = {}): DynamicModule {
    const { name = DEFAULT_CLIENT } = options;
    const [token, testToken, cacheToken] = [clientToken(name), testClientToken(name), cacheServiceToken(name)];
    const [limiterToken, lockToken] = [rateLimiterToken(name), lockServiceToken(name)];
    return {
      module: TestValkeyModule,
      global: isGlobal,
      imports: [ApplicationLimitsModule, CachedRoutesModule],
      providers: [
        { provide: testToken, useFactory: (): Promise<TestClient> => createTestClient(options) },
        { provide: OWN_TEST_CLIENT, useExisting: testToken },
        { provide: token, inject: [testToken], useFactory: ({ client }: TestClient): unknown => client },
        {
          provide: cacheToken,
          inject: [testToken],
          useFactory: ({ client }: TestClient): CacheService => new CacheService(client, { near: false, ...cache }),
        },
        {
          provide: limiterToken,
          inject: [testToken, ApplicationLimits],
          useFactory: ({ client }: TestClient, limits: ApplicationLimits): RateLimiter => {
            const settings = resolveLimitSettings(rateLimit, name);
            limits.prepare(name, settings);
            const limiter = new RateLimiter(client, { blockList: 0, ...settings.limiter });
            limits.add(name, limiter);
            return limiter;
          },
        },
        { provide: OWN_LIMITER, useExisting: limiterToken },
        {
          provide: lockToken,
          inject: [testToken],
          useFactory: ({ client }: TestClient): LockService => new LockService(client, lock),
        },
        { provide: OWN_LOCKS, useExisting: lockToken },
        defaultGuard(name),
      ],
      exports: [token, testToken, cacheToken, limiterToken, lockToken],
    };
  }

  /** Ends the client. */
  async onApplicationShutdown(): Promise<void> {
    await this.#locks.close();
    await Promise.all([this.#test.client.close(), this.#limiter.close()]);
  }
}
