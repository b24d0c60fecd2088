import { ConnectionError, DeadlineError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import type { Credentials } from '../../options/settings.js';
import type { Operation } from '../driver.js';
import type { Connection } from './connection.js';

/** Milliseconds before its deadline at which a caller stops waiting for a connection. */
const AHEAD = 15;
/** setTimeout cannot wait longer. */
const LONGEST = 2 ** 31 - 1;

/** How many dedicated connections a node may have. */
export interface PoolSize {
  readonly size: number;
  readonly minIdle: number;
  readonly maxIdle: number;
}

interface Waiter {
  readonly operation: Operation;
  readonly timer: NodeJS.Timeout | undefined;
  readonly give: (connection: Connection) => void;
  readonly refuse: (reason: ValkeyError) => void;
}

/**
 * Connections that one caller at a time has to itself: for blocking commands and watched transactions. Who finds none
 * free waits in order, as long as its operation's deadline allows.
 */
export class DedicatedPool {
  readonly #make: () => Connection;
  readonly #size: PoolSize;
  readonly #idle: Connection[] = [];
  readonly #lent = new Set<Connection>();
  readonly #waiters = new Set<Waiter>();
  /** Being opened ahead of need. */
  readonly #warming = new Set<Connection>();
  /** Lent before the credentials changed. */
  readonly #outdated = new WeakSet<Connection>();
  #closed: ValkeyError | undefined;

  constructor(make: () => Connection, size: PoolSize) {
    this.#make = make;
    this.#size = size;
  }

  /** Whether no connection of it is open. */
  get isEmpty(): boolean {
    return this.#idle.length + this.#lent.size === 0;
  }

  /** Opens `minIdle` connections ahead of need; a failure is none, the next taker tries again. */
  async warm(): Promise<void> {
    const missing = this.#size.minIdle - this.#idle.length - this.#lent.size;
    const fresh = Array.from({ length: Math.max(0, missing) }, () => this.#make());
    await Promise.allSettled(
      fresh.map(async (connection) => {
        this.#warming.add(connection);
        await connection.open().finally(() => this.#warming.delete(connection));
        this.#keep(connection);
      }),
    );
  }

  /** Lends a connection. Rejects when it cannot be opened, or `operation` is settled before one is free. */
  async take(operation: Operation): Promise<Connection> {
    if (this.#closed) throw this.#closed;
    const connection = this.#nextIdle() ?? (await this.#openOrWait(operation));
    return connection;
  }

  /** Takes a connection back; one that is not clean any more is cut. */
  release(connection: Connection, clean: boolean): void {
    if (!this.#lent.delete(connection)) return;
    if (!clean || this.#closed || this.#outdated.delete(connection)) connection.close();
    else this.#keep(connection);
    this.#serveWaiter();
  }

  /** Idle connections get new credentials at once; a lent one is busy, and is replaced when it comes back. */
  async authenticate(credentials: Credentials): Promise<void> {
    await Promise.all(this.#idle.map((connection) => connection.authenticate(credentials)));
    for (const connection of this.#lent) this.#outdated.add(connection);
  }

  close(reason: ValkeyError): void {
    this.#closed = reason;
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer);
      waiter.refuse(reason);
    }
    this.#waiters.clear();
    for (const connection of [...this.#idle, ...this.#lent, ...this.#warming]) connection.close(reason);
    this.#idle.length = 0;
    this.#lent.clear();
    this.#warming.clear();
  }

  #nextIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.state.kind !== 'ready') continue;
      this.#lent.add(connection);
      return connection;
    }
    return undefined;
  }

  async #openOrWait(operation: Operation): Promise<Connection> {
    if (this.#lent.size >= this.#size.size) return this.#wait(operation);
    const connection = this.#make();
    this.#lent.add(connection);
    try {
      await connection.open();
      return connection;
    } catch (error) {
      this.#lent.delete(connection);
      connection.close();
      this.#serveWaiter();
      throw error;
    }
  }

  #wait(operation: Operation): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const timer = this.#giveUpInTime(operation);
      const waiter: Waiter = { operation, timer, give: resolve, refuse: reject };
      this.#waiters.add(waiter);
      operation.onEnd = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        reject(this.#exhausted());
      };
    });
  }

  /** A moment before the deadline, because only here is it known what the time was spent on. */
  #giveUpInTime(operation: Operation): NodeJS.Timeout | undefined {
    const left = operation.deadline - performance.now();
    if (left > LONGEST) return undefined;
    return setTimeout(
      () => {
        const error = new DeadlineError(operation.command, Math.round(left), this.#exhausted());
        operation.settle({ ok: false, error });
      },
      Math.max(0, left - AHEAD),
    );
  }

  #exhausted(): ValkeyError {
    return new ConnectionError(
      `No dedicated connection was free in time: all ${this.#size.size} are in use. Raise pool.size, or wait less in blocking commands.`,
      { subject: 'pool.size' },
    );
  }

  #serveWaiter(): void {
    const [waiter] = this.#waiters;
    if (!waiter || this.#lent.size >= this.#size.size) return;
    this.#waiters.delete(waiter);
    clearTimeout(waiter.timer);
    waiter.operation.onEnd = undefined;
    this.take(waiter.operation).then(waiter.give, waiter.refuse);
  }

  #keep(connection: Connection): void {
    if (this.#closed || connection.state.kind !== 'ready' || this.#idle.length >= this.#size.maxIdle)
      connection.close();
    else this.#idle.push(connection);
  }
}
