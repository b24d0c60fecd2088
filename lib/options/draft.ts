import type { Address, Backoff, CredentialsProvider, LogLevel, ResiliencePreset } from './settings.js';

/** How the servers are laid out, by name. */
export type Mode = 'single' | 'cluster' | 'sentinel' | 'embedded';

/**
 * Every single thing that can be configured, under one flat name and in its final unit. Options, variables and
 * connection strings are all read into this form, so that they can be weighed against each other field by field.
 */
export interface Draft {
  readonly name: string;
  readonly driver: string;
  readonly mode: Mode;
  readonly host: string;
  readonly port: number;
  readonly nodes: readonly Address[];
  readonly clusterMode: boolean;
  readonly sentinelMode: boolean;
  readonly sentinelNodes: readonly Address[];
  readonly sentinelName: string;
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
  readonly db: number;
  readonly keyPrefix: string;
  readonly username: string;
  readonly password: string;
  readonly provider: CredentialsProvider;
  readonly credentialRefresh: number;
  readonly tls: boolean;
  readonly ca: string;
  readonly caFile: string;
  readonly caBase64: string;
  readonly cert: string;
  readonly certFile: string;
  readonly key: string;
  readonly keyFile: string;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly dial: number;
  readonly read: number;
  readonly write: number;
  readonly preset: ResiliencePreset;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly backoffMin: number;
  readonly backoffMax: number;
  readonly breaker: boolean;
  readonly breakerFailures: number;
  readonly breakerRatio: number;
  readonly breakerWindow: number;
  readonly breakerMinimum: number;
  readonly halfOpenAfter: number;
  readonly bulkheadInFlight: number;
  readonly bulkheadQueue: number;
  readonly poolSize: number;
  readonly minIdle: number;
  readonly maxIdle: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxQueue: number;
  readonly connect: 'degraded' | 'required';
  readonly drain: number;
  readonly logLevel: LogLevel;
}

/** A name of {@link Draft}. */
export type Field = keyof Draft;

/** A value, and the option or variable that gave it: what an error has to name. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: string;
}

/** What one source says. */
export type Fields = { readonly [K in Field]?: Sourced<Draft[K]> };

/** {@link Fields} while they are being filled. */
export type OpenFields = { [K in Field]?: Sourced<Draft[K]> };

/** One rank of the precedence: the options, the preset they name, or the variables of one prefix. */
export interface Layer {
  readonly rank: 'options' | 'preset' | 'VALKEY_' | 'CACHE_' | 'REDIS_';
  readonly fields: Fields;
  /**
   * What its connection string says. It is kept apart because it speaks for its own server only: when another source
   * names the server, its password must not go there.
   */
  readonly uri: Fields;
}

/** The value `field` has in the first of `sources` that knows it. */
export function pick<K extends Field>(sources: readonly Fields[], field: K): Sourced<Draft[K]> | undefined {
  for (const source of sources) {
    const found = source[field];
    if (found) return found;
  }
  return undefined;
}

/** Puts `sourced` into `fields`; the one place where the compiler needs help to see that name and value belong together. */
export function place<K extends Field>(fields: OpenFields, field: K, sourced: Sourced<Draft[K]>): void {
  Object.assign(fields, { [field]: sourced });
}
