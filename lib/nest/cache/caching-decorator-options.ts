import type { Duration } from '../../core/duration.js';
import type { CacheMode } from './cache-mode.js';
import type { FromCall, FromResult, Shape } from './cached-method.js';

/** Which cache a method uses. */
export interface CacheChoice {
  /** Name of the cache. Default: `'default'`. */
  readonly cache?: string;
  /** Name of the client it belongs to. Default: `'default'`. */
  readonly client?: string;
}

/** How long what a method gives is kept. What is left out is as the cache's own options say. */
export interface KeepingOptions {
  /** By which part, 0 to 1, the ttl is shortened at random at the most. Default: the cache's. */
  readonly jitter?: number;
  /** How long after its ttl a value may stand in for a call that fails or is slow. Default: the cache's. */
  readonly staleFor?: Duration;
  /** The ttl of null and undefined; `false`: they are not stored. Default: the cache's. */
  readonly nullTtl?: Duration | false;
  /** A method that takes longer has failed with `VALKEY_LOAD_TIMEOUT`. Default: the cache's. */
  readonly hardTimeout?: Duration;
}

/** How a method is called when its value is there, but old. */
export interface RefreshingOptions {
  /** A hit this close to the end of its ttl is refreshed in the background. Default: the cache's. */
  readonly refreshAhead?: Duration;
  /** After a failed call that a stale value stood in for, no other is made for this long. Default: the cache's. */
  readonly staleRetry?: Duration;
  /** A method that takes longer gives way to a stale value, if there is one. Default: the cache's. */
  readonly softTimeout?: Duration;
  /** For which errors of the method a stale value may stand in. Default: all but those with a status of 400 to 499. */
  readonly staleOn?: (error: unknown) => boolean;
}

/** What depends on the arguments and the result. `A` to `F` are the method's parameters, `R` is its result, `S` its `this`. */
export interface StoringOptions<R, S, A, B, C, D, E, F> extends CacheChoice, KeepingOptions {
  /** How long a result is fresh; a function decides by the result. Default: the cache's. */
  readonly ttl?: Duration | FromResult<Duration, R, S, A, B, C, D, E, F>;
  /** Names by which entries are invalidated together. Default: none. */
  readonly tags?: readonly string[] | FromCall<readonly string[], S, A, B, C, D, E, F>;
  /** Tags that follow from the result. Default: none. */
  readonly tagsFrom?: FromResult<readonly string[], R, S, A, B, C, D, E, F>;
  /** True keeps a result from being stored. Default: all are stored. */
  readonly unless?: FromResult<boolean, R, S, A, B, C, D, E, F>;
}

/** What `@Cacheable()` takes. */
export interface CacheableOptions<
  R = unknown,
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
>
  extends StoringOptions<R, S, A, B, C, D, E, F>, RefreshingOptions {
  /**
   * A function of the arguments, or a template such as `'product:{0}'` or `'product:{0.id}'`. Default: class, method and
   * arguments.
   */
  readonly key?: string | FromCall<string, S, A, B, C, D, E, F>;
  /** False runs the method as if there were no cache. Default: always true. */
  readonly when?: FromCall<boolean, S, A, B, C, D, E, F>;
  /** `'bypass'` neither reads nor stores, `'refresh'` stores without reading. {@link withCacheMode} wins. Default: `'use'`. */
  readonly mode?: CacheMode | FromCall<CacheMode, S, A, B, C, D, E, F>;
}

/**
 * What `@CacheableMany()` takes. `I` is an item; functions that decide for one value get the item in place of the array.
 */
export interface CacheableManyOptions<
  W extends Shape = 'array',
  R = unknown,
  S = unknown,
  I = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
>
  extends StoringOptions<R, S, I, B, C, D, E, F>, RefreshingOptions {
  /** A function of the item and the further arguments, or a template with `{0}` for the item. Default: class, method, item, arguments. */
  readonly key?: string | FromCall<string, S, I, B, C, D, E, F>;
  /** What the method gives: values in the order of the items, or a Map by item. Default: `'array'`. */
  readonly returns?: W;
  /** False runs the method as if there were no cache. Default: always true. */
  readonly when?: FromCall<boolean, S, readonly I[], B, C, D, E, F>;
  /** As of `@Cacheable()`, for all items of a call. Default: `'use'`. */
  readonly mode?: CacheMode | FromCall<CacheMode, S, readonly I[], B, C, D, E, F>;
}

/** What `@CachePut()` takes. */
export interface CachePutOptions<
  R = unknown,
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
> extends StoringOptions<R, S, A, B, C, D, E, F> {
  /** Where the result is stored: a function of the arguments, or a template such as `'product:{0}'`. No default. */
  readonly key: string | FromCall<string, S, A, B, C, D, E, F>;
  /** False runs the method as if there were no cache. Default: always true. */
  readonly when?: FromCall<boolean, S, A, B, C, D, E, F>;
  /** Rejects when the result could not be stored and the old entry not be removed. Default: `false`, it becomes an event. */
  readonly required?: boolean;
}

/** When and how something is removed. */
export interface EvictionOptions<S, A, B, C, D, E, F> extends CacheChoice {
  /** Before the method runs, and also if it fails then. Default: `false`, after it has worked. */
  readonly before?: boolean;
  /** False removes nothing. Default: always true. */
  readonly when?: FromCall<boolean, S, A, B, C, D, E, F>;
  /** Rejects when the store is away. Default: `false`, it becomes an event and the result is returned. */
  readonly required?: boolean;
}

/** What `@CacheEvict()` takes: one of `key`, `keys`, `tags` and `all`. */
export type CacheEvictOptions<
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
> = EvictionOptions<S, A, B, C, D, E, F> &
  (
    | {
        /** The entry to remove: a function of the arguments, or a template. */
        readonly key: string | FromCall<string, S, A, B, C, D, E, F>;
        readonly keys?: never;
        readonly tags?: never;
        readonly all?: never;
      }
    | {
        /** Entries to remove. */
        readonly keys: readonly string[] | FromCall<readonly string[], S, A, B, C, D, E, F>;
        readonly key?: never;
        readonly tags?: never;
        readonly all?: never;
      }
    | {
        /** Everything that carries one of them is invalidated, in all caches of the client. */
        readonly tags: readonly string[] | FromCall<readonly string[], S, A, B, C, D, E, F>;
        readonly key?: never;
        readonly keys?: never;
        readonly all?: never;
      }
    | {
        /** Empties the cache. */
        readonly all: true;
        readonly key?: never;
        readonly keys?: never;
        readonly tags?: never;
      }
  );
