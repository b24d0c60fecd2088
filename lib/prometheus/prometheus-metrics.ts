import { Counter, Gauge, Histogram, register } from 'prom-client';
import type { Metric, Registry } from 'prom-client';
import type {
  CommandCall,
  CommandHooks,
  CommandResult,
  InterceptorFactory,
  ObservedClient,
} from '../client/interceptors.js';
import { ArgumentError } from '../core/errors.js';
import { events } from '../core/events.js';
import type { BreakerState } from '../core/events.js';
import { meterCaches } from './cache-meter.js';
import { meterIdempotency } from './idempotency-meter.js';
import { DEFAULT_BUCKETS, LatencyHistogram } from './latency-histogram.js';
import type { Distribution } from './latency-histogram.js';
import { meterLimits } from './limit-meter.js';
import { meterLocks } from './lock-meter.js';

/** How figures are kept. */
export interface PrometheusOptions {
  /** Default: prom-client's own, global registry. */
  readonly register?: Registry;
  /** In front of every metric's name. Default `valkey_`. */
  readonly prefix?: string;
  /** Upper bounds of the latency buckets, in seconds, ascending. Default: 14 from 0.0001 to 2.5. */
  readonly buckets?: readonly number[];
}

/** Command names kept apart; a client that calls more counts the rest as OTHER, so that labels stay bounded. */
const MOST_COMMANDS = 300;

const STATES: readonly BreakerState[] = ['closed', 'half-open', 'open', 'isolated'];

/** Whose metrics these are. */
const OWNERS = new WeakMap<Metric, PrometheusMetrics>();

/** What each metric has and its type does not say. */
interface Named {
  readonly name: string;
}

/**
 * Figures of every client it is given to as an interceptor, for prom-client. Labels are names of clients, commands, limits,
 * error codes and nodes; never keys or values.
 *
 * @example
 * ```ts
 * const metrics = new PrometheusMetrics();
 * ValkeyModule.forRoot({ interceptors: [metrics] });
 * ```
 */
export class PrometheusMetrics implements InterceptorFactory {
  readonly #clients = new Map<number, ObservedClient>();
  readonly #durations: LatencyHistogram;
  readonly #errors: Counter<'client' | 'command' | 'code'>;
  readonly #subscriptions: readonly (() => void)[];
  readonly #registry: Registry;
  readonly #metrics: readonly Metric[];

