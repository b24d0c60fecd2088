import type { Codec } from '../core/codec/codec.js';
import { typedJson } from '../core/codec/typed-json.js';
import type { Driver } from '../driver/driver.js';
import { makeDriver } from '../driver/registry.js';
import type { Settings } from '../options/settings.js';
import { ResilientDriver } from '../resilience/resilient-driver.js';
import { CacheClient } from './cache-client.js';
import type { Interceptor, InterceptorFactory } from './interceptors.js';

/** What a client is made of beside its settings. */
export interface ClientParts {
  /** Default: the one `settings.driver` names. */
  readonly driver?: Driver;
  /** Around every command, the first one outermost. Default: none. */
  readonly interceptors?: readonly (Interceptor | InterceptorFactory)[];
  /** For `getJson` and `setJson`. Default: `typedJson`. */
  readonly codec?: Codec;
}

/**
 * Makes a client outside of Nest, from settings `resolveSettings()` has checked. It opens its connections when
 * `connect()` is called, and has to be closed.
 *
 * @example
 * ```ts
 * const { settings } = resolveSettings({ host: '127.0.0.1' });
 * const client = createClient(settings);
 * await client.connect();
 * ```
 */
export function createClient(settings: Settings, parts: ClientParts = {}): CacheClient {
  const { driver = makeDriver(settings), interceptors = [], codec = typedJson } = parts;
  return new CacheClient(new ResilientDriver(driver, settings), settings, codec, interceptors);
}
