import type { Driver } from '../driver/driver.js';
import { EmbeddedDriver } from '../driver/embedded/embedded-driver.js';
import { FakeClock } from './fake-clock.js';
import { SharedDriver } from './shared-driver.js';

/** How a {@link TestStore} is made. */
export interface TestStoreOptions {
  /** By which keys expire. Default: a new one. */
  readonly clock?: FakeClock;
  /** Keys it holds at the most; the one used longest ago makes room. Default: 100 000. */
  readonly maxEntries?: number;
  /** Bytes it holds at the most. Default: 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * What several test clients have in common: they see the same keys and channels, as several instances of an
 * application do.
 *
 * @example
 * ```ts
 * const store = new TestStore();
 * const [one, other] = await Promise.all([createTestClient({ store }), createTestClient({ store })]);
 * ```
 */
export class TestStore {
  /** By which keys expire. */
  readonly clock: FakeClock;
  readonly #driver: EmbeddedDriver;

  constructor(options: TestStoreOptions = {}) {
    const { clock = new FakeClock(), maxEntries = 100_000, maxBytes = 64 * 1024 * 1024 } = options;
    this.clock = clock;
    this.#driver = new EmbeddedDriver({ clock, maxEntries, maxBytes });
    clock.onAdvance(() => this.#expire());
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#driver.native().size;
  }

  /** A driver on this store, for one client; closing it leaves the store to the others. */
  driver(): Driver {
    return new SharedDriver(this.#driver, this.clock);
  }

  /** Ends keys whose time is over, although nobody asks for them. */
  #expire(): void {
    const keys = this.#driver.native().keys();
    while (keys.next().done !== true);
  }
}
