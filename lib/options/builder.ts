import type { Duration } from '../core/duration.js';
import { SENTINEL_PORT, SERVER_PORT, parseAddresses } from './address.js';
import { type Fields, pick } from './draft.js';
import { optionLayer } from './option-layer.js';
import type {
  BreakerOptions,
  BulkheadOptions,
  EmbeddedStoreOptions,
  NodeList,
  PoolOptions,
  ResilienceOptions,
  RetryOptions,
  SentinelOptions,
  ServerOptions,
  TimeoutOptions,
  TlsOptions,
  ValkeyOptions as Options,
} from './options.js';
import { Problems } from './problem.js';
import { deepFreeze, guard } from './secret.js';
import type { Address, Credentials, CredentialsProvider, LogLevel, ResiliencePreset } from './settings.js';
import { formatUri, parseUri } from './uri.js';

/** What a builder knows already of the topology; the methods that do not fit it do not compile. */
export type Stage = 'open' | 'single' | 'cluster' | 'sentinel' | 'embedded';
type Server = 'open' | 'single' | 'cluster' | 'sentinel';

/** Options under construction, whatever their topology: whether they fit together is checked by `build()`. */
interface Parts extends Omit<ServerOptions, 'embedded' | 'resilience'> {
  readonly mode?: Stage;
  readonly host?: string;
  readonly port?: number;
  readonly uri?: string;
  readonly nodes?: NodeList;
  readonly sentinel?: SentinelOptions;
  readonly db?: number;
  readonly embedded?: EmbeddedStoreOptions;
  readonly resilience?: ResilienceOptions;
}

/**
 * Builds options step by step. Immutable: each step returns a new builder, so that a common beginning can be shared.
 * What is given to a step is copied.
 *
 * @example
 * ```ts
 * const base = ValkeyOptions.builder().credentials({ password }).retries(5);
 * const sessions = base.name('sessions').single('sessions.internal').db(1).build();
 * const cache = base.cluster('cache-1:6379,cache-2:6379').tls().build();
 * ```
 */
export class OptionsBuilder<S extends Stage = 'open'> {
  /** Exists for the type checker only. */
  declare readonly stage: S;
  readonly #parts: Parts;

  /** @internal Use `ValkeyOptions.builder()`. */
  constructor(parts: Parts = {}) {
    this.#parts = parts;
  }

  /** One server. Default: `localhost`, `6379`. */
  single(this: OptionsBuilder<'open'>, host = 'localhost', port = SERVER_PORT): OptionsBuilder<'single'> {
    return this.#with<'single'>({ mode: 'single', host, port });
  }

  /** A cluster, by some of its nodes. */
  cluster(this: OptionsBuilder<'open'>, nodes: NodeList): OptionsBuilder<'cluster'> {
    return this.#with<'cluster'>({ mode: 'cluster', nodes });
  }

  /** Servers watched by sentinels. */
  sentinel(this: OptionsBuilder<'open'>, sentinel: SentinelOptions): OptionsBuilder<'sentinel'> {
    return this.#with<'sentinel'>({ mode: 'sentinel', sentinel });
  }

  /** No server: a store inside this process. Default: 100 000 entries, 64 MiB. */
  embedded(this: OptionsBuilder<'open'>, bounds: EmbeddedStoreOptions = {}): OptionsBuilder<'embedded'> {
    return this.#with<'embedded'>({ mode: 'embedded', embedded: bounds });
  }

  /** A connection string: `valkey[s]://[user:password@]host[:port][/db][?option=value]`. */
  uri(this: OptionsBuilder<'open'>, uri: string): OptionsBuilder<'single'> {
    return this.#with<'single'>({ uri });
  }

  /** Fixed credentials, or a function that fetches them. Default: none. */
  credentials(this: OptionsBuilder<Server>, credentials: Credentials | CredentialsProvider): OptionsBuilder<S> {
    return this.#with({ credentials });
  }

  /** How long before their end credentials are fetched again. Default: `'10m'`. */
  credentialRefresh(this: OptionsBuilder<Server>, early: Duration): OptionsBuilder<S> {
    return this.#with({ credentialRefresh: early });
  }

  /** TLS 1.2 or newer. Default: with the authorities of the system. */
  tls(this: OptionsBuilder<Server>, tls: boolean | TlsOptions = true): OptionsBuilder<S> {
    return this.#with({ tls });
  }

