import { AsyncLocalStorage } from 'node:async_hooks';

const signals = new AsyncLocalStorage<AbortSignal>();

/**
 * The signal of the resilient call this code runs in: it fires when the call's deadline has passed, so hand it to
 * whatever can stop early. Outside of such a call it is one that never fires.
 *
 * @example
 * ```ts
 * const response = await fetch(url, { signal: resilienceSignal() });
 * ```
 */
export function resilienceSignal(): AbortSignal {
  // A new one each time: listeners nobody removes would gather on one that all share.
  return signals.getStore() ?? new AbortController().signal;
}

/** The signal of the call around this one, if there is one. */
export function outerSignal(): AbortSignal | undefined {
  return signals.getStore();
}

/** Runs `fn` so that {@link resilienceSignal} gives it `signal`; what it throws comes as a rejection. */
export async function underSignal<T>(
  signal: AbortSignal,
  fn: (signal: AbortSignal) => T | PromiseLike<T>,
): Promise<Awaited<T>> {
  return await signals.run(signal, fn, signal);
}
