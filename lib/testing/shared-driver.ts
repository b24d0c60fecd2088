import { ClientClosedError } from '../core/errors.js';
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

/** One client's end of a driver that several share: closing it ends what came through it, and nothing else. */
export class SharedDriver implements Driver {
  readonly name: string;
  readonly topology: Topology;
  readonly #driver: Driver;
  readonly #listeners = new Set<(status: DriverStatus) => void>();
  readonly #subscriptions = new Set<() => Promise<void>>();
  /** What was not over as soon as it was sent: commands that wait. */
  readonly #waiting = new Set<Operation>();
  #status: DriverStatus = { state: 'idle' };

  constructor(driver: Driver) {
    this.#driver = driver;
    this.name = driver.name;
    this.topology = driver.topology;
  }

  async connect(): Promise<void> {
    if (this.#isClosed()) throw new ClientClosedError();
    await this.#driver.connect();
    if (this.#status.state === 'idle') this.#become({ state: 'ready' });
  }

  async close(): Promise<void> {
    if (this.#isClosed()) return;
    this.#become({ state: 'closed' });
    this.#listeners.clear();
    for (const operation of this.#waiting) this.#refuse(operation);
    this.#waiting.clear();
    await Promise.all([...this.#subscriptions].map((stop) => stop()));
  }

  execute(batch: readonly Operation[]): void {
    this.#carry(batch, (operations) => this.#driver.execute(operations));
  }

  route(operation: Operation): Route {
    return this.#driver.route(operation);
  }

  primaries(): Promise<readonly Route[]> {
    return this.#driver.primaries();
  }

  async session(operation: Operation): Promise<Session> {
    if (this.#isClosed()) throw new ClientClosedError(operation.command);
    const session = await this.#driver.session(operation);
    return {
      execute: (batch) => this.#carry(batch, (operations) => session.execute(operations)),
      release: () => session.release(),
    };
  }

  async subscribe(request: SubscriptionRequest): Promise<() => Promise<void>> {
    if (this.#isClosed()) throw new ClientClosedError('SUBSCRIBE');
    const stop = await this.#driver.subscribe(request);
    this.#subscriptions.add(stop);
    return async () => {
      this.#subscriptions.delete(stop);
      await stop();
    };
  }

  nodes(): readonly NodeInfo[] {
    return this.#driver.nodes().map((node) => ({ ...node, connected: node.connected && !this.#isClosed() }));
  }

  status(): DriverStatus {
    return this.#status;
  }

  onStatus(listener: (status: DriverStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  native(): unknown {
    return this.#driver.native();
  }

  #carry(batch: readonly Operation[], send: (batch: readonly Operation[]) => void): void {
    if (this.#isClosed()) {
      for (const operation of batch) this.#refuse(operation);
      return;
    }
    send(batch);
    for (const operation of this.#waiting) if (operation.settled) this.#waiting.delete(operation);
    for (const operation of batch) if (!operation.settled) this.#waiting.add(operation);
  }

  #refuse(operation: Operation): void {
    operation.settle({ ok: false, error: new ClientClosedError(operation.command) });
  }

  #isClosed(): boolean {
    return this.#status.state === 'closed';
  }

  #become(status: DriverStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }
}
