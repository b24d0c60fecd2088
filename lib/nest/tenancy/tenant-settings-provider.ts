import type { FactoryProvider } from '@nestjs/common';
import { TenantSettings } from '../../features/tenancy/tenant-settings.js';
import type { TenantSettingsOptions } from '../../options/tenant-options.js';
import { cachedProvider } from '../feature-provider.js';
import type { CachedProviderOptions } from '../feature-provider.js';

/**
 * Provides {@link TenantSettings}, injected by its class: `@Inject(TenantSettings) settings: TenantSettings<Settings>`. Its cache
 * is called `tenant-settings`.
 *
 * @example
 * ```ts
 * provideTenantSettings({
 *   inject: [TenantRepository],
 *   useFactory: (tenants: TenantRepository) => ({ load: (id) => tenants.settingsOf(id) }),
 * })
 * ```
 */
export function provideTenantSettings<A extends readonly unknown[], T>(
  options: CachedProviderOptions<TenantSettingsOptions<T>, A>,
): FactoryProvider<TenantSettings<T>> {
  return cachedProvider(options, {
    by: 'provideTenantSettings',
    token: TenantSettings<T>,
    cache: 'tenant-settings',
    make: (cache, made) => new TenantSettings(cache, made),
  });
}
