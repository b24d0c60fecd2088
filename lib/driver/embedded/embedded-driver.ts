import { ClientClosedError } from '../../core/errors.js';
import type {
  Driver,
  DriverStatus,
  NodeInfo,
  Operation,
  Route,
  Session,
  SubscriptionRequest,
  TrackingRequest,
} from '../driver.js';
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

/**
 * A store in this process that answers as a Valkey 8 server does: the same replies, the same errors, the same order.
 * For applications without a server and for development.
 *
 * It is bounded. An entry counts 240 bytes, the bytes of its key and those of its value; a field or member counts 128
 * more, an element of a list 40, a stream's entry 136 and each of its texts 24, a group or consumer 320, a pending
 * delivery 160; text counts as UTF-8. Beyond `maxEntries` or `maxBytes` the least recently used keys go; a value that
 * alone would be larger than `maxBytes` is refused with an OutOfMemoryError.
 *
 * What differs from a server:
 * - It runs no Lua: a script needs its twin, `embedded` in `defineScript`. There are no functions, no GEO, HyperLogLog
 *   or BITFIELD commands, no SORT, BITOP, LCS, DUMP, OBJECT, COMMAND and no XINFO STREAM FULL: an UnsupportedError says so.
 * - There is one database, and there are no users, replicas, persistence or keyspace notifications.
 * - The order of sets and hashes is the one of insertion, also where the server sorts or hashes them; pages of the SCAN
 *   family keep to COUNT, while a server gives small collections as a whole; RANDOMKEY and its siblings are uniform.
 * - Trimming a stream with `~` is exact. XINFO STREAM makes up its figures about radix trees.
 * - Error texts leave out the names of keys and groups. Times to live beyond 2^53 ms are
 *   rounded, and LSET does not wrap indexes at the edge of 64 bits.
 * - ZRANGEBYLEX and its siblings on members of different scores are undefined on a server; here they are another
 *   undefined thing.
 * - A command that waits does not hold up what follows it in its session.
 * - With an injected clock, blocked commands still wait in real time.
 */
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
      this.#engine.changes.close();
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

  track(request: TrackingRequest): () => void {
    if (this.#closed) throw new ClientClosedError('CLIENT TRACKING');
    return this.#engine.changes.track(request);
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
    } catch (error) {
      operation.settle({ ok: false, error: toValkeyError(error, operation.command) });
    }
    this.#engine.afterwards();
  }

  #become(status: DriverStatus): void {
    this.#status = status;
    for (const listener of [...this.#listeners]) listener(status);
  }
}
