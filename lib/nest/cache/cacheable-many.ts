import type { CacheService } from '../../features/cache/cache-service.js';
import type { LoadOptions } from '../../features/cache/load-options.js';
import { ArgumentError } from '../../core/errors.js';
import { CALL_OPTIONS, checkMethodOptions } from '../../options/cache-options.js';
import { decoratedMethod, replaceMethod } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import { saidMode } from './cache-mode.js';
import { modes } from './cacheable.js';
import type { CachingManyDecorator, Shape } from './cached-method.js';
import type { CacheableManyOptions } from './caching-decorator-options.js';
import { givenKey, ownKey } from './call-key.js';
import { isAFunction, isMode, refuseStatic, STORING } from './decorator-checks.js';
import { injectCaches } from './injected-caches.js';
import { callParts, fixedOptions } from './method-options.js';

/**
 * Keeps what a method gives for each of several items. All are read at once, and the method is called once, with those
 * that are missing.
 *
 * @example
 * ```ts
 * @CacheableMany({ key: (id: string) => `product:${id}`, ttl: '5m', returns: 'map' })
 * async findAll(ids: readonly string[]): Promise<ReadonlyMap<string, Product>> {
 *   const found = await this.repository.findAll(ids);
 *   return new Map(found.map((product) => [product.id, product]));
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function CacheableMany<
  W extends Shape = 'array',
  R = unknown,
  S = unknown,
  I = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
>(options: CacheableManyOptions<W, R, S, I, B, C, D, E, F> = {}): CachingManyDecorator<R, S, I, [B, C, D, E, F], W> {
  return (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = decoratedMethod('@CacheableMany()', target, name, descriptor);
    refuseStatic('@CacheableMany()', target, decorated);
    const { place, method } = decorated;
    checkMethodOptions(place, options, CALL_OPTIONS, {
      ...STORING,
      mode: isMode,
      staleOn: isAFunction,
      returns: (value) => (value === 'array' || value === 'map' ? undefined : "'array' or 'map'"),
    });
    const { key, when, client, cache, returns } = options;
    const keyOf = key === undefined ? ownKey(String(name)) : givenKey(key, place);
    const fixed = fixedOptions(options);
    const refreshing: LoadOptions<unknown> = { ...fixed, mode: 'refresh' };
    const partsOf = callParts(options);
    const modeOf = modes(options.mode);
    const cachesOf = injectCaches(target, client);
    const obtain = async (self: unknown, args: readonly unknown[], caches: CacheService): Promise<unknown> => {
      const run = (items: readonly unknown[]): unknown => Reflect.apply(method, self, [items, ...rest]);
      const [items, ...rest] = args;
      if (!Array.isArray(items)) throw notItems(place);
      if (when && !Reflect.apply(when as Callable, self, args)) return run(items);
      const mode = saidMode() ?? modeOf(self, args);
      if (mode === 'bypass') return run(items);
      const keys = items.map((item: unknown) => keyOf(self, [item, ...rest], caches));
      const itemOf = new Map(keys.map((each, index) => [each, items[index] as unknown]));
      const load = async (missing: readonly string[]): Promise<readonly unknown[]> => {
        const wanted = missing.map((each) => itemOf.get(each));
        return inOrder(await run(wanted), wanted, place);
      };
      const parts = partsOf && ((each: string) => partsOf(self, [itemOf.get(each), ...rest]));
      const values = await caches.cache(cache).obtainMany(keys, load, mode === 'use' ? fixed : refreshing, parts);
      return returns === 'map' ? byItem(items, values) : values;
    };
    const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
      const caches = cachesOf(this);
      return caches === undefined ? Reflect.apply(method, this, args) : obtain(this, args, caches);
    };
    replaceMethod(descriptor, method, wrapper);
  };
}

/** The values in the order of the items, whatever the method gave. */
function inOrder(given: unknown, items: readonly unknown[], place: string): readonly unknown[] {
  if (given instanceof Map) return items.map((item) => given.get(item) as unknown);
  if (Array.isArray(given) && given.length === items.length) return given;
  const what = Array.isArray(given) ? `${given.length} values` : 'neither an array nor a Map';
  throw new ArgumentError(
    `${place} gave ${what} for ${items.length} items. It must give a value for each, in their order, undefined for what is not there; or a Map by item, with returns: 'map'.`,
    { subject: place },
  );
}

/** What is not there stays away, as it does in the method's own Map. */
function byItem(items: readonly unknown[], values: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  const found = new Map<unknown, unknown>();
  for (const [index, item] of items.entries()) if (values[index] !== undefined) found.set(item, values[index]);
  return found;
}

function notItems(place: string): ArgumentError {
  return new ArgumentError(`The first argument of ${place} must be an array of items.`, { subject: place });
}
