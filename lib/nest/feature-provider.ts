import type { FactoryProvider, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { CacheService } from '../features/cache/cache-service.js';
import type { Cache } from '../features/cache/cache.js';
import { checkEach, checkGiven, checkObject } from '../options/checks.js';
import type { Checks } from '../options/checks.js';
import { Problems } from '../options/problem.js';
import { CHOICE, isAFunction } from './cache/decorator-checks.js';
import { cacheServiceToken } from './tokens.js';

/** Where a provider is found, and whose client it uses. */
export interface ProviderPlace {
  /** What it is injected by, for a second one of its kind. Default: its class. */
  readonly provide?: InjectionToken;
  /** The client it uses. Default: `'default'`. */
  readonly client?: string;
}

/** How something that reads through a cache is provided. `A`: what `inject` names. */
export interface CachedProviderOptions<O, A extends readonly unknown[]> extends ProviderPlace {
  /** What `useFactory` gets. Default: nothing. */
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[];
  /** Makes its options. No default. */
  readonly useFactory: (...injected: A) => O | Promise<O>;
  /** The name of its cache, whose options it can have under `cache.caches`. Default: see the guide. */
  readonly cache?: string;
}

/** What is provided. */
export interface Provided<O, T> {
  /** What provides it, for messages. */
  readonly by: string;
  readonly token: InjectionToken<T>;
  /** The name of its cache. */
  readonly cache: string;
  readonly make: (cache: Cache, options: O) => T;
}

const PLACE_CHECKS: Checks<ProviderPlace> = {
  provide: (value) =>
    ['string', 'symbol', 'function'].includes(typeof value) ? undefined : 'a token: a class, a symbol or a string',
  client: CHOICE.client,
};

const CHECKS: Checks<CachedProviderOptions<unknown, never>> = {
  ...PLACE_CHECKS,
  inject: (value) => (Array.isArray(value) ? undefined : 'a list of tokens'),
  useFactory: isAFunction,
  cache: CHOICE.cache,
};

/** A provider of something that reads through a cache of its own. */
export function cachedProvider<O, A extends readonly unknown[], T>(
  options: CachedProviderOptions<O, A>,
  { by, token, cache, make }: Provided<O, T>,
): FactoryProvider<T> {
  const problems = new Problems(`The options of ${by}() are wrong:`);
  if (checkObject(options, Object.keys(CHECKS), 'options', problems)) {
    checkGiven(options, ['useFactory'], 'options', problems);
    checkEach(options, CHECKS, 'options', problems);
  }
  problems.throwIfAny();
  const { provide = token, client, inject = [], useFactory, cache: name = cache } = options;
  return {
    provide,
    inject: [cacheServiceToken(client), ...inject],
    useFactory: async (caching: CacheService, ...injected: unknown[]): Promise<T> =>
      make(caching.cache(name), await useFactory(...(injected as unknown as A))),
  };
}

/**
 * Checks where a provider is.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkPlace(place: ProviderPlace, by: string): void {
  const problems = new Problems(`The options of ${by}() are wrong:`);
  checkEach(place, PLACE_CHECKS, 'options', problems);
  problems.throwIfAny();
}
