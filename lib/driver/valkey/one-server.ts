import type { Address, Credentials } from '../../options/settings.js';
import type { DriverStatus, NodeInfo, Operation, Route, Session } from '../driver.js';
import type { ConnectionEvents, ConnectionState } from './connection.js';
import type { PoolSize } from './dedicated-pool.js';
import type { Layout } from './layout.js';
import { ValkeyNode } from './node.js';
import type { SharedPlan } from './plan.js';

/** A single server: every operation has the same route. */
export class OneServer implements Layout {
  protected readonly node: ValkeyNode;

  constructor(
    id: string,
    address: () => Promise<Address> | Address,
    plan: SharedPlan,
    pool: PoolSize,
    events: ConnectionEvents,
  ) {
    this.node = new ValkeyNode(id, { ...plan, address }, pool, events);
  }

  open(): Promise<void> {
    return this.node.open();
  }

  close(): void {
    this.node.close();
  }

  execute(batch: readonly Operation[]): void {
    this.node.execute(batch);
  }

  suspect(_operation: Operation): void {
    this.node.shared.suspect();
  }

  route(_operation: Operation): Route {
    return this.node;
  }

  primaries(_fresh: boolean): Promise<readonly Route[]> {
    return Promise.resolve([this.node]);
  }

  session(operation: Operation): Promise<Session> {
    return this.node.session(operation);
  }

  nodes(): readonly NodeInfo[] {
    return [this.node.info('primary')];
  }

  status(): DriverStatus {
    return toStatus(this.node.shared.state);
  }

  /** Where the connection leads at the moment. */
  get address(): Address {
    const { host = '', port = 0 } = this.node.shared.redis.options;
    return { host, port };
  }

  native(): unknown {
    return this.node.shared.redis;
  }

  authenticate(credentials: Credentials): Promise<void> {
    return this.node.authenticate(credentials);
  }
}

/** What the state of the only connection means for the whole driver. */
export function toStatus(state: ConnectionState): DriverStatus {
  switch (state.kind) {
    case 'ready':
      return { state: 'ready' };
    case 'waiting':
      return { state: 'down', reason: state.reason };
    case 'closed':
      return { state: 'closed' };
    default:
      return { state: state.kind };
  }
}
