import { ConfigurableModuleBuilder } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { CacheClient } from '../client/cache-client.js';
import { CacheService } from '../features/cache/cache-service.js';
import { resolveCaching } from '../options/cache-options.js';
import type { CachingOptions } from '../options/cache-options.js';
import type { ValkeyOptions } from '../options/options.js';
import { ApplicationClients, ApplicationClientsModule } from './application-clients.js';
import { resolveInterceptors } from './interceptor-sources.js';
import type { InterceptorSource } from './interceptor-sources.js';
import { cacheServiceToken, clientToken, DEFAULT_CLIENT } from './tokens.js';

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

/** The client's options without its name, which the module has to know before a factory runs. */
export type ClientOptions = ValkeyOptions extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'name'> & InterceptionOptions & CacheModuleOptions
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
        inject: [ApplicationClients, OPTIONS_TOKEN, ModuleRef, ModulesContainer],
        useFactory: (
          clients: ApplicationClients,
          options: ValkeyOptions & InterceptionOptions & CacheModuleOptions,
          modules: ModuleRef,
          container: ModulesContainer,
        ): Promise<CacheClient> => {
          const { interceptors = [], cache, ...ownOptions } = options;
          // Before a connection is opened: what is wrong with it is told at once.
          resolveCaching(cache);
          return clients.open(name, ownOptions, () => resolveInterceptors(interceptors, modules, container));
        },
      };
      const caching = {
        provide: cacheServiceToken(name),
        inject: [client.provide, OPTIONS_TOKEN],
        useFactory: (opened: CacheClient, { cache }: CacheModuleOptions): CacheService =>
          new CacheService(opened, cache),
      };
      return {
        ...definition,
        global: isGlobal,
        imports: [...(definition.imports ?? []), ApplicationClientsModule],
        providers: [...(definition.providers ?? []), client, caching],
        exports: [...(definition.exports ?? []), client.provide, caching.provide],
      };
    })
    .build();
