import { isValkeyError } from '../../core/errors.js';

/**
 * What an error says about what was called: it failed; it is well and said no; or nothing, because it was never reached
 * or nobody waited for it.
 */
export type Verdict = 'failure' | 'answer' | 'nothing';

/** How one attempt ended. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown; readonly verdict: Verdict };

/** Judges errors; `retryIf` has a say in all that were neither refused unsent nor aborted. */
export function judge(error: unknown, retryIf: (error: unknown) => boolean): Verdict {
  if (isRefusal(error) || isAbort(error)) return 'nothing';
  return retryIf(error) ? 'failure' : 'answer';
}

/** What `retryIf` is unless the user says: an HTTP status below 500, as Nest's exceptions have, is an answer. */
export function isFailure(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true;
  const { getStatus } = error as { readonly getStatus?: unknown };
  if (typeof getStatus !== 'function') return true;
  const status: unknown = Reflect.apply(getStatus, error, []);
  return typeof status !== 'number' || status >= 500;
}

/** Something further in refused to begin: to ask again at once is what it defends itself against. */
function isRefusal(error: unknown): boolean {
  return isValkeyError(error, 'VALKEY_CIRCUIT_OPEN') || isValkeyError(error, 'VALKEY_QUEUE_FULL');
}

function isAbort(error: unknown): boolean {
  return isValkeyError(error, 'VALKEY_ABORTED') || (error instanceof Error && error.name === 'AbortError');
}
