import type { CacheService } from '../../features/cache/cache-service.js';
import type { LoadOptions } from '../../features/cache/load-options.js';
import { CALL_OPTIONS, checkMethodOptions } from '../../options/cache-options.js';
import { decoratedMethod, isFunction, replaceMethod } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import { saidMode } from './cache-mode.js';
import type { CacheMode } from './cache-mode.js';
import type { CachingDecorator } from './cached-method.js';
import type { CacheableOptions } from './caching-decorator-options.js';
import { givenKey, ownKey } from './call-key.js';
import { isAFunction, isMode, refuseStatic, STORING } from './decorator-checks.js';
import { injectCaches } from './injected-caches.js';
import { callParts, fixedOptions } from './method-options.js';

/**
 * Keeps what a method gives. Called again with the same arguments, in whatever process, the method does not run as long
 * as the value is fresh; many who ask at once wait for one call of it. When the store is away the method runs.
 *
 * The class gets its cache injected, so it has to be a provider or a controller; on an instance made with `new` the
 * method just runs.
 *
 * @example
 * ```ts
 * @Cacheable({ key: (id: string) => `product:${id}`, ttl: '5m', staleFor: '1h', tags: (id) => [`product:${id}`] })
 * find(id: string): Promise<Product> {
 *   return this.repository.find(id);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function Cacheable<
  R = unknown,
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
>(options: CacheableOptions<R, S, A, B, C, D, E, F> = {}): CachingDecorator<R, S, [A, B, C, D, E, F]> {
  return (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = decoratedMethod('@Cacheable()', target, name, descriptor);
    refuseStatic('@Cacheable()', target, decorated);
    const { place, method } = decorated;
    checkMethodOptions(place, options, CALL_OPTIONS, { ...STORING, mode: isMode, staleOn: isAFunction });
    const { key, when, client, cache } = options;
    const keyOf = key === undefined ? ownKey(String(name)) : givenKey(key, place);
    const fixed = fixedOptions(options);
    const refreshing: LoadOptions<unknown> = { ...fixed, mode: 'refresh' };
    const partsOf = callParts(options);
    const modeOf = modes(options.mode);
    const cachesOf = injectCaches(target, client);
    const obtain = (self: unknown, args: readonly unknown[], caches: CacheService): Promise<unknown> => {
      const mode = saidMode() ?? modeOf(self, args);
      const run = (): unknown => Reflect.apply(method, self, args);
      if (mode === 'bypass') return run() as Promise<unknown>;
      return caches
        .cache(cache)
        .obtain(
          keyOf(self, args, caches),
          run,
          mode === 'use' ? fixed : refreshing,
          partsOf && (() => partsOf(self, args)),
        );
    };
    const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
      const caches = cachesOf(this);
      if (caches === undefined) return Reflect.apply(method, this, args);
      try {
        if (when && !Reflect.apply(when as Callable, this, args)) return Reflect.apply(method, this, args);
        return obtain(this, args, caches);
      } catch (error) {
        return Promise.reject(error);
      }
    };
    replaceMethod(descriptor, method, wrapper);
  };
}

/** What a decorator says about the mode of a call. */
export function modes(mode: CacheMode | Callable | undefined): (self: unknown, args: readonly unknown[]) => CacheMode {
  if (isFunction(mode)) return (self, args) => Reflect.apply(mode, self, args) as CacheMode;
  const fixed = mode ?? 'use';
  return () => fixed;
}
