import type { Duration } from '../core/duration.js';
import type { Address, Backoff, Credentials, CredentialsProvider, LogLevel, ResiliencePreset } from './settings.js';

/** Addresses: `'a:6379,b:6379'`, `['a:6379', '[::1]:6379']` or `[{ host: 'a', port: 6379 }]`. */
export type NodeList = string | readonly string[] | readonly Address[];

/** What may be waited for, and how long. */
export interface TimeoutOptions {
  /** To open a connection, TLS and AUTH included. Default: `'5s'`. */
  readonly dial?: Duration;
  /** From the call of a reading command to its result, all attempts included. Default: `'3s'`. */
  readonly read?: Duration;
  /** The same for a writing command. Default: `'3s'`. */
  readonly write?: Duration;
}

/** How often, and after which pauses, a failed command is tried again. */
export interface RetryOptions {
  /** Repetitions after the first attempt, 0 to 1000. Default: `3`. */
  readonly attempts?: number;
  /** How the pauses grow; `'none'` tries again at once. Default: `'exponential'`, with full jitter. */
  readonly backoff?: Backoff;
  /** The shortest pause. Default: `'8ms'`. */
  readonly min?: Duration;
  /** The longest pause, at least `min`. Default: `'512ms'`. */
  readonly max?: Duration;
}

/** A circuit that opens when a node fails several times in a row. */
export interface ConsecutiveBreakerOptions {
  /** Consecutive failures of one node that open its circuit. Default: `5`. */
  readonly failures?: number;
  /** How long the circuit stays open before one attempt is let through. Default: `'5s'`. */
  readonly halfOpenAfter?: Duration;
  readonly ratio?: never;
  readonly window?: never;
  readonly minimum?: never;
}

/** A circuit that opens when too great a share of the latest attempts has failed. */
export interface RatioBreakerOptions {
  /** The share of failures of one node within `window` that opens its circuit, above 0 and at most 1. No default. */
  readonly ratio: number;
  /** How far back it looks, 10 ms at least. Default: `'10s'`. */
  readonly window?: Duration;
  /** Attempts within `window` before it judges at all. Default: `10`. */
  readonly minimum?: number;
  /** How long the circuit stays open before one attempt is let through. Default: `'5s'`. */
  readonly halfOpenAfter?: Duration;
  readonly failures?: never;
}

/** Figures beside a preset that goes by a share of failures and names it: `'conservative'`. */
export type RatioBreakerFigures = Omit<RatioBreakerOptions, 'ratio'> & { readonly ratio?: never };

/** When a failing node is left alone, and for how long: by failures in a row, or by their share within a window. */
export type BreakerOptions = ConsecutiveBreakerOptions | RatioBreakerOptions;

/** How much one node may be asked at once. Beyond both figures commands end with `VALKEY_QUEUE_FULL`. */
export interface BulkheadOptions {
  /** Operations on their way to one node, 1 to 1 000 000. No default. */
  readonly inFlight: number;
  /** Operations that may wait for one of these to end, 0 to 10 000 000. No default. */
  readonly queue: number;
}

/** What happens when a server is slow, sick or away. */
export type ResilienceOptions = OwnResilienceOptions | ConservativeResilienceOptions;

/** The preset with a ratio, and figures of a breaker that leave the ratio to it. */
export interface ConservativeResilienceOptions extends Omit<OwnResilienceOptions, 'preset' | 'breaker'> {
  readonly preset: 'conservative';
  readonly breaker: RatioBreakerFigures;
}

/** Any figures, beside any preset or none. */
export interface OwnResilienceOptions {
  /** Figures that go together; what is written beside it wins over them. Default: none, which is like `'default'`. */
  readonly preset?: ResiliencePreset;
  /** Sets `timeouts.read` and `timeouts.write` at once; where both are given, `timeouts` wins. Default: `'3s'`. */
  readonly timeout?: Duration;
  /** Default: 3 retries after 8 to 512 ms. `false` switches retries off. */
  readonly retry?: false | RetryOptions;
  /** Default: opens after 5 failures for 5 s. `false` switches the breaker off. */
  readonly breaker?: false | BreakerOptions;
  /** Bounds what one node is asked at once. Default: `false`, no bound but `maxQueue`. */
  readonly bulkhead?: false | BulkheadOptions;
}

