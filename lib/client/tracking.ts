import { ArgumentError, ClientClosedError, UnsupportedError } from '../core/errors.js';
import { PlainOperation } from '../driver/pending-operation.js';
import { strip } from './commands/strip.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';

/** Hears about changes of keys. */
export interface TrackingListener {
  /**
   * A key was written, deleted, has expired or was evicted; by whomever, this client included. The name comes without
   * the key prefix; what in it is not valid UTF-8 is U+FFFD.
   */
  changed(key: string): void;
  /**
   * True: from now on every change is told. False: some may have been missed, and nothing is told until true. Also false
   * and then true when everything has changed (FLUSHALL).
   */
  covered(covered: boolean): void;
}

/** Tells about changes of keys under `prefix` until the function it gives is called. */
export function trackChanges(dispatcher: Dispatching, prefix: string, listener: TrackingListener): () => void {
  const { driver, settings } = dispatcher;
  if (typeof prefix !== 'string') throw new ArgumentError('track(): the prefix must be text.', { subject: 'prefix' });
  if (dispatcher.closed) throw new ClientClosedError('CLIENT TRACKING');
  if (!driver.track) {
    throw new UnsupportedError(
      `The driver ${driver.name} does not tell about changes of keys. Use the driver 'valkey' or 'embedded' for it.`,
      { subject: 'track' },
    );
  }
  return driver.track({
    prefix: settings.keyPrefix + prefix,
    changed: (key) => guard(() => listener.changed(strip(key, settings.keyPrefix) as string)),
    covered: (covered) => guard(() => listener.covered(covered)),
  });
}

/** The id of the route to the primary that serves a key. */
export function nodeOf({ driver, settings }: Dispatching, key: string): string {
  const name = settings.keyPrefix + key;
  return driver.route(new PlainOperation({ command: 'SET', args: [name], key: name, binary: false }, NOBODY)).id;
}

/** A listener's mistake must not break the connection the changes come on. */
function guard(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error('A listener of track() threw.', { cause: error }));
  }
}

const NOBODY = (): void => {
  // It only asks for the way.
};
