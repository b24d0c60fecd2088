import { Inject } from '@nestjs/common';
import type { CacheService } from '../../features/cache/cache-service.js';
import { cacheServiceToken, DEFAULT_CLIENT } from '../tokens.js';

const PROPERTIES = new Map<string, symbol>();

/**
 * Has the caches of a client injected into each instance of a class, and finds them there. An instance that was made with
 * `new` has none.
 */
export function injectCaches(
  target: object,
  client: string = DEFAULT_CLIENT,
): (self: unknown) => CacheService | undefined {
  const property = propertyOf(client);
  Inject(cacheServiceToken(client))(target, property);
  return (self) => (self as Partial<Record<symbol, CacheService>> | null | undefined)?.[property];
}

function propertyOf(client: string): symbol {
  let property = PROPERTIES.get(client);
  if (!property) {
    property = Symbol(`caches of ${client}`);
    PROPERTIES.set(client, property);
  }
  return property;
}
