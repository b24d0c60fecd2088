import { ValkeyError } from '../core/errors.js';
import type { Settings } from '../options/settings.js';
import type { Driver } from './driver.js';
import { EmbeddedDriver } from './embedded/embedded-driver.js';
import { ValkeyDriver } from './valkey/valkey-driver.js';

/** Makes a driver for checked settings. It must not connect yet. */
export type DriverFactory = (settings: Settings) => Driver;

const FACTORIES = new Map<string, DriverFactory>([
  ['valkey', (settings) => new ValkeyDriver(settings)],
  [
    'embedded',
    ({ topology }) => {
      const bounds = topology.mode === 'embedded' ? topology : { maxEntries: 100_000, maxBytes: 64 * 1024 * 1024 };
      return new EmbeddedDriver({ maxEntries: bounds.maxEntries, maxBytes: bounds.maxBytes });
    },
  ],
]);

/**
 * Makes a driver of your own known by name, for the option `driver`. Call it once, before the module is built; a name
 * that is taken is an error.
 *
 * @example
 * ```ts
 * registerDriver('my-proxy', (settings) => new MyProxyDriver(settings));
 * ```
 */
export function registerDriver(name: string, factory: DriverFactory): void {
  if (name.trim() === '') {
    throw new ValkeyError('VALKEY_ARGUMENT_INVALID', 'registerDriver(): the name must not be empty.', {
      subject: 'driver',
    });
  }
  if (FACTORIES.has(name)) {
    throw new ValkeyError('VALKEY_ARGUMENT_INVALID', `registerDriver(): the driver "${name}" is registered already.`, {
      subject: name,
    });
  }
  FACTORIES.set(name, factory);
}

/** Makes the driver `settings` ask for, or an error that lists the known ones. */
export function makeDriver(settings: Settings): Driver {
  const factory = FACTORIES.get(settings.driver);
  if (!factory) {
    throw new ValkeyError(
      'VALKEY_UNKNOWN_DRIVER',
      `There is no driver "${settings.driver}". Known are ${[...FACTORIES.keys()].join(', ')}; register others with registerDriver().`,
      { subject: settings.driver },
    );
  }
  return factory(settings);
}
