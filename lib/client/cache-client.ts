import type { Codec } from '../core/codec/codec.js';
import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import { ArgumentError, UnsupportedError } from '../core/errors.js';
import { identityOf } from '../core/events.js';
import type { ClientIdentity } from '../core/events.js';
import type { Argument, Driver, DriverStatus, NodeInfo, Reply, Topology } from '../driver/driver.js';
import type { Script } from '../driver/script.js';
import type { Circuit, CircuitControl } from '../resilience/circuit.js';
import { toArguments } from './arguments.js';
import { ClientCommands } from './client-commands.js';
import { CommandLookup } from './command-lookup.js';
import { CommandQueue } from './command-queue.js';
import type { Results } from './command-queue.js';
import { refusalOf } from './commands/call/refusals.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder, Key, SplitRule, Value } from './commands/command-set.js';
import { strip, stripReply } from './commands/strip.js';
import { describeCommand } from './commands/table.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherSettings } from './dispatcher.js';
import { probe } from './health.js';
import { guardListener } from './hook-error.js';
import type { ClientHealth } from './health.js';
import { makeInterceptors } from './interceptors.js';
import type { Interceptor, InterceptorFactory } from './interceptors.js';
import { chainPipeline, checkBuilt, executePipeline, shapeResults, shapeSettled } from './pipeline.js';
import type { ChainedPipeline, SettledResults } from './pipeline.js';
import { scanCollection, scanKeys } from './scan.js';
import type { KeyScanOptions, ScanOptions } from './scan.js';
import { DEFAULT_SCOPE, narrowScope } from './scope.js';
import type { Scope, ScopeOptions } from './scope.js';
import { scriptRequest } from './script-request.js';
import { Subscriptions } from './subscription.js';
import type { SubscribeOptions, Subscription } from './subscription.js';
import { requireTenant } from './tenancy/current-tenant.js';
import { Tenant } from './tenancy/tenant.js';
import { TenantDispatcher } from './tenancy/tenant-dispatcher.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import { nodeOf, trackChanges } from './tracking.js';
import type { TrackingListener } from './tracking.js';
import { executeTransaction, executeWatched } from './transaction.js';
import type { WatchOptions } from './transaction.js';

/** What all scopes of one client share. */
interface Shared {
  readonly dispatcher: Dispatching;
  readonly lookup: CommandLookup;
  readonly subscriptions: Subscriptions;
  readonly codec: Codec;
  readonly circuits: Partial<CircuitControl>;
  /** Whose keys it sees; `undefined`: everybody's. */
  readonly tenant: Tenant | undefined;
}

/**
 * The client: every command as a typed method, pipelines, transactions, scripts, scans and subscriptions, the same on a
 * single server, behind sentinels, on a cluster and in process.
 *
 * @example
 * ```ts
 * await client.set('greeting', 'hello', { ttl: '1m' });
 * const [greeting, visits] = await client.pipeline((p) => [p.get('greeting'), p.incr('visits')]);
 * ```
 */
export class CacheClient extends ClientCommands<'promise'> {
  protected override readonly codec: Codec;
  readonly #shared: Shared;
  readonly #scope: Scope;

