import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError } from '../../core/errors.js';

/** What a cached method does: as always, as if there were no cache, or run and store whatever is there. */
export type CacheMode = 'use' | 'bypass' | 'refresh';

export const CACHE_MODES: readonly CacheMode[] = ['use', 'bypass', 'refresh'];

const current = new AsyncLocalStorage<CacheMode>();
/** Asking costs more than the rest of a hit; most applications never say anything. */
let isSaid = false;

/**
 * Runs `work`; `@Cacheable()` and `@CacheableMany()` methods it calls, also further down, do as `mode` says, whatever
 * their own options are.
 *
 * @example
 * ```ts
 * const product = await withCacheMode('refresh', () => products.find(id));
 * ```
 */
export function withCacheMode<T>(mode: CacheMode, work: () => T): T {
  if (!CACHE_MODES.includes(mode))
    throw new ArgumentError(`The mode must be 'use', 'bypass' or 'refresh'.`, { subject: 'mode' });
  isSaid = true;
  return current.run(mode, work);
}

/** What {@link withCacheMode} says around this call. */
export function saidMode(): CacheMode | undefined {
  return isSaid ? current.getStore() : undefined;
}
