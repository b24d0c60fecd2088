import type { CacheClient } from '../client/cache-client.js';
import { ConnectionError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';
import type { Settings } from '../options/settings.js';
import type { ClientLog } from './client-log.js';

/**
 * Opens a client. With `connect: 'required'` a server that is away fails the start; otherwise the application starts
 * without it, and the client goes on trying.
 */
export async function openClient(client: CacheClient, settings: Settings, log: ClientLog): Promise<void> {
  try {
    await withinDial(client.connect(), settings);
    log.ready();
  } catch (error) {
    if (settings.connect === 'required') throw error;
    // Closed meanwhile, because another client failed the start.
    if (client.status().state === 'closed') return;
    log.degraded(error as ValkeyError);
  }
  client.onStatus((status) => log.status(status));
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
