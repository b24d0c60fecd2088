import type { CacheService } from '../../features/cache/cache-service.js';
import { injectService } from '../injected-service.js';
import { cacheServiceToken, DEFAULT_CLIENT } from '../tokens.js';

/** The caches of a client, for each instance of a class, see {@link injectService}. */
export function injectCaches(
  target: object,
  client: string = DEFAULT_CLIENT,
): (self: unknown) => CacheService | undefined {
  return injectService(target, cacheServiceToken(client));
}
