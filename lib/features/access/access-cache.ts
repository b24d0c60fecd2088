/** How one value is kept; times in milliseconds. */
export interface Keeping {
  readonly ttl: number;
  /** Of what does not exist. */
  readonly nullTtl: number | false;
  /** What ran out is over: nobody may do today what he was allowed yesterday, whatever the source is doing. */
  readonly staleFor: 0;
}

/** What this feature needs of a cache. A `Cache` of the `CacheService` is one. */
export interface AccessCache {
  /** The value under a key; when there is none, what `load` gives, which is then stored. Without the store, `load` alone. */
  getOrLoad<T>(
    key: string,
    load: (context: { readonly signal: AbortSignal }) => Promise<T> | T,
    options: Keeping,
  ): Promise<T>;
  /** Removes entries everywhere, and ends loads of them under way. Rejects when the store is away. */
  evict(...keys: readonly string[]): Promise<void>;
  /** Removes all entries everywhere. Rejects when the store is away. */
  clear(): Promise<void>;
}
