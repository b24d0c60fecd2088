import type { Duration } from '../../core/duration.js';

/** What a loader may want to know. */
export interface LoadContext {
  /** Aborted when the loader has taken longer than `hardTimeout`: nobody waits for its result any more. */
  readonly signal: AbortSignal;
}

/** Gets the value from where it really is. */
export type Load<T> = (context: LoadContext) => Promise<T> | T;

/** How a value is stored. What is left out is as the cache's own options say. */
export interface StoreOptions<T> {
  /** How long it is fresh; a function decides by the value. Default: the cache's. */
  readonly ttl?: Duration | ((value: T) => Duration);
  /** By which part, 0 to 1, the ttl is shortened at random at the most. Default: the cache's. */
  readonly jitter?: number;
  /** How long after its ttl it may stand in for a load that fails or is slow. Default: the cache's. */
  readonly staleFor?: Duration;
  /** The ttl of null and undefined; `false`: they are not stored. Default: the cache's. */
  readonly nullTtl?: Duration | false;
  /** Names by which it can be invalidated together with others; a function is asked when they are needed. Default: none. */
  readonly tags?: readonly string[] | (() => readonly string[]);
  /** Tags that follow from the value. Default: none. */
  readonly tagsFrom?: (value: T) => readonly string[];
  /** True keeps a value from being stored. Default: all are stored. */
  readonly unless?: (value: T) => boolean;
}

/** How a value is loaded and stored. */
export interface LoadOptions<T> extends StoreOptions<T> {
  /** A hit this close to the end of its ttl is refreshed in the background. Default: the cache's. */
  readonly refreshAhead?: Duration;
  /** After a failed load that a stale value stood in for, no other is tried for this long. Default: the cache's. */
  readonly staleRetry?: Duration;
  /** A loader that takes longer gives way to a stale value, if there is one; its result is stored all the same. Default: the cache's. */
  readonly softTimeout?: Duration;
  /** A loader that takes longer has failed. Default: the cache's. */
  readonly hardTimeout?: Duration;
  /** `bypass` runs the loader and stores nothing, `refresh` runs it and stores. Default `'use'`. */
  readonly mode?: 'use' | 'bypass' | 'refresh';
  /** For which errors of the loader a stale value may stand in. Default: all but those with a status of 400 to 499. */
  readonly staleOn?: (error: unknown) => boolean;
}
