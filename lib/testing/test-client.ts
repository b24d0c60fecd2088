import type { CacheClient } from '../client/cache-client.js';
import { createClient } from '../client/create-client.js';
import { ArgumentError } from '../core/errors.js';
import type { EmbeddedOptions } from '../options/options.js';
import { resolveSettings } from '../options/resolve.js';
import type { Settings } from '../options/settings.js';
import type { FakeClock } from './fake-clock.js';
import { TestStore } from './test-store.js';

/** Milliseconds a closing test client waits for what hangs; a test should not have to. */
const DRAIN = 100;

/**
 * How a client for tests is made: the options of an embedded client, none of which comes from the environment. `drain` is
 * 100 ms by default, so that a test which leaves something hanging ends soon.
 */
export interface TestClientOptions extends Omit<EmbeddedOptions, 'mode' | 'driver' | 'connect' | 'logLevel'> {
  /** By which keys expire. Default: that of the store. */
  readonly clock?: FakeClock;
  /** The store it works on. Default: one of its own. */
  readonly store?: TestStore;
}

/** A client for tests, and what it works on. */
export interface TestClient {
  readonly client: CacheClient;
  /** Move it on to let keys expire. */
  readonly clock: FakeClock;
  /** For further clients on the same data. */
  readonly store: TestStore;
}

/**
 * A connected client that keeps its data in this process and by a clock of its own. It behaves as one with a server
 * does; close it after the test.
 *
 * @example
 * ```ts
 * const { client, clock } = await createTestClient({ keyPrefix: 'shop:' });
 * const service = new ProductService(client);
 * clock.advance('5m');
 * ```
 */
export async function createTestClient(options: TestClientOptions = {}): Promise<TestClient> {
  const store = storeOf(options);
  const client = createClient(testSettings(options), { driver: store.driver() });
  await client.connect();
  return { client, clock: store.clock, store };
}

/** The store that `options` name, or a new one. */
export function storeOf({ clock, store, embedded }: TestClientOptions): TestStore {
  if (store === undefined) return new TestStore({ ...embedded, ...(clock && { clock }) });
  if (clock === undefined && embedded === undefined) return store;
  throw new ArgumentError('A test client on a given store has its clock and bounds: give them to the store.', {
    subject: 'store',
  });
}

/** Settings that depend on `options` alone. */
export function testSettings(options: TestClientOptions): Settings {
  const { clock: _clock, store: _store, ...common } = options;
  return resolveSettings({ drain: DRAIN, ...common, mode: 'embedded' }, {}).settings;
}
