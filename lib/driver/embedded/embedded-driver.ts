import { ClientClosedError } from '../../core/errors.js';
import type { Driver, DriverStatus, NodeInfo, Operation, Route, Session, SubscriptionRequest } from '../driver.js';
import { Engine } from './engine.js';
import { toValkeyError } from './refusal.js';
import type { Bounds, Clock, Store } from './store.js';
import { Watch } from './watches.js';

/** What an embedded driver needs to know. */
export interface EmbeddedDriverOptions extends Bounds {
  /** Where its time comes from. Default: `Date`. */
  readonly clock?: Clock;
}

interface Batch {
  readonly operations: readonly Operation[];
  readonly watch: Watch | undefined;
}

const ROUTE: Route = Object.freeze({ id: 'embedded' });

export class EmbeddedDriver implements Driver {
  readonly name = 'embedded';
  readonly topology = 'embedded';
  readonly #engine: Engine;
  readonly #listeners = new Set<(status: DriverStatus) => void>();
  #status: DriverStatus = { state: 'idle' };
  #queue: Batch[] = [];
  #running = false;

  constructor({ maxEntries, maxBytes, clock = Date }: EmbeddedDriverOptions) {
    this.#engine = new Engine({ maxEntries, maxBytes }, clock);
  }

  connect(): Promise<void> {
    if (this.#closed) return Promise.reject(new ClientClosedError());
    if (this.#status.state !== 'ready') this.#become({ state: 'ready' });
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#become({ state: 'closed' });
      this.#engine.waiters.close();
      this.#engine.channels.close();
      this.#engine.store.close();
      this.#listeners.clear();
    }
    return Promise.resolve();
  }

  execute(batch: readonly Operation[]): void {
    this.#enqueue({ operations: batch, watch: undefined });
  }

  route(): Route {
    return ROUTE;
  }

  primaries(): Promise<readonly Route[]> {
    return Promise.resolve([ROUTE]);
  }

  session(): Promise<Session> {
    if (this.#closed) return Promise.reject(new ClientClosedError());
    const watch = new Watch();
    return Promise.resolve({
      execute: (batch) => this.#enqueue({ operations: batch, watch }),
      release: () => this.#engine.watches.clear(watch),
    });
  }

  subscribe(request: SubscriptionRequest): Promise<() => Promise<void>> {
    if (this.#closed) return Promise.reject(new ClientClosedError('SUBSCRIBE'));
    const unsubscribe = this.#engine.channels.subscribe(request);
    return Promise.resolve(() => Promise.resolve(unsubscribe()));
  }

  nodes(): readonly NodeInfo[] {
    return [{ route: ROUTE, role: 'primary', connected: !this.#closed }];
  }

  status(): DriverStatus {
    return this.#status;
  }

  onStatus(listener: (status: DriverStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The store itself: its keys, values and accounting. What is changed here wakes nobody up. */
  native(): Store {
    return this.#engine.store;
  }

  get #closed(): boolean {
    return this.#status.state === 'closed';
  }

  /** Runs a batch at once, or after the present one when a settled operation led to it. */
  #enqueue(batch: Batch): void {
    if (this.#running) {
      this.#queue.push(batch);
      return;
    }
    this.#running = true;
    try {
      this.#run(batch);
      while (this.#queue.length > 0) {
        const waiting = this.#queue;
        this.#queue = [];
        for (const next of waiting) this.#run(next);
      }
    } finally {
      this.#running = false;
    }
  }

  #run({ operations, watch }: Batch): void {
    for (const operation of operations) if (!operation.settled) this.#perform(operation, watch);
  }

  #perform(operation: Operation, watch: Watch | undefined): void {
    if (this.#closed) {
      operation.settle({ ok: false, error: new ClientClosedError(operation.command) });
      return;
    }
    operation.sent = true;
    try {
      this.#engine.perform(operation, watch);
      this.#engine.afterwards();
    } catch (error) {
      operation.settle({ ok: false, error: toValkeyError(error, operation.command) });
    }
  }

  #become(status: DriverStatus): void {
    this.#status = status;
    for (const listener of [...this.#listeners]) listener(status);
  }
}
