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
import type { Settings } from '../options/settings.js';
import { pausesOf } from './backoff.js';
import { Deadlines } from './deadlines.js';
import { ReadMerger } from './read-merger.js';
import { RoutePolicy } from './route-policy.js';
import type { PolicyPlan } from './route-policy.js';

/**
 * The driver callers see: it collects what one tick of the event loop sends, hands it on per route, and wraps each
 * route in its retry, breaker and deadlines.
 */
export class ResilientDriver implements Driver {
  readonly name: string;
  readonly topology: Topology;
  readonly #driver: Driver;
  readonly #plan: PolicyPlan;
  readonly #merger: ReadMerger;
  readonly #policies = new Map<string, RoutePolicy>();
  readonly #pauses = new Map<NodeJS.Timeout, () => void>();
  readonly #deadlines = new Deadlines();
  /** The route of everything, where there is only one. */
  readonly #onlyPolicy: RoutePolicy | undefined;
  #tick: Operation[] = [];
  #closed = false;

  constructor(driver: Driver, settings: Pick<Settings, 'retry' | 'breaker'>) {
    this.name = driver.name;
    this.topology = driver.topology;
    this.#driver = driver;
    this.#plan = {
      driver,
      deadlines: this.#deadlines,
      attempts: settings.retry.attempts,
      pauses: pausesOf(settings.retry),
      later: (milliseconds, run) => this.#later(milliseconds, run),
      breaker: settings.breaker,
    };
    this.#merger = new ReadMerger(driver, (operations) => this.#dispatch(operations));
    this.#onlyPolicy =
      driver.topology === 'single' || driver.topology === 'embedded'
        ? new RoutePolicy(driver.name, this.#plan)
        : undefined;
  }

  /** Everything that arrives before the current tick ends leaves together. */
  execute(batch: readonly Operation[]): void {
    if (this.#tick.length === 0) process.nextTick(this.#flush);
    for (const operation of batch) this.#tick.push(operation);
  }

  connect(): Promise<void> {
    return this.#driver.connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
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

  primaries(): Promise<readonly Route[]> {
    return this.#driver.primaries();
  }

  session(operation: Operation): Promise<Session> {
    return this.#driver.session(operation);
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

  readonly #flush = (): void => {
    const operations = this.#tick;
    this.#tick = [];
    if (this.#onlyPolicy) this.#send(this.#onlyPolicy, this.#merger.merge(operations));
    else
      for (const [route, group] of this.#byRoute(operations))
        this.#send(this.#policyFor(route), this.#merger.merge(group));
  };

  /** Sends without waiting for the tick and without merging. */
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
    }
    return policy;
  }

  #later(milliseconds: number, run: () => void): void {
    if (this.#closed) {
      run();
      return;
    }
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      run();
    }, milliseconds);
    timer.unref();
    this.#pauses.set(timer, run);
  }
}
