import type { CacheClient } from '../../client/cache-client.js';
import { ArgumentError } from '../../core/errors.js';
import { CACHE_NAME, resolveCaching } from '../../options/cache-options.js';
import type { CachingOptions } from '../../options/cache-options.js';
import type { CachingSettings } from '../../options/cache-settings.js';
import type { LoadMany } from './batch.js';
import { Cache } from './cache.js';
import type { Hit } from './cache.js';
import { CacheStore } from './cache-store.js';
import type { Load, LoadOptions, StoreOptions } from './load-options.js';
import { checked } from './names.js';

/** The cache of calls that name none. */
export const DEFAULT_CACHE = 'default';

/**
 * The caches of one client. Its own methods are those of the cache `default`.
 *
 * @example
 * ```ts
 * constructor(@Inject(CACHE_SERVICE) private readonly caching: CacheService) {}
 *
 * find(id: string): Promise<Product> {
 *   return this.caching.getOrLoad(`product:${id}`, () => this.repository.find(id), { ttl: '5m', tags: ['catalogue'] });
 * }
 * ```
 */
export class CacheService {
  readonly #store: CacheStore;
  readonly #settings: CachingSettings;
  readonly #caches = new Map<string, Cache>();
  #listens = false;

  /** `options`: what all its caches do, and what some do differently. */
  constructor(client: CacheClient, options: CachingOptions = {}) {
    this.#settings = resolveCaching(options);
    this.#store = new CacheStore(client);
  }

  /**
   * A cache by name. Its options are those under `cache.caches` in the client's options, and for what is not said
   * there, those under `cache`.
   */
  cache(name: string = DEFAULT_CACHE): Cache {
    let cache = this.#caches.get(name);
    if (!cache) {
      if (!CACHE_NAME.test(name)) throw badName(name);
      const settings = this.#settings.of(name);
      this.#listen(settings.near !== undefined);
      cache = new Cache(this.#store, name, settings);
      this.#caches.set(name, cache);
    }
    return cache;
  }

  /** The caches used so far. */
  caches(): readonly Cache[] {
    return [...this.#caches.values()];
  }

  /** See {@link Cache.getOrLoad}. */
  getOrLoad<T>(key: string, load: Load<T>, options?: LoadOptions<T>): Promise<T> {
    return this.cache().getOrLoad(key, load, options);
  }

  /** See {@link Cache.getOrLoadMany}. */
  getOrLoadMany<T>(keys: readonly string[], load: LoadMany<T>, options?: LoadOptions<T>): Promise<T[]> {
    return this.cache().getOrLoadMany(keys, load, options);
  }

  /** See {@link Cache.lookup}. */
  lookup<T>(key: string): Promise<Hit<T> | undefined> {
    return this.cache().lookup(key);
  }

  /** See {@link Cache.get}. */
  get<T>(key: string): Promise<T | undefined> {
    return this.cache().get(key);
  }

  /** See {@link Cache.set}. */
  set<T>(key: string, value: T, options?: StoreOptions<T>): Promise<void> {
    return this.cache().set(key, value, options);
  }

  /** See {@link Cache.evict}. */
  evict(...keys: readonly string[]): Promise<void> {
    return this.cache().evict(...keys);
  }

  /** See {@link Cache.clear}. */
  clear(): Promise<void> {
    return this.cache().clear();
  }

  /**
   * Invalidates every entry that carries one of the tags, in all caches of this client, in one command however many
   * there are. Rejects when the store is away.
   */
  async invalidateTags(...tags: readonly string[]): Promise<void> {
    if (tags.length === 0) return;
    const doubt = (): void => {
      for (const cache of this.#caches.values()) cache.doubt();
    };
    doubt();
    const names = new Set(tags.map(checked));
    try {
      await this.#store.generations.renewTags([...names]);
    } finally {
      doubt();
    }
    for (const cache of this.#caches.values()) cache.invalidated(names);
    this.#store.publish({ cache: undefined, kind: 'invalidate' });
  }

  /**
   * @internal It has failed, and its caller goes on: it is made up for when the store is back. `cache` is whose event tells
   * of it.
   */
  oweInvalidation(tags: readonly string[], cache: string | undefined, error: unknown): void {
    this.cache(cache).failed(error);
    this.#store.owe({ name: JSON.stringify(['tags', ...tags]), make: () => this.invalidateTags(...tags) }, error);
  }

  /** Resolves when nothing is stored or refreshed in the background any more. */
  async idle(): Promise<void> {
    await Promise.all(Array.from(this.#caches.values(), (cache) => cache.idle()));
  }

  /** One connection to each server tells about changes; it is opened when the first cache asks for it. */
  #listen(wanted: boolean): void {
    if (!wanted || this.#listens) return;
    this.#listens = true;
    this.#store.listen();
  }
}

function badName(name: string): ArgumentError {
  return new ArgumentError(
    `"${name}" is no name for a cache. Take 1 to 64 letters, digits, dots, hyphens or underscores.`,
    { subject: 'cache' },
  );
}
