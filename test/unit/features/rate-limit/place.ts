import type { CacheClient, RateLimiterOptions } from '../../../../lib/index.js';
import { createClient, RateLimiter, resolveSettings } from '../../../../lib/index.js';
import { EmbeddedDriver } from '../../../../lib/driver/embedded/embedded-driver.js';

/** What stands under a key before anybody asks. */
export type Seed = (
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'list'; readonly value: readonly string[] }
  | { readonly type: 'hash' }
) & {
  /** Milliseconds. Default: it stays for ever. */
  readonly ttl?: number;
};

/** What stands under a key: its type, its value and the milliseconds it still has, -1 for ever. */
export type Stored = readonly [type: string, value: unknown, ttl: number];

/** Somewhere limits are counted, at a time that a test chooses. */
export interface Place {
  /** Milliseconds since the epoch. May be set back. */
  now: number;
  /** A limiter that remembers nothing itself, so that each decision is the script's. */
  limiter(options?: RateLimiterOptions): RateLimiter;
  seed(key: string, seed: Seed): Promise<void>;
  stored(key: string): Promise<Stored>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** When tests begin. */
export const BEGIN = 1_700_000_000_123;

/** Errors of the script are to be seen, and nothing may answer in its place. */
export const STRICT: RateLimiterOptions = { blockList: 0, onStoreDown: 'closed', timeout: '10s' };

/** The embedded twins. */
export async function embeddedPlace(): Promise<Place> {
  const clock = { now: () => place.now };
  const driver = new EmbeddedDriver({ maxEntries: 1_000_000, maxBytes: 2 ** 30, clock });
  const client = createClient(resolveSettings({ mode: 'embedded' }, {}).settings, { driver });
  await client.connect();
  const place: Place = {
    now: BEGIN,
    limiter: (options) => new RateLimiter(client, { ...STRICT, ...options }),
    seed: (key, seed) => plant(client, key, seed),
    stored: async (key) => {
      const ttl = await client.pttl(key);
      return read(client, key, typeof ttl === 'number' ? ttl : -1);
    },
    empty: async () => {
      for await (const key of client.scan()) await client.del(key);
    },
    close: () => client.close(),
  };
  return place;
}

export async function plant(client: CacheClient, key: string, seed: Seed): Promise<void> {
  if (seed.type === 'string') await client.set(key, seed.value);
  if (seed.type === 'list') await client.rpush(key, ...seed.value);
  if (seed.type === 'hash') await client.hset(key, { field: 'value' });
  if (seed.ttl !== undefined) await client.pexpire(key, seed.ttl);
}

export async function read(client: CacheClient, key: string, ttl: number): Promise<Stored> {
  const type = await client.type(key);
  if (type === 'string') return [type, await client.get(key), ttl];
  if (type === 'list') return [type, await client.lrange(key, 0, -1), ttl];
  return [type, undefined, type === 'none' ? -2 : ttl];
}
