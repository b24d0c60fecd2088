import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { ConfigurableModuleClass } from './module-definition.js';
import type { ASYNC_OPTIONS_TYPE, OPTIONS_TYPE } from './module-definition.js';

/** What {@link ValkeyModule.forRoot} takes: the client's options, `name` and `isGlobal`. */
export type ValkeyModuleOptions = typeof OPTIONS_TYPE;

/** What {@link ValkeyModule.forRootAsync} takes: `useFactory`, `useClass` or `useExisting`, `name` and `isGlobal`. */
export type ValkeyModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/**
 * Registers a client that can be injected everywhere: `@Inject(CACHE_CLIENT)`, or `@InjectClient(name)` for further ones.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     ValkeyModule.forRoot({ host: 'cache.internal' }),
 *     ValkeyModule.forRoot({ name: 'sessions', uri: 'valkeys://sessions.internal' }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
@Module({})
export class ValkeyModule extends ConfigurableModuleClass {
  /**
   * Registers a client. Without options it reads the environment (`VALKEY_…`, then `CACHE_…`, then `REDIS_…`); with
   * nothing there either it keeps its data in this process, which production refuses unless `mode: 'embedded'` is written.
   */
  static override forRoot(options: ValkeyModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** The same with options from a factory, a class or an existing provider. */
  static override forRootAsync(options: ValkeyModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}
