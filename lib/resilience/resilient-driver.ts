import type {
  Driver,
  DriverStatus,
  NodeInfo,
  Operation,
  Route,
  Session,
  SubscriptionRequest,
  Topology,
} from '../driver/driver.js';
import { sendTurn } from '../core/end-of-turn.js';
import { ArgumentError } from '../core/errors.js';
import { silenceOf } from '../driver/silence.js';
import { identityOf } from '../core/events.js';
import type { Settings } from '../options/settings.js';
import { pausesOf } from './backoff.js';
import type { Circuit, CircuitControl, Inquiry } from './circuit.js';
import { countDown } from './countdown.js';
import { Deadlines } from './deadlines.js';
import { Traffic } from './flight.js';
import { ReadMerger } from './read-merger.js';
import { RoutePolicy } from './route-policy.js';
import type { PolicyPlan } from './route-policy.js';

/**
 * Operations that are enough for a batch, or arguments of one: it leaves at once. While the server works at it the rest of
 * the tick is put together, and while its answers are read the server works at the rest; else one would always wait for
 * the other.
 */
const FULL = 128;

/**
 * The driver callers see: it collects what one tick of the event loop sends, hands it on per route, and wraps each
 * route in its retry, breaker and deadlines.
 */
export class ResilientDriver implements Driver, CircuitControl, Inquiry {
  readonly name: string;
  readonly topology: Topology;
  /** Left out where the driver leaves it out. */
  readonly track?: NonNullable<Driver['track']>;
  readonly #driver: Driver;
  readonly #plan: PolicyPlan;
  readonly #merger: ReadMerger;
  readonly #policies = new Map<string, RoutePolicy>();
  /** What ends each isolation of all routes: routes met later belong to it too. */
  readonly #isolations = new Set<(() => void)[]>();
  readonly #pauses = new Map<NodeJS.Timeout, () => void>();
  readonly #deadlines = new Deadlines();
  readonly #traffic = new Traffic();
  /** The route of everything, where there is only one. */
  readonly #onlyPolicy: RoutePolicy | undefined;
  #tick: Operation[] = [];
  #closed = false;

