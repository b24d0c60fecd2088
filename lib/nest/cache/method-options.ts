import type { LoadOptions } from '../../features/cache/load-options.js';
import type { CallParts } from '../../features/cache/plan.js';
import type { Callable } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';

/** The options of a method, seen without its types. */
export interface LooseOptions {
  readonly ttl?: unknown;
  readonly tags?: unknown;
  readonly tagsFrom?: unknown;
  readonly unless?: unknown;
}

const TIMES = [
  'jitter',
  'staleFor',
  'nullTtl',
  'hardTimeout',
  'refreshAhead',
  'staleRetry',
  'softTimeout',
  'staleOn',
] as const;

/** What of a method's options is the same in each call: always the same object, which the cache knows again. */
export function fixedOptions(options: LooseOptions): LoadOptions<unknown> {
  const { ttl, tags } = options;
  const times = TIMES.flatMap((name) => {
    const value = (options as Partial<Record<string, unknown>>)[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(times),
    ...(ttl === undefined || isFunction(ttl) ? {} : { ttl: ttl as number }),
    ...(Array.isArray(tags) ? { tags: tags as readonly string[] } : {}),
  };
}

/** What of a method's options depends on its arguments; `undefined` where nothing does. */
export function callParts(
  options: LooseOptions,
): ((self: unknown, args: readonly unknown[]) => CallParts<unknown>) | undefined {
  const { ttl, tags, tagsFrom, unless } = options;
  const ofResult = { ttl, tagsFrom, unless };
  const named = Object.entries(ofResult).filter((entry): entry is [string, Callable] => isFunction(entry[1]));
  if (named.length === 0 && !isFunction(tags)) return undefined;
  return (self, args) => ({
    ...Object.fromEntries(
      named.map(([name, ask]) => [name, (result: unknown): unknown => Reflect.apply(ask, self, [result, ...args])]),
    ),
    ...(isFunction(tags) ? { tags: () => Reflect.apply(tags, self, args) as readonly string[] } : {}),
  });
}