/** Dedicated connections, for blocking commands and watched transactions; ordinary commands share one per node. */
export interface PoolOptions {
  /** The most there may be at once, 1 to 1000. Default: `10`. */
  readonly size?: number;
  /** How many are kept open though idle. Default: `0`. */
  readonly minIdle?: number;
  /** How many may stay open when idle, at most `size`. Default: `size`. */
  readonly maxIdle?: number;
}

/** The authority to trust: one of three forms, or none for those of the system. */
export type AuthorityOptions =
  | {
      /** PEM of the authorities to trust. Default: those of the system. */
      readonly ca?: string | Buffer;
      readonly caFile?: never;
      readonly caBase64?: never;
    }
  | {
      /** Path of a PEM file with the authorities to trust. Default: none. */
      readonly caFile: string;
      readonly ca?: never;
      readonly caBase64?: never;
    }
  | {
      /** The same PEM encoded as base64, handy in a variable. Default: none. */
      readonly caBase64: string;
      readonly ca?: never;
      readonly caFile?: never;
    };

/** The client's own certificate with its key, each as PEM or as the path of a PEM file; or neither. */
export type ClientCertificateOptions =
  | { readonly cert?: never; readonly certFile?: never; readonly key?: never; readonly keyFile?: never }
  | ((
      | {
          /** PEM of the client certificate. Default: none. */
          readonly cert: string | Buffer;
          readonly certFile?: never;
        }
      | {
          /** Path of the client certificate. Default: none. */
          readonly certFile: string;
          readonly cert?: never;
        }
    ) &
      (
        | {
            /** PEM of its private key. Default: none. */
            readonly key: string | Buffer;
            readonly keyFile?: never;
          }
        | {
            /** Path of its private key. Default: none. */
            readonly keyFile: string;
            readonly key?: never;
          }
      ));

/** How connections are encrypted. Nothing older than TLS 1.2 is spoken. */
export type TlsOptions = AuthorityOptions &
  ClientCertificateOptions & {
    /** Name to expect in the server's certificate. Default: the host connected to. */
    readonly serverName?: string;
    /** Accepts any certificate, and warns at each start. Default: `false`. */
    readonly insecureSkipVerify?: boolean;
  };

/** The sentinels that know the primary. */
export interface SentinelOptions {
  /** The name they give the primary's group. No default. */
  readonly name: string;
  /** Where they listen; port 26379 where none is given. No default. */
  readonly nodes: NodeList;
  /** User at the sentinels themselves. Default: their `default` user. */
  readonly username?: string;
  /** Password of the sentinels themselves; that of the servers is in `credentials`. Default: none. */
  readonly password?: string;
}

/** Bounds of the in-process store; the entries used longest ago make room. */
export interface EmbeddedStoreOptions {
  /** Default: `100_000`. */
  readonly maxEntries?: number;
  /** Default: `67_108_864` (64 MiB). */
  readonly maxBytes?: number;
}

/** Options that do not depend on how the servers are laid out. */
export interface CommonOptions {
  /** The client's name, for `@InjectClient(name)`. Default: `'default'`. */
  readonly name?: string;
  /** A driver of the registry. Default: `'embedded'` in mode `embedded`, else `'valkey'`. */
  readonly driver?: string;
  /** Put before every key, channel, stream and script key. Default: `''`. */
  readonly keyPrefix?: string;
  /** Default: 5 s to connect, 3 s per command. */
  readonly timeouts?: TimeoutOptions;
  /** The name of a preset, or figures of your own. Default: 3 retries and a breaker. */
  readonly resilience?: ResiliencePreset | ResilienceOptions;
  /** Default: up to 10 dedicated connections. */
  readonly pool?: PoolOptions;
  /** Operations under way or waiting, beyond which further ones are refused. Default: `65_536`. */
  readonly maxQueue?: number;
  /** `'degraded'` starts without a server and keeps trying, `'required'` fails the start. Default: `'degraded'`. */
  readonly connect?: 'degraded' | 'required';
  /** How long closing waits for what is under way. Default: `'5s'`. */
  readonly drain?: Duration;
  /** The least important log line of the module that is still written. Default: `'info'`. */
  readonly logLevel?: LogLevel;
}

