import { typedJson } from '../core/codec/typed-json.js';
import type { Driver } from '../driver/driver.js';
import { makeDriver } from '../driver/registry.js';
import type { Settings } from '../options/settings.js';
import { ResilientDriver } from '../resilience/resilient-driver.js';
import { CacheClient } from './cache-client.js';

/**
 * Makes a client outside of Nest, from settings `resolveSettings()` has checked. It opens its connections when
 * `connect()` is called, and has to be closed.
 *
 * @param settings - Checked settings.
 * @param driver - The driver to use. Default: the one `settings.driver` names.
 */
export function createClient(settings: Settings, driver: Driver = makeDriver(settings)): CacheClient {
  return new CacheClient(new ResilientDriver(driver, settings), settings, typedJson);
}
