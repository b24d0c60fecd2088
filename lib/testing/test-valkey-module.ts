import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { CacheService } from '../features/cache/cache-service.js';
import { cacheServiceToken, clientToken, DEFAULT_CLIENT } from '../nest/tokens.js';
import type { CachingOptions } from '../options/cache-options.js';
import { createTestClient } from './test-client.js';
import type { TestClient, TestClientOptions } from './test-client.js';

/** How the module for tests is set up: a test client's options, and where the client is injected. */
export interface TestValkeyModuleOptions extends TestClientOptions {
  /** Whether other modules may inject it without importing this one. Default true. */
  readonly isGlobal?: boolean;
  /** What its caches do. Default: as the real module, but nothing is kept outside of the store: its clock rules. */
  readonly cache?: CachingOptions;
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

/** The instance's own client, under the same token in each; not exported. */
const OWN_TEST_CLIENT = Symbol('OWN_TEST_CLIENT');

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

  constructor(@Inject(OWN_TEST_CLIENT) test: TestClient) {
    this.#test = test;
  }

  /** Registers a client; with `name` a further one, for `@InjectClient(name)`. */
  static forRoot({ isGlobal = true, cache, ...options }: TestValkeyModuleOptions = {}): DynamicModule {
    const { name = DEFAULT_CLIENT } = options;
    const [token, testToken, cacheToken] = [clientToken(name), testClientToken(name), cacheServiceToken(name)];
    return {
      module: TestValkeyModule,
      global: isGlobal,
      providers: [
        { provide: testToken, useFactory: (): Promise<TestClient> => createTestClient(options) },
        { provide: OWN_TEST_CLIENT, useExisting: testToken },
        { provide: token, inject: [testToken], useFactory: ({ client }: TestClient): unknown => client },
        {
          provide: cacheToken,
          inject: [testToken],
          useFactory: ({ client }: TestClient): CacheService => new CacheService(client, { near: false, ...cache }),
        },
      ],
      exports: [token, testToken, cacheToken],
    };
  }

  /** Ends the client. */
  async onApplicationShutdown(): Promise<void> {
    await this.#test.client.close();
  }
}
