import type { Codec } from '../core/codec/codec.js';

/** Times of a cache, in milliseconds. */
export interface CacheTimes {
  readonly ttl: number;
  /** 0 to 1. */
  readonly jitter: number;
  /** `undefined`: like any other value; `false`: not stored. */
  readonly nullTtl: number | false | undefined;
  /** 0 for never. */
  readonly staleFor: number;
  readonly staleRetry: number;
  /** 0 for never. */
  readonly refreshAhead: number;
  /** Infinity for none. */
  readonly softTimeout: number;
  readonly hardTimeout: number;
}

/** Everything one cache needs to know, checked and complete. */
export interface CacheSettings extends CacheTimes {
  /** Part of every key. */
  readonly version: string;
  /** How long a loader that died holds up the others, in milliseconds. */
  readonly lease: number;
  readonly codec: Codec;
  /** Whether entries are read as bytes. */
  readonly binary: boolean;
  /** Bytes from which on a value is compressed; Infinity for never. */
  readonly compressAbove: number;
  /** What is kept in this process; `undefined` for nothing. */
  readonly near: { readonly maxEntries: number; readonly maxBytes: number } | undefined;
  /** Whether hits share one frozen value, or get a copy each. */
  readonly share: 'frozen' | 'copy';
}

/** The settings of all caches of a client. */
export interface CachingSettings {
  /** Those of the cache `name`. */
  of(name: string): CacheSettings;
}