  /** Number of the database, 0 to 15; not in a cluster. Default: `0`. */
  db(this: OptionsBuilder<'open' | 'single' | 'sentinel'>, db: number): OptionsBuilder<S> {
    return this.#with({ db });
  }

  /** The client's name. Default: `'default'`. */
  name(name: string): OptionsBuilder<S> {
    return this.#with({ name });
  }

  /** A driver of the registry. Default: the one that fits the topology. */
  driver(driver: string): OptionsBuilder<S> {
    return this.#with({ driver });
  }

  /** Put before every key. Default: `''`. */
  keyPrefix(keyPrefix: string): OptionsBuilder<S> {
    return this.#with({ keyPrefix });
  }

  /** Default: 5 s to connect, 3 s per command. What an earlier call set, and this one does not, stays. */
  timeouts(timeouts: TimeoutOptions): OptionsBuilder<S> {
    return this.#with({ timeouts: { ...this.#parts.timeouts, ...timeouts } });
  }

  /** Figures for what follows, under one name; each further step wins over it. Default: none, which is like `'default'`. */
  preset(preset: ResiliencePreset): OptionsBuilder<S> {
    return this.#with({ resilience: { ...this.#parts.resilience, preset } });
  }

  /** For reading and writing commands alike. Default: `'3s'`. */
  timeout(timeout: Duration): OptionsBuilder<S> {
    return this.#with({ resilience: { ...this.#parts.resilience, timeout } });
  }

  /** Repetitions after the first attempt. Default: `3`. */
  retries(attempts: number): OptionsBuilder<S> {
    return this.retry({ attempts });
  }

  /** Default: 3 retries after 8 to 512 ms. `false` switches them off; otherwise an earlier call is completed. */
  retry(retry: false | RetryOptions): OptionsBuilder<S> {
    const earlier = this.#parts.resilience?.retry;
    const merged = retry === false ? retry : { ...(earlier === false ? {} : earlier), ...retry };
    return this.#with({ resilience: { ...this.#parts.resilience, retry: merged } });
  }

  /** Default: opens after 5 failures for 5 s. `false` switches it off. */
  breaker(breaker: false | BreakerOptions): OptionsBuilder<S> {
    return this.#with({ resilience: { ...this.#parts.resilience, breaker } });
  }

  /** How much one node may be asked at once. Default: `false`, no bound but `maxQueue`. */
  bulkhead(bulkhead: false | BulkheadOptions): OptionsBuilder<S> {
    return this.#with({ resilience: { ...this.#parts.resilience, bulkhead } });
  }

  /** Default: up to 10 dedicated connections. */
  pool(pool: PoolOptions): OptionsBuilder<S> {
    return this.#with({ pool: { ...this.#parts.pool, ...pool } });
  }

  /** Operations under way or waiting, beyond which further ones are refused. Default: `65_536`. */
  maxQueue(maxQueue: number): OptionsBuilder<S> {
    return this.#with({ maxQueue });
  }

  /** Whether the start waits for a server. Default: `'degraded'`. */
  connect(connect: 'degraded' | 'required'): OptionsBuilder<S> {
    return this.#with({ connect });
  }

  /** How long closing waits for what is under way. Default: `'5s'`. */
  drain(drain: Duration): OptionsBuilder<S> {
    return this.#with({ drain });
  }

  /** The least important log line of the module that is still written. Default: `'info'`. */
  logLevel(logLevel: LogLevel): OptionsBuilder<S> {
    return this.#with({ logLevel });
  }