/** Options of whatever is reached over a network. */
export interface ServerOptions extends CommonOptions {
  /** Fixed, or fetched at each connect. Default: none. */
  readonly credentials?: Credentials | CredentialsProvider;
  /** How long before their end, credentials with `expiresAt` are fetched again. Default: `'10m'`. */
  readonly credentialRefresh?: Duration;
  /** `true` trusts the system's authorities; `false` overrules the environment. Default: no TLS. */
  readonly tls?: boolean | TlsOptions;
  readonly embedded?: never;
}

/** One server, by host and port. */
export interface SingleOptions extends ServerOptions {
  readonly mode?: 'single';
  /** Name or address of the server. Default: `'localhost'`. */
  readonly host?: string;
  /** Default: `6379`. */
  readonly port?: number;
  /** Number of the database, 0 to 15. Default: `0`. */
  readonly db?: number;
  readonly uri?: never;
  readonly nodes?: never;
  readonly sentinel?: never;
}

/** One server or a cluster, by connection string. What the string says must not be said again beside it. */
export interface UriOptions extends ServerOptions {
  readonly mode?: 'single' | 'cluster';
  /** `valkey[s]://[user:password@]host[:port][/db][?option=value]`, also with `redis[s]:`. No default. */
  readonly uri: string;
  /** Number of the database, unless the string says it. Default: `0`. */
  readonly db?: number;
  readonly host?: never;
  readonly port?: never;
  readonly nodes?: never;
  readonly sentinel?: never;
}

/** A cluster. It has the database 0 only. */
export interface ClusterOptions extends ServerOptions {
  readonly mode: 'cluster';
  /** Some of its nodes; the others are found through them. Default: `VALKEY_ADDRS`, then `CACHE_ADDRS`. */
  readonly nodes?: NodeList;
  readonly db?: 0;
  readonly host?: never;
  readonly port?: never;
  readonly uri?: never;
  readonly sentinel?: never;
}

/** Servers watched by sentinels. */
export interface SentinelTopologyOptions extends ServerOptions {
  readonly mode: 'sentinel';
  /** Default: the `VALKEY_SENTINEL_…` variables. */
  readonly sentinel?: SentinelOptions;
  /** Number of the database, 0 to 15. Default: `0`. */
  readonly db?: number;
  readonly host?: never;
  readonly port?: never;
  readonly uri?: never;
  readonly nodes?: never;
}

/** No server at all: a store inside this process. */
export interface EmbeddedOptions extends CommonOptions {
  readonly mode: 'embedded';
  /** Default: 100 000 entries, 64 MiB. */
  readonly embedded?: EmbeddedStoreOptions;
  readonly host?: never;
  readonly port?: never;
  readonly uri?: never;
  readonly nodes?: never;
  readonly sentinel?: never;
  readonly db?: never;
  readonly credentials?: never;
  readonly credentialRefresh?: never;
  readonly tls?: never;
}

/**
 * Everything a user can say about one client. What is left out comes from the environment, then from the defaults.
 *
 * @example
 * ```ts
 * const options: ValkeyOptions = {
 *   mode: 'cluster',
 *   nodes: 'cache-1:6379,cache-2:6379',
 *   resilience: { timeout: '250ms', retry: { attempts: 3 } },
 * };
 * ```
 */
export type ValkeyOptions = SingleOptions | UriOptions | ClusterOptions | SentinelTopologyOptions | EmbeddedOptions;

/** All names an option can have, in whichever topology. */
export type OptionName = ValkeyOptions extends infer Each ? (Each extends unknown ? keyof Each : never) : never;
