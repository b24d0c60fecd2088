import type { Duration } from '../core/duration.js';
import { resolveKept } from './kept-options.js';
import type { KeptSettings } from './kept-options.js';

/** Settings of tenants: from where, and how long they are kept. */
export interface TenantSettingsOptions<T> {
  /** The settings of a tenant from where they really are; `null` or `undefined` when there is no such tenant. No default. */
  readonly load: (
    tenant: string,
    context: {
      /** Aborted when nobody waits for the answer any more. */
      readonly signal: AbortSignal;
    },
  ) => Promise<T | null | undefined> | T | null | undefined;
  /** How long they are kept: the longest a change goes unnoticed that nobody evicts. Default: `'24h'`. */
  readonly ttl?: Duration;
  /** How long it is kept that a tenant has none; `false`: not at all. Default: `'1m'`. */
  readonly unknownTtl?: Duration | false;
}

const DEFAULTS: KeptSettings = { ttl: 86_400_000, unknownTtl: 60_000 };

/** @throws ConfigurationError with everything that is wrong */
export function resolveTenantSettings<T>(options: TenantSettingsOptions<T>): KeptSettings {
  return resolveKept(options, DEFAULTS, 'settings of tenants');
}