  constructor({
    register: registry = register,
    prefix = 'valkey_',
    buckets = DEFAULT_BUCKETS,
  }: PrometheusOptions = {}) {
    checkBuckets(buckets);
    this.#registry = registry;
    this.#durations = new LatencyHistogram(
      `${prefix}command_duration_seconds`,
      'From the call of a command to its result, all attempts included',
      buckets,
    );
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name: prefix + name, help, labelNames, registers: [] });
    this.#errors = counter('command_errors_total', 'Commands that failed, by error code', [
      'client',
      'command',
      'code',
    ]);
    const retries = counter('retries_total', 'Repetitions, by node and by the code of the failure before', [
      'client',
      'route',
      'code',
    ]);
    const connections = counter('connection_events_total', 'Changes of connections', ['client', 'lane', 'state']);
    const redirections = counter('redirections_total', 'Commands a cluster sent elsewhere', ['client', 'kind']);
    const topologies = counter('topology_changes_total', 'Changes of who serves which slots', ['client']);
    const failures = counter('topology_failures_total', 'Times no node could tell the layout of the cluster', [
      'client',
    ]);
    const transitions = counter('breaker_transitions_total', 'Changes of circuits', ['client', 'route', 'state']);
    const pipelines = new Histogram({
      name: `${prefix}pipeline_size`,
      help: 'Commands per pipeline or transaction',
      labelNames: ['client', 'kind'],
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
      registers: [],
    });
    const caches = meterCaches(prefix, (clientId) => this.#clients.has(clientId));
    const idempotency = meterIdempotency(prefix, (clientId) => this.#clients.has(clientId));
    const limits = meterLimits(prefix, (clientId) => this.#clients.has(clientId));
    const locks = meterLocks(prefix, (clientId) => this.#clients.has(clientId));
    this.#metrics = [
      this.#durations as unknown as Metric,
      this.#errors,
      retries,
      connections,
      redirections,
      topologies,
      failures,
      transitions,
      pipelines,
      ...caches.metrics,
      ...idempotency.metrics,
      ...limits.metrics,
      ...locks.metrics,
      ...this.#gauges(prefix),
    ];
    this.#register();
    this.#subscriptions = [
      () => caches.stop(),
      () => idempotency.stop(),
      () => limits.stop(),
      () => locks.stop(),
      events.retry.subscribe(({ client, route, code, clientId }) =>
        this.#count(clientId, () => retries.inc({ client, route, code })),
      ),
      events.connection.subscribe(({ client, lane, state, clientId }) =>
        this.#count(clientId, () => connections.inc({ client, lane, state })),
      ),
      events.redirection.subscribe(({ client, kind, clientId }) =>
        this.#count(clientId, () => redirections.inc({ client, kind })),
      ),
      events.topology.subscribe(({ client, clientId }) => this.#count(clientId, () => topologies.inc({ client }))),
      events.topologyFailure.subscribe(({ client, clientId }) => this.#count(clientId, () => failures.inc({ client }))),
      events.breaker.subscribe(({ client, route, state, clientId }) =>
        this.#count(clientId, () => transitions.inc({ client, route, state })),
      ),
      events.pipeline.subscribe(({ client, kind, size, clientId }) =>
        this.#count(clientId, () => pipelines.observe({ client, kind }, size)),
      ),
    ];
  }

  /** @internal */
  forClient(client: ObservedClient): CommandHooks {
    this.#clients.set(client.clientId, client);
    return new CommandMeter(client.client, this.#durations, this.#errors);
  }

  /** Stops listening, and takes the metrics out of the registry. */
  close(): void {
    for (const stop of this.#subscriptions) stop();
    this.#clients.clear();
    for (const metric of this.#metrics) {
      const { name } = metric as unknown as Named;
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
  }

  /** An application that was closed and is built anew finds the metrics of the old one, which nobody has closed. */
  #register(): void {
    for (const metric of this.#metrics) {
      const { name } = metric as unknown as Named;
      const found = this.#registry.getSingleMetric(name);
      const owner = found && OWNERS.get(found);
      if (owner !== undefined && owner.#isOver) owner.close();
      else if (found) throw taken(name);
    }
    for (const metric of this.#metrics) {
      this.#registry.registerMetric(metric);
      OWNERS.set(metric, this);
    }
  }

  /** Whether it had clients, and all of them are closed. */
  get #isOver(): boolean {
    const clients = [...this.#clients.values()];
    return clients.length > 0 && clients.every(({ closed }) => closed());
  }

  /** Events of clients that were not given these metrics are somebody else's. */
  #count(clientId: number, count: () => void): void {
    if (this.#clients.has(clientId)) count();
  }

  #gauges(prefix: string): readonly Metric[] {
    const clients = this.#clients;
    const registers: Registry[] = [];
    const underWay = new Gauge({
      name: `${prefix}operations_under_way`,
      help: 'Operations sent or waiting',
      labelNames: ['client'],
      registers,
      collect() {
        for (const each of clients.values()) this.set({ client: each.client }, each.underWay());
      },
    });
    const nodesConnected = new Gauge({
      name: `${prefix}nodes_connected`,
      help: 'Nodes with an open connection',
      labelNames: ['client', 'role'],
      registers,
      collect() {
        this.reset();
        for (const { client, nodes } of clients.values()) {
          for (const { role, connected } of nodes()) this.inc({ client, role }, connected ? 1 : 0);
        }
      },
    });
    const breakerState = new Gauge({
      name: `${prefix}breaker_state`,
      help: '1 for the state a circuit is in',
      labelNames: ['client', 'route', 'state'],
      registers,
      collect() {
        this.reset();
        for (const { client, circuits } of clients.values()) {
          for (const circuit of circuits()) {
            for (const state of STATES)
              this.set({ client, route: circuit.route, state }, circuit.state === state ? 1 : 0);
          }
        }
      },
    });
    return [underWay, nodesConnected, breakerState];
  }
}

/** The hot part, one for each client: no labels are hashed for a command that was seen before. */
class CommandMeter implements CommandHooks {
  readonly #client: string;
  readonly #durations: LatencyHistogram;
  readonly #errors: Counter<'client' | 'command' | 'code'>;
  readonly #series = new Map<string, Distribution>();

  constructor(client: string, durations: LatencyHistogram, errors: Counter<'client' | 'command' | 'code'>) {
    this.#client = client;
    this.#durations = durations;
    this.#errors = errors;
  }

  afterCommand({ command }: CommandCall, { error, durationMs }: CommandResult): void {
    const series = this.#series.get(command) ?? this.#newSeries(command);
    series.observe(durationMs / 1000);
    if (error) this.#errors.inc({ client: this.#client, command: this.#label(command), code: error.code });
  }

  #newSeries(command: string): Distribution {
    const series = this.#durations.series({ client: this.#client, command: this.#label(command) });
    if (this.#series.size < MOST_COMMANDS) this.#series.set(command, series);
    return series;
  }

  #label(command: string): string {
    return this.#series.has(command) || this.#series.size < MOST_COMMANDS ? command : 'OTHER';
  }
}

function taken(name: string): ArgumentError {
  return new ArgumentError(
    `The registry has a metric ${name} already. One PrometheusMetrics serves any number of clients: give all of them the same. Otherwise close() the one before, or give this one a register or a prefix of its own.`,
    { subject: 'register' },
  );
}

function checkBuckets(buckets: readonly number[]): void {
  const ascending = buckets.every((bound, index) => bound > (buckets[index - 1] ?? 0));
  if (buckets.length === 0 || !ascending) {
    throw new ArgumentError('buckets must be positive seconds in ascending order.', { subject: 'buckets' });
  }
}
