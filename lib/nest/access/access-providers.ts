import type { FactoryProvider } from '@nestjs/common';
import type { CacheClient } from '../../client/cache-client.js';
import { ApiKeyCache } from '../../features/access/api-key-cache.js';
import { PermissionCache } from '../../features/access/permission-cache.js';
import { TokenBlacklist } from '../../features/access/token-blacklist.js';
import { resolveBlacklist } from '../../options/access-options.js';
import type { ApiKeyOptions, PermissionOptions, TokenBlacklistOptions } from '../../options/access-options.js';
import { cachedProvider, checkPlace } from '../feature-provider.js';
import type { CachedProviderOptions, ProviderPlace } from '../feature-provider.js';
import { clientToken } from '../tokens.js';

/**
 * Provides a {@link PermissionCache}, injected by its class. Its cache is called `permissions`.
 *
 * @example
 * ```ts
 * @Module({
 *   providers: [
 *     UserRepository,
 *     providePermissionCache({
 *       inject: [UserRepository],
 *       useFactory: (users: UserRepository) => ({ load: (user) => users.permissionsOf(user), ttl: '1m' }),
 *     }),
 *   ],
 * })
 * export class AccessModule {}
 * ```
 */
export function providePermissionCache<A extends readonly unknown[], P extends string = string>(
  options: CachedProviderOptions<PermissionOptions<P>, A>,
): FactoryProvider<PermissionCache<P>> {
  return cachedProvider(options, {
    by: 'providePermissionCache',
    token: PermissionCache<P>,
    cache: 'permissions',
    make: (cache, made) => new PermissionCache(cache, made),
  });
}

/**
 * Provides an {@link ApiKeyCache}, injected by its class: `@Inject(ApiKeyCache) keys: ApiKeyCache<Owner>`. Its cache is
 * called `api-keys`.
 *
 * @example
 * ```ts
 * provideApiKeyCache({
 *   inject: [KeyRepository],
 *   useFactory: (keys: KeyRepository) => ({ load: (hash) => keys.findByHash(hash) }),
 * })
 * ```
 */
export function provideApiKeyCache<A extends readonly unknown[], T>(
  options: CachedProviderOptions<ApiKeyOptions<T>, A>,
): FactoryProvider<ApiKeyCache<T>> {
  return cachedProvider(options, {
    by: 'provideApiKeyCache',
    token: ApiKeyCache<T>,
    cache: 'api-keys',
    make: (cache, made) => new ApiKeyCache(cache, made),
  });
}

/**
 * Provides a {@link TokenBlacklist}, injected by its class.
 *
 * @example
 * ```ts
 * provideTokenBlacklist({ client: 'sessions', leeway: '30s' })
 * ```
 */
export function provideTokenBlacklist(
  options: TokenBlacklistOptions & ProviderPlace = {},
): FactoryProvider<TokenBlacklist> {
  const { provide = TokenBlacklist, client, ...own } = options;
  checkPlace({ provide, ...(client === undefined ? {} : { client }) }, 'provideTokenBlacklist');
  resolveBlacklist(own);
  return {
    provide,
    inject: [clientToken(client)],
    useFactory: (opened: CacheClient): TokenBlacklist => new TokenBlacklist(opened, own),
  };
}
