import { ClientClosedError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import { toConnectError } from './connect-error.js';
import type { NodeInfo, Operation, Route, Session } from '../driver.js';
import { Connection } from './connection.js';
import type { ConnectionEvents, ConnectionPlan } from './connection.js';
import type { Credentials } from '../../options/settings.js';
import { DedicatedPool } from './dedicated-pool.js';
import type { PoolSize } from './dedicated-pool.js';

/** What a node needs to know. */
export interface NodePlan extends ConnectionPlan {
  /** Hears whenever the shared connection is open and the server has answered on it. */
  readonly onReady?: (route: Route) => void;
}

/** One server: the connection all callers share, and the dedicated ones. */
export class ValkeyNode implements Route {
  readonly id: string;
  readonly shared: Connection;
  readonly #plan: NodePlan;
  readonly #pool: DedicatedPool;
  /** Connections that try out new credentials. */
  readonly #trials = new Set<Connection>();

  constructor(id: string, plan: NodePlan, pool: PoolSize, events: ConnectionEvents) {
    this.id = id;
    this.#plan = plan;
    this.shared = new Connection(plan, {
      ...events,
      onState: (state, connection) => {
        events.onState?.(state, connection);
        if (state.kind === 'ready') plan.onReady?.(this);
      },
    });
    // The state of a dedicated connection concerns nobody but its user.
    const errorsOnly: ConnectionEvents = {
      onServerError: (...error) => events.onServerError?.(...error) ?? false,
    };
    this.#pool = new DedicatedPool(
      () => new Connection({ ...plan, lane: 'dedicated', reconnect: false }, errorsOnly),
      pool,
    );
  }

  async open(): Promise<void> {
    await this.shared.open();
    await this.#pool.warm();
  }

  execute(batch: readonly Operation[]): void {
    if (!batch.some((operation) => operation.blocking)) {
      this.shared.send(batch);
      return;
    }
    this.shared.send(batch.filter((operation) => !operation.blocking));
    for (const operation of batch) if (operation.blocking && !operation.settled) void this.#executeBlocking(operation);
  }

  /** @returns exclusive use of one connection, until released */
  async session(operation: Operation): Promise<Session> {
    const connection = await this.#pool.take(operation);
    return {
      execute: (batch) => connection.send(batch),
      release: () => this.#unwatchAndRelease(connection),
    };
  }

  /** Tells the server whether old data is fine: a replica answers readers only then. */
  becomes(role: NodeInfo['role']): void {
    if (this.shared.state.kind !== 'ready') return;
    this.shared.raw(role === 'replica' ? 'READONLY' : 'READWRITE').catch(() => this.shared.drop());
  }

  /**
   * Shows new credentials on the live connections, the dedicated ones included; but first on one of their own. A server
   * leaves a refused AUTH without any answer if it still owes the connection another one, and whoever comes next then
   * gets answers that are not his.
   */
  async authenticate(credentials: Credentials): Promise<void> {
    if (this.shared.state.kind !== 'ready' && this.#pool.isEmpty) return;
    await this.#tryOut(credentials);
    await this.shared.authenticate(credentials);
    await this.#pool.authenticate(credentials);
  }

  info(role: NodeInfo['role']): NodeInfo {
    return { route: this, role, connected: this.shared.state.kind === 'ready' };
  }

  close(reason: ValkeyError = new ClientClosedError()): void {
    this.shared.close(reason);
    this.#pool.close(reason);
    for (const trial of this.#trials) trial.close(reason);
  }

  /** Rejects when the server refuses them. */
  async #tryOut(credentials: Credentials): Promise<void> {
    const trial = new Connection({
      ...this.#plan,
      lane: 'credentials',
      credentials: () => credentials,
      reconnect: false,
    });
    this.#trials.add(trial);
    try {
      await trial.open();
    } finally {
      this.#trials.delete(trial);
      trial.close();
    }
  }

  async #executeBlocking(operation: Operation): Promise<void> {
    // It is tried again, here or on another node: what it held for the attempt before is free.
    const { onEnd } = operation;
    operation.onEnd = undefined;
    onEnd?.();
    let connection: Connection;
    try {
      connection = await this.#pool.take(operation);
    } catch (error) {
      operation.settle({ ok: false, error: toConnectError(error, this.id) });
      return;
    }
    // Whoever gives up on a blocked command leaves a connection on which the server still waits: it is of no more use.
    operation.onEnd = () => this.#pool.release(connection, connection.quiet);
    if (operation.settled) operation.onEnd();
    else connection.send([operation]);
  }

  #unwatchAndRelease(connection: Connection): void {
    connection.raw('UNWATCH').then(
      () => this.#pool.release(connection, true),
      () => this.#pool.release(connection, false),
    );
  }
}

/** The same for several servers: over when all have answered, failed when one has refused. */
export async function authenticateAll(nodes: readonly ValkeyNode[], credentials: Credentials): Promise<void> {
  const endings = await Promise.allSettled(nodes.map((node) => node.authenticate(credentials)));
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}
