import { ConfigurableModuleBuilder } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { CacheClient } from '../client/cache-client.js';
import type { ValkeyOptions } from '../options/options.js';
import { ApplicationClients, ApplicationClientsModule } from './application-clients.js';
import { resolveInterceptors } from './interceptor-sources.js';
import type { InterceptorSource } from './interceptor-sources.js';
import { clientToken, DEFAULT_CLIENT } from './tokens.js';

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

/** The client's options without its name, which the module has to know before a factory runs. */
export type ClientOptions = ValkeyOptions extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'name'> & InterceptionOptions
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
          options: ValkeyOptions & InterceptionOptions,
          modules: ModuleRef,
          container: ModulesContainer,
        ): Promise<CacheClient> => {
          const { interceptors = [], ...ownOptions } = options;
          return clients.open(name, ownOptions, () => resolveInterceptors(interceptors, modules, container));
        },
      };
      return {
        ...definition,
        global: isGlobal,
        imports: [...(definition.imports ?? []), ApplicationClientsModule],
        providers: [...(definition.providers ?? []), client],
        exports: [...(definition.exports ?? []), client.provide],
      };
    })
    .build();
