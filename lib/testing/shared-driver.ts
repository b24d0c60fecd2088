import { ClientClosedError } from '../core/errors.js';
import type { FakeClock } from './fake-clock.js';
import type {
  Driver,
  DriverStatus,
  NodeInfo,
  Operation,
  Route,
  Session,
  SubscriptionRequest,
  TrackingRequest,
  Topology,
} from '../driver/driver.js';

/** One client's end of a driver that several share: closing it ends what came through it, and nothing else. */
export class SharedDriver implements Driver {
  readonly name: string;
  readonly topology: Topology;
  /** Left out where the driver leaves it out. */
  readonly track?: NonNullable<Driver['track']>;
  readonly #driver: Driver;
  readonly #clock: FakeClock | undefined;
  readonly #listeners = new Set<(status: DriverStatus) => void>();
  readonly #subscriptions = new Set<() => Promise<void>>();
  readonly #trackings = new Set<() => void>();
  /** What was not over as soon as it was sent: commands that wait. */
  readonly #waiting = new Set<Operation>();
  #status: DriverStatus = { state: 'idle' };

  constructor(driver: Driver, clock?: FakeClock) {
    this.#driver = driver;
    this.#clock = clock;
    this.name = driver.name;
    this.topology = driver.topology;
    const track = driver.track?.bind(driver);
    if (track) this.track = (request) => this.#track(request, track);
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
    for (const end of this.#trackings) end();
    this.#trackings.clear();
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

  #track(request: TrackingRequest, track: NonNullable<Driver['track']>): () => void {
    if (this.#isClosed()) throw new ClientClosedError('CLIENT TRACKING');
    const stopTracking = track(request);
    // What is kept near goes by real time, which this clock overtakes.
    const stopListening = this.#clock?.onAdvance(() => {
      request.covered(false);
      request.covered(true);
    });
    const stop = (): void => {
      stopTracking();
      stopListening?.();
    };
    const end = (): void => {
      stop();
      request.covered(false);
    };
    this.#trackings.add(end);
    return () => {
      this.#trackings.delete(end);
      stop();
    };
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
