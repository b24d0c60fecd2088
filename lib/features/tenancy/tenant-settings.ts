import { requireTenant } from '../../client/tenancy/current-tenant.js';
import { checkedTenant } from '../../client/tenancy/tenant.js';
import { resolveTenantSettings } from '../../options/tenant-options.js';
import type { TenantSettingsOptions } from '../../options/tenant-options.js';
import type { SettingsCache, SettingsKeeping } from './settings-cache.js';

/**
 * Settings of each tenant, read through a cache. When the store is away it asks the source, once for each tenant at a time.
 *
 * @example
 * ```ts
 * const settings = new TenantSettings(caching.cache('tenant-settings'), { load: (tenant) => repository.settingsOf(tenant) });
 * const { currency } = (await settings.get('acme')) ?? DEFAULTS;
 * ```
 */
export class TenantSettings<T> {
  readonly #cache: SettingsCache;
  readonly #load: TenantSettingsOptions<T>['load'];
  readonly #keeping: SettingsKeeping;

  /**
   * `cache`: one it does not share, such as `caching.cache('tenant-settings')`.
   *
   * @throws ConfigurationError with everything that is wrong
   */
  constructor(cache: SettingsCache, options: TenantSettingsOptions<T>) {
    const { ttl, unknownTtl } = resolveTenantSettings(options);
    this.#cache = cache;
    this.#load = options.load;
    this.#keeping = { ttl, nullTtl: unknownTtl };
  }

  /** The settings of the current tenant; `undefined` if it has none. Rejects when the source fails, or there is no tenant. */
  async current(): Promise<T | undefined> {
    return this.get(requireTenant());
  }

  /** The settings of a tenant; `undefined` if it has none. Rejects when the source fails. */
  async get(tenant: string): Promise<T | undefined> {
    const id = checkedTenant(tenant);
    const found = await this.#cache.getOrLoad<T | null>(
      id,
      async (context) => (await this.#load(id, context)) ?? null,
      this.#keeping,
    );
    return found ?? undefined;
  }

  /** Forgets the settings of tenants, in all processes; call it when they have changed. Rejects when the store is away. */
  async evict(...tenants: readonly string[]): Promise<void> {
    await this.#cache.evict(...tenants.map(checkedTenant));
  }

  /** Forgets all settings, in all processes. Rejects when the store is away. */
  clear(): Promise<void> {
    return this.#cache.clear();
  }
}