  /** @internal Made by `createClient()` and the module. */
  constructor(
    driver: Driver & Partial<CircuitControl>,
    settings: DispatcherSettings,
    codec: Codec,
    interceptors?: readonly (Interceptor | InterceptorFactory)[],
  );
  /** @internal */
  constructor(parent: CacheClient, narrowed: ScopeOptions | Tenant);
  constructor(
    origin: (Driver & Partial<CircuitControl>) | CacheClient,
    settings: DispatcherSettings | ScopeOptions | Tenant,
    codec?: Codec,
    interceptors: readonly (Interceptor | InterceptorFactory)[] = [],
  ) {
    super();
    if (origin instanceof CacheClient && settings instanceof Tenant) {
      this.#shared = sharedBy(settings, origin.#shared);
      this.#scope = origin.#scope;
    } else if (origin instanceof CacheClient) {
      this.#shared = origin.#shared;
      this.#scope = narrowScope(origin.#scope, settings as ScopeOptions);
    } else {
      const dispatcher: Dispatcher = new Dispatcher(
        origin,
        settings as DispatcherSettings,
        makeInterceptors(interceptors, {
          ...identityOf(settings as DispatcherSettings),
          underWay: () => dispatcher.underWay,
          nodes: () => origin.nodes(),
          circuits: () => origin.circuits?.() ?? [],
          closed: () => dispatcher.closed,
        }),
      );
      this.#shared = {
        dispatcher,
        lookup: new CommandLookup(dispatcher),
        subscriptions: new Subscriptions(dispatcher),
        codec: codec as Codec,
        circuits: origin,
        tenant: undefined,
      };
      this.#scope = DEFAULT_SCOPE;
    }
    this.codec = this.#shared.codec;
  }

  /** The client's name: `default`, or the one given to `forRoot({ name })`. */
  get name(): string {
    return this.#shared.dispatcher.settings.name;
  }

  /** What stands in front of every key at the server; commands, scans and subscriptions do without it. */
  get keyPrefix(): string {
    return this.#shared.dispatcher.settings.keyPrefix;
  }

  /** Its name, and the number that tells it from others of that name: what events say of it. */
  get identity(): ClientIdentity {
    return identityOf(this.#shared.dispatcher.settings);
  }

  /** How the servers are laid out. */
  get topology(): Topology {
    return this.#shared.dispatcher.driver.topology;
  }

  /**
   * The same client with a deadline, a signal or a preference for replicas on every call made through it. Cheap: make
   * one per request.
   *
   * @example
   * ```ts
   * await client.with({ signal: request.signal, timeout: '50ms' }).get('key');
   * ```
   */
  with(scope: ScopeOptions): CacheClient {
    const narrowed = new CacheClient(this, scope);
    if (scope.route === 'replica' && (this.topology === 'single' || this.topology === 'embedded')) throw noReplica();
    return narrowed;
  }

  /**
   * The same client with keys, channels and patterns of one tenant only: `key` is stored as `tenant:{id}:key`, so that all
   * of a tenant lies in one hash slot. Without an id it is that of the current tenant, see `currentTenant()`. Cheap: make one
   * per request.
   *
   * @example
   * ```ts
   * const acme = client.forTenant('acme');
   * await acme.transaction((t) => [t.set('cart', '1'), t.incr('carts')]);
   * ```
   *
   * @throws ArgumentError for what is no id, without a current tenant, and on the client of a tenant
   */
  forTenant(): CacheClient;
  forTenant(id: string): CacheClient;
  forTenant(...named: readonly [] | readonly [id: string]): CacheClient {
    if (this.tenant !== undefined) throw nested();
    // An id that is undefined by mistake must not become the current tenant's.
    return new CacheClient(this, new Tenant(named.length === 0 ? requireTenant() : named[0]));
  }

  /** The id of the tenant whose keys it sees; `undefined`: those of all. */
  get tenant(): string | undefined {
    return this.#shared.tenant?.id;
  }

  /**
   * Sends any command, routed by its real keys and with the key prefix applied to them. Keys of commands this library
   * does not know are asked of the server. The reply comes as it is, see {@link Reply}.
   */
  async call(command: string, ...args: readonly Value[]): Promise<Reply> {
    const { dispatcher, lookup } = this.#shared;
    const { keyPrefix } = dispatcher.settings;
    const name = command.toUpperCase();
    const wire = toArguments(name, args);
    const refusal = refusalOf(name, wire, keyPrefix);
    if (refusal) throw refusal;
    const description = describeCommand(name, wire) ?? (await lookup.describe(name, wire, this.#scope));
    const decode = (reply: Reply): Reply => stripReply(name, wire, reply, keyPrefix);
    return dispatcher.request({ command: description, args: wire, decode, binary: false }, this.#scope);
  }

  /**
   * Sends commands together and gives their results as a typed tuple, in order, also across the nodes of a cluster. Each
   * command is executed, whatever becomes of the others; if any fails, a {@link PipelineError} carries all results. With
   * `settled: true` nothing is thrown, and each place says whether it holds a value or an error.
   *
   * @example
   * ```ts
   * const [stored, name, visits] = await client.pipeline((p) => [p.set('a', '1'), p.get('b'), p.incr('c')]);
   * const [first] = await client.pipeline().set('a', '1').get('a').exec();
   * ```
   */
  pipeline(): ChainedPipeline;
  pipeline<const T>(build: (pipeline: CommandQueue) => T): Promise<Results<T>>;
  pipeline<const T>(
    build: (pipeline: CommandQueue) => T,
    options: { readonly settled: true },
  ): Promise<SettledResults<T>>;
  pipeline<const T>(
    build?: (pipeline: CommandQueue) => T,
    options?: { readonly settled: true },
  ): ChainedPipeline | Promise<Results<T> | SettledResults<T>> {
    if (!build) return chainPipeline(this.#queue(), (queue) => this.#executeChain(queue));
    return this.#executePipeline(build, options);
  }

  /**
   * Runs commands between MULTI and EXEC, all or none, on one connection. With `watch`, the function may read first:
   * it is called again when a watched key was changed meanwhile. On a cluster all keys must share one hash slot.
   *
   * @example
   * ```ts
   * await client.transaction({ watch: ['stock'] }, async (t) => {
   *   const stock = Number(await client.get('stock'));
   *   return [t.set('stock', stock - 1)];
   * });
   * ```
   */
  transaction<const T>(build: (transaction: CommandQueue) => T): Promise<Results<T>>;
  transaction<const T>(
    options: WatchOptions,
    build: (transaction: CommandQueue) => Promise<T> | T,
  ): Promise<Results<T>>;
  async transaction<const T>(
    first: WatchOptions | ((transaction: CommandQueue) => T),
    build?: (transaction: CommandQueue) => Promise<T> | T,
  ): Promise<Results<T>> {
    const { dispatcher } = this.#shared;
    if (typeof first !== 'function') {
      const { built, results } = await executeWatched(
        dispatcher,
        this.#scope,
        first,
        () => this.#queue(),
        build as (queue: CommandQueue) => T,
      );
      return shapeResults(built, results, this.#scope);
    }
    const queue = this.#queue();
    const built = first(queue);
    checkBuilt(built, queue.entries);
    return shapeResults(built, (await executeTransaction(dispatcher, this.#scope, queue)) ?? [], this.#scope);
  }

  /** Every key on every primary, without the prefix; see {@link KeyScanOptions}. */
  scan(options?: KeyScanOptions): AsyncGenerator<string, void, undefined> {
    return scanKeys(this.#shared.dispatcher, this.#scope, options);
  }

  /** The fields of a hash with their values. */
  hscan(key: Key, options?: ScanOptions): AsyncGenerator<readonly [field: string, value: string], void, undefined> {
    return scanCollection(this.#shared.dispatcher, this.#scope, 'HSCAN', key, options);
  }

  /** The members of a set. */
  async *sscan(key: Key, options?: ScanOptions): AsyncGenerator<string, void, undefined> {
    for await (const [member] of scanCollection(this.#shared.dispatcher, this.#scope, 'SSCAN', key, options))
      yield member;
  }

  /** The members of a sorted set with their scores. */
  async *zscan(
    key: Key,
    options?: ScanOptions,
  ): AsyncGenerator<{ readonly member: string; readonly score: number }, void, undefined> {
    for await (const [member, score] of scanCollection(this.#shared.dispatcher, this.#scope, 'ZSCAN', key, options)) {
      yield { member, score: toScore(score) };
    }
  }

  /**
   * Listens to channels until closed, over reconnects too.
   *
   * @example
   * ```ts
   * for await (const message of await client.subscribe('orders')) handle(message.text);
   * ```
   */
  subscribe(channels: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    return this.#shared.subscriptions.open('channel', listOf(channels), options, this.#scope);
  }

  /** Listens to all channels that match glob patterns, see {@link CacheClient.subscribe}. */
  psubscribe(patterns: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    return this.#shared.subscriptions.open('pattern', listOf(patterns), options, this.#scope);
  }

  /**
   * Tells about every change of keys that begin with `prefix`, whoever makes it, until the function it gives is called
   * or the client is closed. The prefix is literal. `listener.covered` says whether changes are told at the moment: at
   * first they are not, and on `false` whatever was concluded from their absence is void.
   *
   * @example
   * ```ts
   * const stop = client.track('price:', { changed: (key) => prices.delete(key), covered: () => prices.clear() });
   * ```
   */
  track(prefix: string, listener: TrackingListener): () => void {
    return trackChanges(this.#shared.dispatcher, prefix, listener);
  }

  /** The id of the node that serves a key, as {@link CacheClient.nodes} and events tell it. On a cluster it changes as slots move. */
  nodeOf(key: string): string {
    return nodeOf(this.#shared.dispatcher, key);
  }

  /** Whether commands can be sent, and if not, why. */
  status(): DriverStatus {
    return this.#shared.dispatcher.driver.status();
  }

  /**
   * Tells about changes of {@link CacheClient.status}; the function it gives ends that. What the listener throws changes
   * nothing: it becomes an event on `nestjs-valkey:hook-error`.
   */
  onStatus(listener: (status: DriverStatus) => void): () => void {
    return this.#shared.dispatcher.driver.onStatus(guardListener(this.identity, 'onStatus', listener));
  }

  /** The servers as the driver knows them. */
  nodes(): readonly NodeInfo[] {
    return this.#shared.dispatcher.driver.nodes();
  }

  /** How the client and its servers are; answers within `timeout`, also when a node hangs, and never rejects for it. */
  health(options: { /** Default `'1s'`. */ readonly timeout?: Duration } = {}): Promise<ClientHealth> {
    return probe(
      this.#shared.dispatcher,
      () => this.circuits(),
      toMilliseconds(options.timeout ?? '1s', 'health(): timeout'),
    );
  }

  /** The circuit of every route that has been used. */
  circuits(): readonly Circuit[] {
    return this.#shared.circuits.circuits?.() ?? [];
  }

  /** Opens circuits by hand, of one route or of all: nothing is sent until the function it gives is called. */
  isolate(route?: string): () => void {
    return this.#shared.circuits.isolate?.(route) ?? (() => undefined);
  }

  /** Closes circuits that failures have opened, of one route or of all, without waiting for `halfOpenAfter`. */
  resetCircuits(route?: string): void {
    this.#shared.circuits.resetCircuits?.(route);
  }

  /** Operations under way or waiting. */
  get underWay(): number {
    return this.#shared.dispatcher.underWay;
  }

  /**
   * The driver's own client: the escape hatch, without key prefix, batching or policies. Its type is the driver's:
   * `client.native<ValkeyNative>()`.
   */
  native<N = unknown>(): N {
    return this.#shared.dispatcher.driver.native() as N;
  }

  /** Opens the connections; done by the module at start. Rejects when the first attempt fails, and goes on trying. */
  connect(): Promise<void> {
    return this.#shared.dispatcher.driver.connect();
  }

  /** Takes no more work, lets what is under way finish within `drain`, then ends everything; done by the module. */
  async close(): Promise<void> {
    // Together: a server that does not answer an UNSUBSCRIBE must not hold up the end.
    await Promise.all([this.#shared.dispatcher.close(), this.#shared.subscriptions.close()]);
  }

  protected override send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary = false,
  ): Promise<T> {
    return this.#shared.dispatcher.send(command, args, decode, binary, this.#scope);
  }

  protected override sendSplit<T>(
    command: CommandDescription,
    args: readonly Argument[],
    split: SplitRule,
    decode: Decoder<T>,
    binary = false,
  ): Promise<T> {
    return this.#shared.dispatcher.request({ command, args, decode, binary, split }, this.#scope);
  }

  protected override async sendScript<T>(
    script: Script,
    keys: readonly Key[],
    args: readonly Value[],
    decode: Decoder<T>,
    binary: boolean,
  ): Promise<T> {
    return this.#shared.dispatcher.request(scriptRequest('EVALSHA', script, keys, args, decode, binary), this.#scope);
  }

  protected override answer<T>(value: T): Promise<T> {
    return Promise.resolve(value);
  }

  protected override refuse<T>(error: Error): Promise<T> {
    return Promise.reject(error);
  }

  protected override stripPrefix(key: string): string {
    return strip(key, this.#shared.dispatcher.settings.keyPrefix) as string;
  }

  #queue(): CommandQueue {
    return new CommandQueue(this.#shared.dispatcher.settings.keyPrefix, this.codec);
  }

  async #executePipeline<T>(
    build: (pipeline: CommandQueue) => T,
    options: { readonly settled: true } | undefined,
  ): Promise<Results<T> | SettledResults<T>> {
    const queue = this.#queue();
    const built = build(queue);
    checkBuilt(built, queue.entries);
    const results = await executePipeline(this.#shared.dispatcher, this.#scope, queue.entries);
    return options?.settled === true ? shapeSettled(built, results) : shapeResults(built, results, this.#scope);
  }

  async #executeChain(queue: CommandQueue): Promise<unknown[]> {
    const results = await executePipeline(this.#shared.dispatcher, this.#scope, queue.entries);
    const shaped: readonly unknown[] = shapeResults(queue.entries, results, this.#scope);
    return [...shaped];
  }
}

/** What scopes of a tenant share: all of it but the names. */
function sharedBy(tenant: Tenant, shared: Shared): Shared {
  const dispatcher = new TenantDispatcher(shared.dispatcher, tenant.prefix);
  return { ...shared, dispatcher, subscriptions: shared.subscriptions.through(dispatcher), tenant };
}

function nested(): ArgumentError {
  return new ArgumentError(
    'This client belongs to a tenant already: forTenant() would put one tenant into the keys of another. Call it on the client that was injected.',
    { subject: 'tenant' },
  );
}

function noReplica(): UnsupportedError {
  return new UnsupportedError(
    "with({ route: 'replica' }) needs replicas, and this client knows a single server only. Use mode 'sentinel' or 'cluster', or the route 'preferReplica'.",
    { subject: 'route' },
  );
}

function listOf(names: string | readonly string[]): readonly string[] {
  return typeof names === 'string' ? [names] : names;
}

function toScore(text: string): number {
  return text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text);
}
