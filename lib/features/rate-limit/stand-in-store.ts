import type { CacheClient } from '../../client/cache-client.js';
import { createClient } from '../../client/create-client.js';
import { ClientClosedError } from '../../core/errors.js';
import { resolveSettings } from '../../options/resolve.js';

/** Subjects counted in this process at the most. */
const MOST_ENTRIES = 100_000;

/** A client that keeps its data in this process, opened when it is first needed. */
export class StandInStore {
  #client: Promise<CacheClient> | undefined;
  #isClosed = false;

  /** Rejects once it is closed: what would be opened then nobody would close. */
  open(): Promise<CacheClient> {
    if (this.#isClosed) return Promise.reject(new ClientClosedError('rate limit'));
    this.#client ??= opened();
    return this.#client;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#client;
    await client?.close();
  }
}

async function opened(): Promise<CacheClient> {
  const { settings } = resolveSettings(
    { mode: 'embedded', name: 'rate-limit-stand-in', embedded: { maxEntries: MOST_ENTRIES } },
    {},
  );
  const client = createClient(settings);
  await client.connect();
  return client;
}
