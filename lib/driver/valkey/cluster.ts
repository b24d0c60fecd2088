import { ClientClosedError, ConnectionError, ServerBusyError, ValkeyError } from '../../core/errors.js';
import { events } from '../../core/events.js';
import { slotOf } from '../../core/slot.js';
import type { Address, Credentials } from '../../options/settings.js';
import type { DriverStatus, NodeInfo, Operation, Route, Session } from '../driver.js';
import { ClusterMap } from './cluster-map.js';
import { toConnectError } from './connect-error.js';
import type { Connection } from './connection.js';
import type { PoolSize } from './dedicated-pool.js';
import type { Layout } from './layout.js';
import { authenticateAll, ValkeyNode } from './node.js';
import { formatAddress } from '../../options/address.js';
import type { SharedPlan } from './plan.js';
import { readRedirection } from './redirection.js';
import type { Redirection } from './redirection.js';
import { readTopology } from './topology-reader.js';

/** Redirections one operation may follow in one attempt. */
const MOST_REDIRECTIONS = 5;
/** Milliseconds between two looks at the topology when nothing happens. */
const PERIOD = 30_000;
/** Milliseconds after a look during which errors do not cause another. */
const COOL_DOWN = 1_000;

/** What a cluster needs to know. */
export interface ClusterPlan {
  /** Nodes to ask first; the rest is learned from them. */
  readonly seeds: readonly Address[];
  readonly connection: SharedPlan;
  readonly pool: PoolSize;
  /** Called when the status, or who serves what, may have changed. */
  readonly onChange: (moved: boolean) => void;
  /** Called when a redirection is followed, before the node it leads to answers. */
  readonly onRedirection: () => void;
  /** The underlying client, see `Driver.native`. */
  readonly native: () => unknown;
}

/**
 * A cluster: every operation goes to the node that serves its slot. Redirections are followed here; the map is read again
 * when something says that it is wrong, and every half minute.
 */
export class Cluster implements Layout {
  readonly #plan: ClusterPlan;
  readonly #map: ClusterMap;
  readonly #redirections = new WeakMap<Operation, number>();
  /** Slots that have just moved, with what has to wait until the old owner has sent everything before it after them. */
  readonly #handovers = new Map<number, Operation[]>();
  #refreshing: Promise<void> | undefined;
  #refreshedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** Waits for the end of the cool-down. */
  #soon: NodeJS.Timeout | undefined;
  #failure: ValkeyError | undefined;
  #closed = false;

  constructor(plan: ClusterPlan) {
    this.#plan = plan;
    this.#map = new ClusterMap((id, address, role) => this.#makeNode(id, address, role));
  }

