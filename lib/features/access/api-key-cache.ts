import { ArgumentError } from '../../core/errors.js';
import { resolveApiKeys } from '../../options/access-options.js';
import type { ApiKeyOptions } from '../../options/access-options.js';
import type { AccessCache, Keeping } from './access-cache.js';
import { secretHash } from './secret-hash.js';

const HASH = /^[0-9a-f]{64}$/;

/**
 * The hash by which an API key is found: SHA-256, 64 hexadecimal digits. Store this where you issue keys, never the key. Keys
 * have to be random, of 128 bits at least; what people think up is guessed from its hash.
 */
export function apiKeyHash(key: string): string {
  if (typeof key === 'string' && key !== '') return secretHash(key);
  throw new ArgumentError('An API key must be a text of at least one character.', { subject: 'key' });
}

/**
 * What belongs to API keys, read through a cache. Only the hash of a key leaves this class. A key is never compared with another:
 * it is looked up by its hash, so how long that takes tells nothing of it. When the store is away it asks the source, once
 * for each key at a time.
 *
 * @example
 * ```ts
 * const keys = new ApiKeyCache(caching.cache('api-keys'), { load: (hash) => repository.findKeyByHash(hash) });
 * const owner = await keys.find(request.headers['x-api-key']);
 * if (!owner) throw new UnauthorizedException();
 * ```
 */
export class ApiKeyCache<T> {
  readonly #cache: AccessCache;
  readonly #load: ApiKeyOptions<T>['load'];
  readonly #keeping: Keeping;

  /**
   * `cache`: one it does not share, such as `caching.cache('api-keys')`.
   *
   * @throws ConfigurationError with everything that is wrong
   */
  constructor(cache: AccessCache, options: ApiKeyOptions<T>) {
    const { ttl, unknownTtl } = resolveApiKeys(options);
    this.#cache = cache;
    this.#load = options.load;
    this.#keeping = { ttl, nullTtl: unknownTtl, staleFor: 0 };
  }

  /** What belongs to a key; `undefined` for a key that does not exist, and for none. Rejects when the source fails. */
  async find(key: string | undefined): Promise<T | undefined> {
    if (key === undefined || key === '') return undefined;
    const hash = apiKeyHash(key);
    const found = await this.#cache.getOrLoad<T | null>(
      hash,
      async (context) => (await this.#load(hash, context)) ?? null,
      this.#keeping,
    );
    return found ?? undefined;
  }

  /**
   * Forgets keys, in all processes; call it once they are revoked, or changed, at their source. Rejects when the store is
   * away: then they work until their ttl is over.
   */
  async evict(...keys: readonly string[]): Promise<void> {
    await this.#cache.evict(...keys.map(apiKeyHash));
  }

  /** The same by their hashes, for who has not got the keys. */
  async evictHashes(...hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) if (!HASH.test(hash)) throw noHash();
    await this.#cache.evict(...hashes);
  }

  /** Forgets all keys, in all processes. Rejects when the store is away. */
  clear(): Promise<void> {
    return this.#cache.clear();
  }
}

/** It does not say what it was: it could be the key. */
function noHash(): ArgumentError {
  return new ArgumentError(
    'evictHashes() takes hashes as apiKeyHash() makes them: 64 hexadecimal digits. For keys there is evict().',
    { subject: 'hash' },
  );
}
