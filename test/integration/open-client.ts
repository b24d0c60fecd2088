import type { Settings } from '../../lib/index.js';
import { type CacheClient, createClient, resolveSettings } from '../../lib/index.js';

const open = new Set<CacheClient>();

/** A client of its own settings, not connected yet; {@link closeClients} closes it. The environment is left out. */
export function newClient(options: Record<string, unknown>): CacheClient {
  const client = createClient(settingsOf(options));
  open.add(client);
  return client;
}

/** The same, connected. */
export async function openClient(options: Record<string, unknown>): Promise<CacheClient> {
  const client = newClient(options);
  await client.connect();
  return client;
}

/** Checked settings; options are given loosely, because tests put them together from parts. */
export function settingsOf(options: Record<string, unknown>): Settings {
  return resolveSettings({ drain: 100, ...options }, {}).settings;
}

/** Closes every client made here; for afterEach or afterAll. */
export async function closeClients(): Promise<void> {
  const clients = [...open];
  open.clear();
  await Promise.all(clients.map((client) => client.close()));
}

/** How a promise ended, so that many can be looked at together. */
export async function ending(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

/** The code of one of our errors; of anything else what it is. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code ?? error;
}

/** Lua that keeps the server busy for so many milliseconds of its own time. */
export function busyFor(milliseconds: number): string {
  // TIME stands still within a script.
  return `local over = os.clock() + ${milliseconds / 1000}
          while os.clock() < over do end
          return 'done'`;
}
