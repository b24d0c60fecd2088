import { ConfigurableModuleBuilder } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { CacheClient } from '../client/cache-client.js';
import { CacheService } from '../features/cache/cache-service.js';
import { RateLimiter } from '../features/rate-limit/rate-limiter.js';
import { resolveCaching } from '../options/cache-options.js';
import type { CachingOptions } from '../options/cache-options.js';
import type { ValkeyOptions } from '../options/options.js';
import { ApplicationClients, ApplicationClientsModule } from './application-clients.js';
import { CachedRoutesModule } from './http-cache/cached-routes.js';
import { checkIdempotency, idempotencyProvider } from './idempotency/idempotency-provider.js';
import type { IdempotencyModuleOptions } from './idempotency/idempotency-provider.js';
import { resolveInterceptors } from './interceptor-sources.js';
import type { InterceptorSource } from './interceptor-sources.js';
import { checkLocking, lockProvider } from './lock/lock-provider.js';
import type { LockingOptions } from './lock/lock-provider.js';
import { ApplicationLimits, ApplicationLimitsModule } from './rate-limit/application-limits.js';
import { resolveLimitSettings } from './rate-limit/module-options.js';
import { defaultGuard } from './rate-limit/rate-limit-guard.js';
import type { RateLimitModuleOptions } from './rate-limit/rate-limit-options.js';
import { ApplicationTenancy, ApplicationTenancyModule } from './tenancy/application-tenancy.js';
import { tenantInterceptor } from './tenancy/tenant-interceptor.js';
import type { TenantModuleOptions } from './tenancy/tenant-options.js';
import { cacheServiceToken, clientToken, DEFAULT_CLIENT, rateLimiterToken } from './tokens.js';

/** What `forRoot` and `forRootAsync` take beside the client's own options. */
export interface ValkeyModuleExtras {
  /** Makes the client injectable everywhere without importing the module again. Default true. */
  isGlobal?: boolean;
  /** Registers a further client beside the unnamed one; inject it with `@InjectClient(name)`. Default `default`. */
  name?: string;
}

/** What stands around a client's commands. */
export interface InterceptionOptions {
  /**
   * Around every command, the first one outermost: objects, or classes and tokens of providers of any module. Default:
   * none.
   */
  readonly interceptors?: readonly InterceptorSource[];
}

/** What the client's caches do. */
export interface CacheModuleOptions {
  /** Of all caches of this client, and of single ones by name. Default: entries of 5 minutes, 32 MiB of each in process. */
  readonly cache?: CachingOptions;
}

/** What limits calls. */
export interface RateLimitingOptions {
  /**
   * How this client's limiter and the decorators that use it behave, and what handlers without a decorator admit. Default:
   * a limiter of its own in each process while the store is away, and no limit without a decorator.
   */
  readonly rateLimit?: RateLimitModuleOptions;
}

/** What knows tenants. */
export interface TenancyOptions {
  /** How the tenant of a request is found; for the whole application. Default: there is none but by `runAsTenant()`. */
  readonly tenant?: TenantModuleOptions;
}

/** What a client's options say beside how it reaches its servers. */
export interface FeatureOptions
  extends
    InterceptionOptions,
    CacheModuleOptions,
    RateLimitingOptions,
    LockingOptions,
    IdempotencyModuleOptions,
    TenancyOptions {}

/** The client's options without its name, which the module has to know before a factory runs. */
export type ClientOptions = ValkeyOptions extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'name'> & FeatureOptions
    : never
  : never;

/** The options as the module's own factory gives them; not exported. */
const OPTIONS_TOKEN = Symbol('VALKEY_OPTIONS');

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<ClientOptions>({ optionsInjectionToken: OPTIONS_TOKEN })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createValkeyOptions')
    .setExtras<ValkeyModuleExtras>({ isGlobal: true, name: DEFAULT_CLIENT }, (definition, extras) => {
      const { isGlobal = true, name = DEFAULT_CLIENT } = extras;
      const client = {
        provide: clientToken(name),
        inject: [ApplicationClients, OPTIONS_TOKEN, ModuleRef, ModulesContainer, ApplicationLimits, ApplicationTenancy],
        useFactory: (
          clients: ApplicationClients,
          options: ValkeyOptions & FeatureOptions,
          modules: ModuleRef,
          container: ModulesContainer,
          limits: ApplicationLimits,
          tenancy: ApplicationTenancy,
        ): Promise<CacheClient> => {
          const { interceptors = [], cache, rateLimit, lock, idempotency, tenant, ...ownOptions } = options;
          // Before a connection is opened: what is wrong is told at once, and leaves no other client open.
          return clients.open(name, ownOptions, async () => {
            resolveCaching(cache);
            checkIdempotency(idempotency, container);
            checkLocking(lock, name, container);
            tenancy.prepare(name, tenant);
            limits.prepare(name, resolveLimitSettings(rateLimit, name));
            return resolveInterceptors(interceptors, modules, container);
          });
        },
      };
      const caching = {
        provide: cacheServiceToken(name),
        inject: [client.provide, OPTIONS_TOKEN],
        useFactory: (opened: CacheClient, { cache }: CacheModuleOptions): CacheService =>
          new CacheService(opened, cache),
      };
      const limiting = {
        provide: rateLimiterToken(name),
        inject: [client.provide, OPTIONS_TOKEN, ApplicationLimits, ApplicationClients],
        useFactory: (
          opened: CacheClient,
          { rateLimit }: RateLimitingOptions,
          limits: ApplicationLimits,
          clients: ApplicationClients,
        ): RateLimiter => {
          const limiter = new RateLimiter(opened, resolveLimitSettings(rateLimit, name).limiter);
          limits.add(name, limiter);
          clients.whenClosing(() => limiter.close());
          return limiter;
        },
      };
      const locking = lockProvider(name, OPTIONS_TOKEN);
      const idempotent = idempotencyProvider(name, OPTIONS_TOKEN);
      return {
        ...definition,
        global: isGlobal,
        imports: [
          ...(definition.imports ?? []),
          ApplicationClientsModule,
          ApplicationLimitsModule,
          ApplicationTenancyModule,
          CachedRoutesModule,
        ],
        providers: [
          ...(definition.providers ?? []),
          client,
          caching,
          limiting,
          locking,
          idempotent,
          defaultGuard(name),
          tenantInterceptor(name),
        ],
        exports: [
          ...(definition.exports ?? []),
          client.provide,
          caching.provide,
          limiting.provide,
          idempotent.provide,
          locking.provide,
        ],
      };
    })
    .build();
