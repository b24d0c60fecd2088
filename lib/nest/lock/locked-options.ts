import type { ValkeyError } from '../../core/errors.js';
import type { LockOptions } from '../../options/lock-options.js';
import type { CachingDecorator, FromCall } from '../cache/cached-method.js';

/** What `@Locked()` takes. `A` to `F` are the method's parameters, `S` its `this`. */
export interface LockedOptions<
  S = unknown,
  A = unknown,
  B = unknown,
  C = unknown,
  D = unknown,
  E = unknown,
  F = unknown,
> extends LockOptions {
  /**
   * What is locked: a template such as `'order:{0}'` or `'order:{0.id}'`, several of them, or a function of the arguments
   * that gives one name or several. No default.
   */
  readonly key: string | readonly string[] | FromCall<string | readonly string[], S, A, B, C, D, E, F>;
  /** Name of the client whose locks these are. Default: `'default'`. */
  readonly client?: string;
  /**
   * What to throw instead when the lock was not to be had (VALKEY_LOCK_NOT_ACQUIRED), was lost while the method ran
   * (VALKEY_LOCK_LOST), or the store did not answer (its error). Default: the error itself.
   */
  readonly error?: (error: ValkeyError) => Error;
}

/** Stands on methods that return a promise and that the functions of `@Locked()` fit. */
export type LockedDecorator<S, Taken extends readonly unknown[]> = CachingDecorator<unknown, S, Taken>;
