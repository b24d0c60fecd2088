import { checkMethodOptions } from '../../options/cache-options.js';
import { decoratedMethod, replaceMethod } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import type { CachingDecorator } from './cached-method.js';
import type { CachePutOptions } from './caching-decorator-options.js';
import { givenKey } from './call-key.js';
import { isFlag, isKey, refuseStatic, STORING } from './decorator-checks.js';
import { injectCaches } from './injected-caches.js';
import { callParts, fixedOptions } from './method-options.js';

/**
 * Runs the method each time and keeps its result, for those who read it under the same key. If the entry is evicted while
 * the method runs, or somebody else changes it as well, nobody can tell which result is the newer one: then nothing is
 * kept.
 *
 * @example
 * ```ts
 * @CachePut({ key: (id: string) => `product:${id}`, tags: (id) => [`product:${id}`] })
 * rename(id: string, name: string): Promise<Product> {
 *   return this.repository.rename(id, name);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function CachePut<
  R = unknown,
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
>(options: CachePutOptions<R, S, A, B, C, D, E, F>): CachingDecorator<R, S, [A, B, C, D, E, F]> {
  return (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = decoratedMethod('@CachePut()', target, name, descriptor);
    refuseStatic('@CachePut()', target, decorated);
    const { place, method } = decorated;
    checkMethodOptions(place, options, ['ttl', 'jitter', 'staleFor', 'nullTtl', 'hardTimeout'], {
      ...STORING,
      required: isFlag,
    });
    // Without types it may be missing.
    checkMethodOptions(place, { key: options.key ?? null }, [], { key: isKey });
    const { key, when, client, cache, required = false } = options;
    const keyOf = givenKey(key, place);
    const fixed = fixedOptions(options);
    const partsOf = callParts(options);
    const cachesOf = injectCaches(target, client);
    const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
      const caches = cachesOf(this);
      const run = (): unknown => Reflect.apply(method, this, args);
      if (caches === undefined) return run();
      try {
        if (when && !Reflect.apply(when as Callable, this, args)) return run();
        const kept = caches.cache(cache);
        const stored = keyOf(this, args, caches);
        const onFailure = (error: unknown): void => {
          if (required) throw error;
          kept.oweEviction([stored], error);
        };
        const own = partsOf ? { ...fixed, ...partsOf(this, args) } : fixed;
        return kept.replace(stored, run, own, onFailure);
      } catch (error) {
        return Promise.reject(error);
      }
    };
    replaceMethod(descriptor, method, wrapper);
  };
}