  constructor(driver: Driver, settings: Pick<Settings, 'name' | 'retry' | 'breaker' | 'bulkhead' | 'timeouts'>) {
    this.name = driver.name;
    this.topology = driver.topology;
    this.#driver = driver;
    const track = driver.track?.bind(driver);
    if (track) this.track = track;
    this.#plan = {
      driver,
      deadlines: this.#deadlines,
      traffic: this.#traffic,
      attempts: settings.retry.attempts,
      pauses: pausesOf(settings.retry),
      later: (milliseconds, run) => this.#later(milliseconds, run),
      closed: () => this.#closed,
      breaker: settings.breaker,
      patience: silenceOf(settings.timeouts),
      bulkhead: settings.bulkhead,
      send: (policy, operations) => this.#send(policy, this.#merger.merge(operations)),
      identity: identityOf(settings),
    };
    this.#merger = new ReadMerger(driver, (operations) => this.#dispatch(operations));
    this.#onlyPolicy =
      driver.topology === 'single' || driver.topology === 'embedded'
        ? new RoutePolicy(driver.nodes()[0]?.route.id ?? driver.name, this.#plan)
        : undefined;
    driver.onReady?.(({ id }) => {
      if (this.#onlyPolicy?.circuit.route === id) this.#onlyPolicy.onReady();
      else this.#policies.get(id)?.onReady();
    });
  }

  /**
   * What arrives together leaves together. A lone caller is sent off at the end of the tick. While something is in the
   * air it is the end of the event loop's turn, see {@link sendTurn}.
   */
  execute(batch: readonly Operation[]): void {
    if (this.#tick.length === 0) {
      if (this.#traffic.isNone) process.nextTick(this.#flush);
      else sendTurn(this.#flush);
    }
    let isFull = false;
    for (const operation of batch) {
      this.#tick.push(operation);
      isFull ||= operation.args.length >= FULL;
    }
    if ((isFull || this.#tick.length >= FULL) && this.#isAllClosed) this.#flush();
  }

  inquire(operation: Operation): void {
    this.#dispatch([operation]);
  }

  connect(): Promise<void> {
    return this.#driver.connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const policy of this.#routePolicies()) policy.close();
    await this.#driver.close();
    // What waits for its next attempt hears from the closed driver that there is none.
    for (const [timer, run] of this.#pauses) {
      clearTimeout(timer);
      run();
    }
    this.#pauses.clear();
    this.#deadlines.close();
  }

  route(operation: Operation): Route {
    return this.#driver.route(operation);
  }

  primaries(fresh?: boolean): Promise<readonly Route[]> {
    return this.#driver.primaries(fresh);
  }

  /** Nothing in a session may be tried again, but it has deadlines like anything else; so has the wait for one. */
  async session(operation: Operation): Promise<Session> {
    const isolation = (this.#onlyPolicy ?? this.#policyFor(this.#driver.route(operation))).isolation;
    if (isolation) throw isolation;
    countDown(operation, this.#deadlines);
    const session = await this.#driver.session(operation);
    return {
      execute: (batch) => {
        for (const each of batch) countDown(each, this.#deadlines);
        session.execute(batch);
      },
      release: () => session.release(),
    };
  }

  subscribe(request: SubscriptionRequest): Promise<() => Promise<void>> {
    return this.#driver.subscribe(request);
  }

  nodes(): readonly NodeInfo[] {
    return this.#driver.nodes();
  }

  status(): DriverStatus {
    return this.#driver.status();
  }

  onStatus(listener: (status: DriverStatus) => void): () => void {
    return this.#driver.onStatus(listener);
  }

  native(): unknown {
    return this.#driver.native();
  }

  circuits(): readonly Circuit[] {
    this.#forgetGoneRoutes();
    return this.#routePolicies().map((policy) => policy.circuit);
  }

  isolate(route?: string): () => void {
    const releases = this.#routePolicies(route).map((policy) => policy.isolate());
    if (route === undefined) this.#isolations.add(releases);
    return () => {
      this.#isolations.delete(releases);
      for (const release of releases) release();
    };
  }

  resetCircuits(route?: string): void {
    for (const policy of this.#routePolicies(route)) policy.reset();
  }

  /** The circuit of a node that has left would stay as it was for ever: nobody asks it any more. */
  #forgetGoneRoutes(): void {
    const present = new Set(this.#driver.nodes().map(({ route }) => route.id));
    for (const [id, policy] of this.#policies) {
      if (!present.has(id) && policy.isolation === undefined) this.#policies.delete(id);
    }
  }

  /** Of all routes in use, or of one. */
  #routePolicies(route?: string): readonly RoutePolicy[] {
    const policies = this.#onlyPolicy ? [this.#onlyPolicy] : [...this.#policies.values()];
    if (route === undefined) return policies;
    const found = policies.filter((policy) => policy.circuit.route === route);
    if (found.length > 0) return found;
    const known = policies.map((policy) => policy.circuit.route).join(', ');
    throw new ArgumentError(`There is no route "${route}". In use are: ${known || 'none yet'}.`, { subject: 'route' });
  }

  /** While a circuit is tried again only the first batch passes, and should be all there is. */
  get #isAllClosed(): boolean {
    if (this.#onlyPolicy) return this.#onlyPolicy.isClosed;
    for (const policy of this.#policies.values()) if (!policy.isClosed) return false;
    return true;
  }

  readonly #flush = (): void => {
    const operations = this.#tick;
    if (operations.length === 0) return;
    this.#tick = [];
    if (this.#onlyPolicy) this.#onlyPolicy.accept(operations);
    else for (const [route, group] of this.#byRoute(operations)) this.#policyFor(route).accept(group);
  };

  /** Sends without waiting for the tick and without merging; it has its place in the bulkhead already, or needs none. */
  #dispatch(operations: readonly Operation[]): void {
    if (this.#onlyPolicy) this.#send(this.#onlyPolicy, operations);
    else for (const [route, group] of this.#byRoute(operations)) this.#send(this.#policyFor(route), group);
  }

  /** A command that may block for minutes flies alone: a breaker should not wait for it to learn about the others. */
  #send(policy: RoutePolicy, operations: readonly Operation[]): void {
    const now = performance.now();
    if (!operations.some((operation) => operation.blocking)) {
      policy.execute(operations, now);
      return;
    }
    const prompt = operations.filter((operation) => !operation.blocking);
    if (prompt.length > 0) policy.execute(prompt, now);
    for (const operation of operations) if (operation.blocking) policy.execute([operation], now);
  }

  #byRoute(operations: readonly Operation[]): Map<Route, Operation[]> {
    const groups = new Map<Route, Operation[]>();
    for (const operation of operations) {
      const route = this.#driver.route(operation);
      const group = groups.get(route);
      if (group) group.push(operation);
      else groups.set(route, [operation]);
    }
    return groups;
  }

  #policyFor(route: Route): RoutePolicy {
    let policy = this.#policies.get(route.id);
    if (!policy) {
      policy = new RoutePolicy(route.id, this.#plan);
      this.#policies.set(route.id, policy);
      for (const releases of this.#isolations) releases.push(policy.isolate());
    }
    return policy;
  }

  #later(milliseconds: number, run: () => void): void {
    if (this.#closed) {
      run();
      return;
    }
    // Not unref'd: somebody waits for these operations, and a process must not end in the middle of an await.
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      run();
    }, milliseconds);
    this.#pauses.set(timer, run);
  }
}