  /**
   * The options, frozen and safe to log: a connection string is spelt out into its parts, so that its password is
   * held like any other.
   *
   * @throws ConfigurationError naming every option that is wrong, or does not fit the others.
   */
  build(): Options {
    const problems = new Problems();
    const layer = optionLayer(this.#parts as Options, problems);
    problems.throwIfAny();
    const { credentials, sentinel, tls, ...rest } = spelledOut(this.#parts, layer.uri);
    const parts: Parts = {
      ...rest,
      ...(credentials && { credentials: isAccount(credentials) ? guard(credentials, ['password']) : credentials }),
      ...(sentinel && { sentinel: guard(sentinel, ['password']) }),
      ...(tls !== undefined && { tls: typeof tls === 'object' ? guard(tls, ['key']) : tls }),
    };
    return deepFreeze(parts as Options);
  }

  /** A connection string for logs: where to, as whom, which database; never a password. */
  toString(): string {
    const { uri, mode, host, port, nodes, sentinel, credentials, db, tls } = this.#parts;
    if (mode === 'embedded') return 'embedded:';
    const said = uri === undefined ? {} : parseUri(uri, 'uri', new Problems());
    const account = isAccount(credentials) ? credentials : undefined;
    const addresses: readonly Address[] = said.nodes?.value ??
      parseAddresses(sentinel?.nodes, SENTINEL_PORT) ??
      parseAddresses(nodes, SERVER_PORT) ?? [
        { host: said.host?.value ?? host ?? 'localhost', port: said.port?.value ?? port ?? SERVER_PORT },
      ];
    const text = formatUri(addresses, {
      username: account?.username ?? said.username?.value,
      password: credentials !== undefined || said.password !== undefined,
      db: said.db?.value ?? db,
      tls: said.tls?.value ?? (tls !== undefined && tls !== false),
    });
    return sentinel ? `${text}?sentinel=${encodeURIComponent(sentinel.name)}` : text;
  }

  #with<Next extends Stage = S>(step: Parts): OptionsBuilder<Next> {
    return new OptionsBuilder<Next>({ ...this.#parts, ...copied(step) });
  }
}

/**
 * Everything a user can say about one client. The name stands for the type and for its builder:
 * `ValkeyOptions.builder()`.
 */
export type ValkeyOptions = Options;

/** Where the builder starts. */
export const ValkeyOptions = {
  /** A builder that knows nothing yet. */
  builder: (): OptionsBuilder => new OptionsBuilder(),
} as const;

/** The parts with what the connection string says in their proper places. */
function spelledOut(written: Parts, uri: Fields): Parts {
  const parts: Parts = Object.fromEntries(Object.entries(written).filter(([name]) => name !== 'uri'));
  const said = [uri];
  const mode = uri.nodes ? 'cluster' : uri.host ? 'single' : parts.mode;
  const put = <K extends keyof Parts>(name: K, value: Parts[K] | undefined): Parts =>
    value === undefined ? {} : { [name]: value };
  const username = pick(said, 'username')?.value;
  const password = pick(said, 'password')?.value;
  const { read, write, dial } = { read: uri.read?.value, write: uri.write?.value, dial: uri.dial?.value };
  return {
    ...parts,
    ...put('mode', mode),
    ...put('host', uri.host?.value),
    ...put('port', uri.port?.value),
    ...put('nodes', uri.nodes?.value),
    ...put('db', uri.db?.value),
    ...put('keyPrefix', uri.keyPrefix?.value),
    ...put('tls', parts.tls ?? uri.tls?.value),
    ...put('credentials', password === undefined ? undefined : { ...(username && { username }), password }),
    ...put('timeouts', completed(parts.timeouts, { read, write, dial })),
    ...put('pool', completed(parts.pool, { size: uri.poolSize?.value })),
    ...put('resilience', withAttempts(parts.resilience, uri.attempts?.value)),
  };
}

function withAttempts(resilience: Parts['resilience'], attempts: number | undefined): Parts['resilience'] {
  if (attempts === undefined) return resilience;
  return { ...resilience, retry: { ...(resilience?.retry ? resilience.retry : {}), attempts } };
}

/** `given` with the defined ones of `more`; `undefined` when both are empty. */
function completed<T extends object>(
  given: T | undefined,
  more: { readonly [K in keyof T]?: T[K] | undefined },
): T | undefined {
  const defined = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  return given === undefined && Object.keys(defined).length === 0 ? undefined : Object.assign({}, given, defined);
}

function isAccount(credentials: Parts['credentials']): credentials is Credentials {
  return typeof credentials === 'object';
}

/** A copy that later changes of the original do not reach; bytes become text, functions stay themselves. */
function copied<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  // Guarded objects hold their secrets out of sight, and printing functions beside them.
  const names = Object.getOwnPropertyNames(value).filter((name) => name !== 'toJSON' && name !== 'toString');
  return Object.fromEntries(names.map((name) => [name, copyOf(Reflect.get(value, name))]));
}
