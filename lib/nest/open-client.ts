import type { CacheClient } from '../client/cache-client.js';
import { createClient } from '../client/create-client.js';
import { ConnectionError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';
import type { ValkeyOptions } from '../options/options.js';
import { resolveSettings } from '../options/resolve.js';
import type { Settings } from '../options/settings.js';
import { ClientLog } from './client-log.js';

/**
 * Makes a client and opens it. With `connect: 'required'` a server that is away fails the start; otherwise the
 * application starts without it, and the client goes on trying.
 */
export async function openClient(options: ValkeyOptions): Promise<CacheClient> {
  const { settings, warnings, implicitlyEmbedded } = resolveSettings(options);
  const log = new ClientLog(settings);
  for (const warning of warnings) log.warn(warning);
  if (implicitlyEmbedded) log.embedded();
  const client = createClient(settings);
  try {
    await withinDial(client.connect(), settings);
    log.ready();
  } catch (error) {
    if (settings.connect === 'required') {
      await client.close();
      throw error;
    }
    log.degraded(error as ValkeyError);
  }
  client.onStatus((status) => log.status(status));
  return client;
}

/** A start is never held up for longer than one attempt may take, even if a topology needs several. */
async function withinDial(connected: Promise<void>, { timeouts }: Settings): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ConnectionError(`There is no connection within timeouts.dial (${timeouts.dial} ms).`)),
      timeouts.dial + GRACE,
    );
  });
  try {
    await Promise.race([connected, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** The attempt's own limit should speak first: it knows the reason. */
const GRACE = 250;
