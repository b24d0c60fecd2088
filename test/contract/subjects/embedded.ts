import { createClient, resolveSettings, type CacheClient } from 'nestjs-valkey';
import type { DriverUnderTest } from 'nestjs-valkey/testing';

import { EmbeddedDriver } from '../../../lib/driver/embedded/embedded-driver.js';
import { SharedDriver } from '../../../lib/testing/shared-driver.js';
import type { Subject } from './discreet.js';

/** Milliseconds a closing client waits: tests close clients that wait for ever. */
export const DRAIN = 50;

/** The embedded driver, in real time. */
export const embedded: Subject = (emissions) => ({
  capabilities: { lua: false, shardChannels: false, introspection: false },
  async open(): ReturnType<DriverUnderTest['open']> {
    const driver = new EmbeddedDriver({ maxEntries: 100_000, maxBytes: 64 * 1024 * 1024 });
    await driver.connect();
    return {
      async connect({ keyPrefix }): Promise<CacheClient> {
        const { settings } = resolveSettings({ mode: 'embedded', keyPrefix, drain: DRAIN }, {});
        const interceptors = emissions?.interceptors ?? [];
        const client = createClient(settings, { driver: new SharedDriver(driver), interceptors });
        await client.connect();
        return emissions ? emissions.attend(client, settings) : client;
      },
      close: () => driver.close(),
    };
  },
});
