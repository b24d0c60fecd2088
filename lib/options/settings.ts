/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a server wants to know before it lets one in. */
export interface Credentials {
  /** Default: the server's `default` user. */
  readonly username?: string;
  readonly password: string;
}

/** Credentials that end: a token of a cloud's identity service. */
export interface ExpiringCredentials extends Credentials {
  /**
   * When they end, in milliseconds since the epoch. They are fetched again before, see `credentialRefresh`. Default: they
   * do not end, and are fetched at each connect only.
   */
  readonly expiresAt?: number;
}

/** Fetches credentials; asked at each connect, and again before they end. */
export type CredentialsProvider = () => Promise<ExpiringCredentials> | ExpiringCredentials;

/** TLS as the driver needs it: texts, not file names. */
export interface TlsSettings {
  /** PEM of the authorities to trust; `undefined` means those of the system. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Name to expect in the certificate instead of the host's. */
  readonly serverName: string | undefined;
  /** True only when the user wrote `insecureSkipVerify: true`. */
  readonly insecureSkipVerify: boolean;
  /** The oldest protocol spoken. It is passed on expressly, because `node --tls-min-v1.0` lowers Node's own floor. */
  readonly minVersion: 'TLSv1.2';
}

/** How the servers are laid out. */
export type TopologySettings =
  | { readonly mode: 'single'; readonly address: Address; readonly db: number }
  | { readonly mode: 'cluster'; readonly nodes: readonly Address[] }
  | {
      readonly mode: 'sentinel';
      readonly sentinels: readonly Address[];
      /** The name of the primary's group. */
      readonly name: string;
      readonly sentinelCredentials: Credentials | undefined;
      readonly db: number;
    }
  | { readonly mode: 'embedded'; readonly maxEntries: number; readonly maxBytes: number };

/** How the pauses between two attempts grow; `none` makes none. */
export type Backoff = 'exponential' | 'decorrelated' | 'linear' | 'fixed' | 'none';

/** Figures for retry, breaker and deadline that go together, under one name. */
export type ResiliencePreset = 'default' | 'aggressive' | 'conservative' | 'off';

/** When the circuit of a route opens, and for how long. */
export type BreakerSettings =
  | {
      /** Consecutive failures that open it. */
      readonly failures: number;
      /** How long it stays open before one attempt is let through. */
      readonly halfOpenAfter: number;
    }
  | {
      /** The share of failures within the window that opens it, above 0 and at most 1. */
      readonly ratio: number;
      /** How far back it looks. */
      readonly window: number;
      /** Attempts within the window before it judges at all. */
      readonly minimum: number;
      /** How long it stays open before one attempt is let through. */
      readonly halfOpenAfter: number;
    };

/** How many operations of one route may be on their way, and how many may wait for that. */
export interface BulkheadSettings {
  readonly inFlight: number;
  readonly queue: number;
}

/** The least important of the module's own log lines that is still written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * Everything a client needs to know, checked and complete: what options and environment come down to. All times in
 * milliseconds.
 */
export interface Settings {
  /** The client's name, `default` for the unnamed one. */
  readonly name: string;
  /** The driver's name in the registry: `valkey`, `embedded`, or one registered by the user. */
  readonly driver: string;
  /** Where the servers are. */
  readonly topology: TopologySettings;
  /** Put before every key, channel, stream and script key; empty for none. */
  readonly keyPrefix: string;
  /** Fixed, fetched, or none. */
  readonly credentials: Credentials | CredentialsProvider | undefined;
  /** How long before their end, credentials that end are fetched again. */
  readonly credentialRefresh: number;
  /** `undefined` for no TLS. */
  readonly tls: TlsSettings | undefined;
  readonly timeouts: {
    /** To open a connection, TLS and AUTH included. */
    readonly dial: number;
    /** From the call of a reading command to its result, all attempts included. */
    readonly read: number;
    /** The same for a writing one. */
    readonly write: number;
  };
  /** Dedicated connections, for blocking commands and watched transactions; ordinary commands share one per node. */
  readonly pool: { readonly size: number; readonly minIdle: number; readonly maxIdle: number };
  readonly retry: {
    /** Repetitions after the first attempt; 0 for none. */
    readonly attempts: number;
    /** How the pauses grow. */
    readonly backoff: Backoff;
    /** The shortest pause. */
    readonly min: number;
    /** The longest pause. */
    readonly max: number;
  };
  /** Per route; `undefined` switches it off. */
  readonly breaker: BreakerSettings | undefined;
  /** Per route; `undefined` leaves it open. */
  readonly bulkhead: BulkheadSettings | undefined;
  /** How many operations may be under way or waiting at once before further ones are refused. */
  readonly maxQueue: number;
  /** `degraded` starts without a server and keeps trying; `required` fails the start. */
  readonly connect: 'degraded' | 'required';
  /** How long close() waits for what is under way. */
  readonly drain: number;
  /** Level of the module's own log lines. */
  readonly logLevel: LogLevel;
}