  async open(): Promise<void> {
    this.#timer ??= setInterval(() => this.#refreshInBackground(), PERIOD).unref();
    await this.#refresh();
    await Promise.all(this.#map.primaries.map(({ node }) => node.open()));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#map.close();
  }

  execute(operations: readonly Operation[]): void {
    const batch =
      this.#handovers.size === 0 ? operations : operations.filter((operation) => !this.#holdBack(operation));
    const [first] = batch;
    if (!first) return;
    const node = this.#map.nodeFor(first);
    // The batching layer sends one route's operations together, so this is the common case.
    if (node && batch.every((operation) => this.#map.nodeFor(operation) === node)) node.execute(batch);
    else for (const operation of batch) this.#executeOne(operation);
  }

  suspect(operation: Operation): void {
    this.#map.nodeFor(operation)?.shared.suspect();
    this.#refreshSoon();
  }

  route(operation: Operation): Route {
    return this.#map.nodeFor(operation) ?? UNCOVERED;
  }

  async primaries(fresh: boolean): Promise<readonly Route[]> {
    if (fresh || this.#map.primaries.length === 0) await this.#refresh();
    return this.#map.primaries.map(({ node }) => node);
  }

  async session(operation: Operation): Promise<Session> {
    const node = this.#map.nodeFor(operation);
    if (!node) throw this.#unserved(operation);
    return node.session(operation);
  }

  nodes(): readonly NodeInfo[] {
    return this.#map.members.map(({ node, role }) => node.info(role));
  }

  status(): DriverStatus {
    if (this.#closed) return { state: 'closed' };
    const { primaries } = this.#map;
    if (primaries.length === 0) {
      if (this.#failure) return { state: 'down', reason: this.#failure };
      return { state: this.#refreshing ? 'connecting' : 'idle' };
    }
    const reasons = primaries.flatMap(({ node: { shared } }) =>
      shared.state.kind === 'waiting' ? [shared.state.reason] : [],
    );
    const [reason] = reasons;
    if (!reason) return { state: 'ready' };
    return { state: reasons.length === primaries.length ? 'down' : 'degraded', reason };
  }

  native(): unknown {
    return this.#plan.native();
  }

  authenticate(credentials: Credentials): Promise<void> {
    return authenticateAll(
      this.#map.members.map(({ node }) => node),
      credentials,
    );
  }

  /** Some node that can be expected to answer, for what any node can do: subscriptions. */
  anyAddress(): Address {
    const { connected } = this.#map;
    const addresses = connected.length > 0 ? connected.map(({ address }) => address) : this.#plan.seeds;
    return addresses[Math.floor(Math.random() * addresses.length)] as Address;
  }

  /** The nodes that answer for keys, also those a redirection has led to. */
  get primaryAddresses(): readonly Address[] {
    return this.#map.primaries.map(({ address }) => address);
  }

  /** Something says that the map may be wrong. */
  doubt(): void {
    this.#refreshSoon();
  }

  #executeOne(operation: Operation): void {
    const node = this.#map.nodeFor(operation);
    if (node) {
      node.execute([operation]);
      return;
    }
    this.#refreshSoon();
    operation.settle({ ok: false, error: this.#unserved(operation) });
  }

  #unserved({ command, readFrom, readOnly }: Operation): ValkeyError {
    if (this.#failure) return this.#failure;
    if (readOnly && readFrom === 'replica') {
      return new ConnectionError(
        `No replica is there to answer ${command}. Use the route preferReplica to fall back on the primary.`,
        {
          subject: command,
        },
      );
    }
    const text = `No node of the cluster serves the slot of ${command} at the moment.`;
    return new ServerBusyError('CLUSTERDOWN', text, { subject: command });
  }

  #makeNode(id: string, address: Address, role: () => NodeInfo['role']): ValkeyNode {
    const plan = {
      ...this.#plan.connection,
      address: () => address,
      // A replica sends readers away unless they say that old data is fine with them.
      greeting: () => [role() === 'replica' ? ['READONLY'] : ['PING']],
    };
    return new ValkeyNode(id, plan, this.#plan.pool, {
      onServerError: this.#onServerError,
      onState: (state) => {
        if (state.kind === 'waiting') this.#refreshSoon();
        this.#plan.onChange(false);
      },
    });
  }

  /** True when the error is taken care of: the operation is on its way to another node. */
  readonly #onServerError = (operation: Operation, error: Error, from: Connection): boolean => {
    const redirection = readRedirection(error.message, from.redis.options.host ?? '');
    if (redirection) {
      this.#publishRedirection(operation, redirection, from);
      return this.#follow(operation, redirection, from);
    }
    if (/^(READONLY|CLUSTERDOWN)\b/.test(error.message)) this.#refreshSoon();
    return false;
  };

  #publishRedirection({ command }: Operation, { kind, slot, address }: Redirection, from: Connection): void {
    if (!events.redirection.active) return;
    const { host = '', port = 0 } = from.redis.options;
    const route = { from: formatAddress({ host, port }), to: formatAddress(address) };
    events.redirection.publish({ ...this.#plan.connection.identity, kind, slot, command, ...route });
  }

  #publishTopology(): void {
    if (!events.topology.active) return;
    const names = (role: NodeInfo['role']): readonly string[] =>
      this.#map.members.filter((member) => member.role === role).map(({ node }) => node.id);
    events.topology.publish({
      ...this.#plan.connection.identity,
      primaries: names('primary'),
      replicas: names('replica'),
    });
  }

  #follow(operation: Operation, { kind, slot, address }: Redirection, from: Connection): true {
    const hops = (this.#redirections.get(operation) ?? 0) + 1;
    this.#redirections.set(operation, hops);
    if (hops > MOST_REDIRECTIONS) {
      this.#redirections.delete(operation);
      operation.settle({ ok: false, error: tooManyRedirections(operation) });
    } else if (kind === 'moved') {
      const node = this.#map.moveSlot(slot, address);
      this.#plan.onRedirection();
      this.#refreshSoon();
      this.#handOver(slot, from);
      node.execute([operation]);
    } else if (operation.transaction || operation.blocking) {
      // Inside MULTI every single command would need its own ASKING, and a dedicated connection would have to be taken on
      // the other node: wait until the slot has arrived instead.
      operation.settle({ ok: false, error: slotOnItsWay(operation) });
    } else {
      const node = this.#map.nodeAt(address);
      this.#plan.onRedirection();
      node.shared.sendAsking(operation);
    }
    return true;
  }

  /**
   * What the old owner of a slot has not answered yet comes after this redirection, one by one. Nothing newer may overtake
   * it on the short way to the new owner: it waits for the answer to a PING, which is the old owner's last.
   */
  #handOver(slot: number, from: Connection): void {
    if (this.#handovers.has(slot)) return;
    const held: Operation[] = [];
    this.#handovers.set(slot, held);
    const release = (): void => {
      this.#handovers.delete(slot);
      for (const operation of held) if (!operation.settled) this.#executeOne(operation);
    };
    from.raw('PING').then(release, release);
  }

  #holdBack(operation: Operation): boolean {
    if (operation.key === undefined || operation.target) return false;
    const held = this.#handovers.get(slotOf(operation.key));
    held?.push(operation);
    return held !== undefined;
  }

  /** Reads the map again; if that has just been done, after the cool-down. */
  #refreshSoon(): void {
    if (this.#closed || this.#soon) return;
    const left = this.#refreshedAt + COOL_DOWN - performance.now();
    if (left <= 0) {
      this.#refreshInBackground();
      return;
    }
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#refreshInBackground();
    }, left).unref();
  }

  #refreshInBackground(): void {
    this.#refresh().catch(() => {
      // Kept in #failure, told by status().
    });
  }

  #refresh(): Promise<void> {
    if (this.#closed) return Promise.reject(new ClientClosedError());
    this.#refreshing ??= this.#readMap().finally(() => {
      this.#refreshing = undefined;
      this.#refreshedAt = performance.now();
      // Who is away may have an heir later: a frozen node gives no sign of it, and behind an open circuit nobody asks.
      if (!this.#failure && this.#map.primaries.some(({ node }) => !node.shared.promising)) this.#refreshSoon();
    });
    return this.#refreshing;
  }

  async #readMap(): Promise<void> {
    const { seeds, connection, onChange } = this.#plan;
    try {
      const ranges = await readTopology(this.#map.connected, seeds, connection);
      this.#failure = undefined;
      if (this.#closed) return;
      const moved = this.#map.apply(ranges);
      if (moved) this.#publishTopology();
      onChange(moved);
    } catch (error) {
      this.#failure = toConnectError(error, 'the cluster');
      onChange(false);
      throw this.#failure;
    }
  }
}

/** The route of an operation while nobody serves its slot. */
const UNCOVERED: Route = { id: 'uncovered' };

function tooManyRedirections({ command }: Operation): ValkeyError {
  return new ValkeyError(
    'VALKEY_TOO_MANY_REDIRECTIONS',
    `${command} was redirected more than ${MOST_REDIRECTIONS} times. The nodes disagree about who serves its slot; look at CLUSTER NODES on each.`,
    { subject: command },
  );
}

function slotOnItsWay({ command }: Operation): ValkeyError {
  return new ServerBusyError('ASK', `The slot of ${command} is on its way to another node.`, { subject: command });
}
