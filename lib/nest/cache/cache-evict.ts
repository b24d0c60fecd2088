import type { Cache } from '../../features/cache/cache.js';
import type { CacheService } from '../../features/cache/cache-service.js';
import { ArgumentError, ConfigurationError, isValkeyError } from '../../core/errors.js';
import { checkMethodOptions } from '../../options/cache-options.js';
import { decoratedMethod, isFunction, replaceMethod } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import type { CachingDecorator } from './cached-method.js';
import type { CacheEvictOptions } from './caching-decorator-options.js';
import { givenKey } from './call-key.js';
import { CHOICE, isAFunction, isFlag, isKey, isListOfNames, refuseStatic } from './decorator-checks.js';
import { injectCaches } from './injected-caches.js';

/** Removes what one call makes untrue. Made before the method runs, which may change its arguments. */
interface Removal {
  readonly make: () => Promise<void>;
  /** The store did not take it. */
  readonly owe: (error: unknown) => void;
}

/**
 * Removes entries once the method has worked: one, several, all that carry a tag, or the whole cache. A value that is
 * being loaded meanwhile is not stored. May stand there several times, also beside `@CachePut()`.
 *
 * @example
 * ```ts
 * @CacheEvict({ tags: (id: string) => [`product:${id}`] })
 * async update(id: string, patch: ProductPatch): Promise<void> {
 *   await this.repository.update(id, patch);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function CacheEvict<S = unknown, A = unknown, B = unknown, C = unknown, D = unknown, E = unknown, F = unknown>(
  options: CacheEvictOptions<S, A, B, C, D, E, F>,
): CachingDecorator<unknown, S, [A, B, C, D, E, F]> {
  return (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = decoratedMethod('@CacheEvict()', target, name, descriptor);
    refuseStatic('@CacheEvict()', target, decorated);
    const { place, method } = decorated;
    checkMethodOptions(place, options, [], CHECKS);
    const removalOf = removals(options, place);
    const { when, client, before = false, required = false } = options;
    const cachesOf = injectCaches(target, client);
    const remove = async (removal: Removal): Promise<void> => {
      try {
        await removal.make();
      } catch (error) {
        // A name that is none is nothing a store could take when it is back.
        if (required || isValkeyError(error, 'VALKEY_ARGUMENT_INVALID')) throw error;
        removal.owe(error);
      }
    };
    const run = async (self: unknown, args: readonly unknown[], caches: CacheService): Promise<unknown> => {
      if (when && !Reflect.apply(when as Callable, self, args)) return Reflect.apply(method, self, args);
      const removal = removalOf(self, args, caches);
      if (before) await remove(removal);
      const result: unknown = await Reflect.apply(method, self, args);
      if (!before) await remove(removal);
      return result;
    };
    const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
      const caches = cachesOf(this);
      return caches === undefined ? Reflect.apply(method, this, args) : run(this, args, caches);
    };
    replaceMethod(descriptor, method, wrapper);
  };
}

const CHECKS = {
  ...CHOICE,
  key: isKey,
  keys: isListOfNames,
  tags: isListOfNames,
  all: (value: unknown): string | undefined => (value === true ? undefined : 'true, or left out'),
  before: isFlag,
  required: isFlag,
  when: isAFunction,
};

/** What a call removes, by the one of the options that says it. */
function removals(
  options: CacheEvictOptions<never, never, never, never, never, never, never>,
  place: string,
): (self: unknown, args: readonly unknown[], caches: CacheService) => Removal {
  const { key, keys, tags, all, cache } = options;
  const said = [key, keys, tags, all].filter((each) => each !== undefined).length;
  if (said !== 1) {
    throw new ConfigurationError(
      `@CacheEvict() on ${place} must say what to remove: one of key, keys, tags and all: true, not ${said} of them. For several put it there several times.`,
      { subject: place },
    );
  }
  if (all) {
    return (_self, _args, caches) => {
      const whole = caches.cache(cache);
      return { make: () => whole.clear(), owe: (error) => whole.oweClear(error) };
    };
  }
  if (tags !== undefined) {
    return (self, args, caches) => {
      const names = namesOf(tags, self, args, place);
      return {
        make: () => caches.invalidateTags(...names),
        owe: (error) => caches.oweInvalidation(names, cache, error),
      };
    };
  }
  if (keys !== undefined) {
    return (self, args, caches) => {
      return eviction(caches.cache(cache), namesOf(keys, self, args, place));
    };
  }
  const keyOf = givenKey(key, place);
  return (self, args, caches) => {
    return eviction(caches.cache(cache), checkedNames([keyOf(self, args, caches)], place));
  };
}

function eviction(cache: Cache, keys: readonly string[]): Removal {
  return { make: () => cache.evict(...keys), owe: (error) => cache.oweEviction(keys, error) };
}

function namesOf(
  given: readonly string[] | Callable,
  self: unknown,
  args: readonly unknown[],
  place: string,
): readonly string[] {
  return isFunction(given) ? checkedNames(Reflect.apply(given, self, args), place) : given;
}

/** Before the method runs: afterwards it would be too late to refuse. */
function checkedNames(names: unknown, place: string): readonly string[] {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== ''))
    return [...(names as string[])];
  throw new ArgumentError(`@CacheEvict() on ${place} was given keys or tags that are no text, or empty.`, {
    subject: place,
  });
}
