import { ClientClosedError, ConnectionError, ServerBusyError, ValkeyError } from '../../core/errors.js';
import { SLOTS, slotOf } from '../../core/slot.js';
import type { Address, Credentials } from '../../options/settings.js';
import type { DriverStatus, NodeInfo, Operation, Route, Session } from '../driver.js';
import { toConnectError } from './connect-error.js';
import type { Connection } from './connection.js';
import type { PoolSize } from './dedicated-pool.js';
import type { Layout } from './layout.js';
import { ValkeyNode } from './node.js';
import { addressName } from './plan.js';
import type { SharedPlan } from './plan.js';
import { readRedirection } from './redirection.js';
import type { Redirection } from './redirection.js';
import { readSlots } from './slot-map.js';
import type { SlotRange } from './slot-map.js';

/** Redirections one operation may follow in one attempt. */
const MOST_REDIRECTIONS = 5;
/** Milliseconds between two looks at the topology when nothing happens. */
const PERIOD = 30_000;
/** Milliseconds after a look during which errors do not cause another. */
const COOL_DOWN = 1_000;

/** A node with its place in the cluster. */
interface Member {
  readonly node: ValkeyNode;
  readonly address: Address;
  role: NodeInfo['role'];
}

/**
 * A cluster: one node per primary, found through the slot map. Redirections are followed here; the map is read again
 * when something says that it is wrong, and every half minute.
 */
export class Cluster implements Layout {
  readonly #seeds: readonly Address[];
  readonly #plan: SharedPlan;
  readonly #pool: PoolSize;
  readonly #onChange: () => void;
  readonly #native: () => unknown;
  readonly #members = new Map<string, Member>();
  readonly #slots: (ValkeyNode | undefined)[] = Array.from({ length: SLOTS });
  readonly #redirections = new WeakMap<Operation, number>();
  #refreshing: Promise<void> | undefined;
  #refreshedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #failure: ValkeyError | undefined;
  #closed = false;

  constructor(
    seeds: readonly Address[],
    plan: SharedPlan,
    pool: PoolSize,
    onChange: () => void,
    native: () => unknown,
  ) {
    this.#seeds = seeds;
    this.#plan = plan;
    this.#pool = pool;
    this.#onChange = onChange;
    this.#native = native;
  }

  async open(): Promise<void> {
    this.#timer ??= setInterval(() => this.#refreshInBackground(), PERIOD).unref();
    await this.#refresh();
    await Promise.all(this.#primaryMembers().map(({ node }) => node.open()));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { node } of this.#members.values()) node.close();
  }

  execute(batch: readonly Operation[]): void {
    const [first] = batch;
    if (!first) return;
    const node = this.#nodeFor(first);
    // The batching layer sends one route's operations together, so this is the common case.
    if (node && batch.every((operation) => this.#nodeFor(operation) === node)) {
      node.execute(batch);
      return;
    }
    for (const operation of batch) {
      const owner = this.#nodeFor(operation);
      if (owner) owner.execute([operation]);
      else this.#refuseUncovered(operation);
    }
  }

  route(operation: Operation): Route {
    return this.#nodeFor(operation) ?? UNCOVERED;
  }

  async primaries(): Promise<readonly Route[]> {
    if (this.#members.size === 0) await this.#refresh();
    return this.#primaryMembers().map(({ node }) => node);
  }

  async session(operation: Operation): Promise<Session> {
    const node = this.#nodeFor(operation);
    if (!node) throw this.#uncovered(operation);
    return node.session(operation);
  }

  nodes(): readonly NodeInfo[] {
    return [...this.#members.values()].map(({ node, role }) => node.info(role));
  }

  status(): DriverStatus {
    if (this.#closed) return { state: 'closed' };
    const primaries = this.#primaryMembers();
    if (primaries.length === 0) {
      return this.#failure
        ? { state: 'down', reason: this.#failure }
        : { state: this.#refreshing ? 'connecting' : 'idle' };
    }
    const away = primaries.flatMap(({ node }) =>
      node.shared.state.kind === 'waiting' ? [node.shared.state.reason] : [],
    );
    if (away.length === 0) return { state: 'ready' };
    const reason = away[0] as ValkeyError;
    return away.length === primaries.length ? { state: 'down', reason } : { state: 'degraded', reason };
  }

  native(): unknown {
    return this.#native();
  }

  async authenticate(credentials: Credentials): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ node }) => node.shared.authenticate(credentials)));
  }

  /** Some node that answers, for what any node can do: subscriptions. */
  anyAddress(): Address {
    const connected = [...this.#members.values()].filter(({ node }) => node.shared.state.kind === 'ready');
    const addresses = connected.length > 0 ? connected.map(({ address }) => address) : this.#seeds;
    return addresses[Math.floor(Math.random() * addresses.length)] as Address;
  }

  #nodeFor(operation: Operation): ValkeyNode | undefined {
    if (operation.target) return this.#members.get(operation.target.id)?.node;
    if (operation.key === undefined) return this.#anyPrimary();
    return this.#slots[slotOf(operation.key)];
  }

  #anyPrimary(): ValkeyNode | undefined {
    const primaries = this.#primaryMembers();
    return (primaries.find(({ node }) => node.shared.state.kind === 'ready') ?? primaries[0])?.node;
  }

  #primaryMembers(): readonly Member[] {
    return [...this.#members.values()].filter(({ role }) => role === 'primary');
  }

  #refuseUncovered(operation: Operation): void {
    this.#refreshSoon();
    operation.settle({ ok: false, error: this.#uncovered(operation) });
  }

  #uncovered(operation: Operation): ValkeyError {
    return (
      this.#failure ??
      new ServerBusyError(
        'CLUSTERDOWN',
        `No node of the cluster serves the slot of ${operation.command} at the moment.`,
        {
          subject: operation.command,
        },
      )
    );
  }

  /** True when the error is taken care of: the operation is on its way to another node. */
  readonly #onServerError = (operation: Operation, error: Error, from: Connection): boolean => {
    const redirection = readRedirection(error.message, from.redis.options.host ?? '');
    if (redirection) return this.#follow(operation, redirection);
    if (/^(READONLY|CLUSTERDOWN)\b/.test(error.message)) this.#refreshSoon();
    return false;
  };

  #follow(operation: Operation, { kind, slot, address }: Redirection): boolean {
    const hops = (this.#redirections.get(operation) ?? 0) + 1;
    this.#redirections.set(operation, hops);
    if (hops > MOST_REDIRECTIONS) {
      this.#redirections.delete(operation);
      operation.settle({ ok: false, error: tooMany(operation.command) });
      return true;
    }
    if (kind === 'ask') {
      // Inside MULTI every single command would need its own ASKING: wait until the slot has arrived instead.
      if (operation.transaction) return settleBusy(operation);
      this.#member(address, 'primary').node.shared.sendAsking(operation);
      return true;
    }
    const { node } = this.#member(address, 'primary');
    this.#slots[slot] = node;
    this.#refreshSoon();
    node.execute([operation]);
    return true;
  }

  #member(address: Address, role: NodeInfo['role']): Member {
    const id = addressName(address);
    const known = this.#members.get(id);
    if (known) {
      known.role = role;
      return known;
    }
    const plan = { ...this.#plan, address: () => address };
    const node = new ValkeyNode(id, plan, this.#pool, {
      onServerError: this.#onServerError,
      onState: (state) => {
        if (state.kind === 'waiting') this.#refreshSoon();
        this.#onChange();
      },
    });
    const member: Member = { node, address, role };
    this.#members.set(id, member);
    return member;
  }

  /** Reads the topology again, unless that has just been done. */
  #refreshSoon(): void {
    if (performance.now() - this.#refreshedAt >= COOL_DOWN) this.#refreshInBackground();
  }

  #refreshInBackground(): void {
    this.#refresh().catch(() => {
      // Kept in #failure, told by status().
    });
  }

  #refresh(): Promise<void> {
    if (this.#closed) return Promise.reject(new ClientClosedError());
    this.#refreshing ??= this.#readTopology().finally(() => {
      this.#refreshing = undefined;
      this.#refreshedAt = performance.now();
      this.#onChange();
    });
    return this.#refreshing;
  }

  /** Asks known nodes first, those with an open connection before the others, then the seeds. */
  async #readTopology(): Promise<void> {
    const connected = [...this.#members.values()].filter(({ node }) => node.shared.state.kind === 'ready');
    const reasons: string[] = [];
    for (const { node, address } of connected) {
      try {
        this.#apply(await this.#askNode(node.shared, address));
        return;
      } catch (error) {
        reasons.push(`${node.id}: ${reasonOf(error)}`);
      }
    }
    for (const seed of this.#seeds) {
      try {
        this.#apply(await this.#askSeed(seed));
        return;
      } catch (error) {
        if (error instanceof ValkeyError && error.code === 'VALKEY_AUTHENTICATION_FAILED') {
          this.#failure = error;
          throw error;
        }
        reasons.push(`${addressName(seed)}: ${reasonOf(error)}`);
      }
    }
    this.#failure = new ConnectionError(`No node tells the cluster's layout. ${reasons.join(' ')}`, {
      subject: 'cluster',
    });
    throw this.#failure;
  }

  async #askSeed(seed: Address): Promise<readonly SlotRange[]> {
    const node = new ValkeyNode(
      addressName(seed),
      { ...this.#plan, address: () => seed, reconnect: false },
      this.#pool,
      {},
    );
    try {
      await node.shared.open();
      return await this.#askNode(node.shared, seed);
    } finally {
      node.close();
    }
  }

  async #askNode(connection: Connection, address: Address): Promise<readonly SlotRange[]> {
    const raw = await bounded(connection.raw('CLUSTER', 'SLOTS'), this.#plan.dialTimeout);
    const ranges = readSlots(raw, address);
    if (ranges.length === 0) throw new ConnectionError('it serves no slots; is it part of a cluster?');
    return ranges;
  }

  #apply(ranges: readonly SlotRange[]): void {
    if (this.#closed) return;
    this.#failure = undefined;
    this.#slots.fill(undefined);
    const present = new Set<string>();
    for (const { from, to, primary, replicas } of ranges) {
      const { node } = this.#member(primary, 'primary');
      present.add(node.id);
      this.#slots.fill(node, from, to + 1);
      for (const replica of replicas) present.add(this.#member(replica, 'replica').node.id);
    }
    for (const [id, { node }] of this.#members) {
      if (present.has(id)) continue;
      this.#members.delete(id);
      node.close(new ConnectionError(`The node ${id} has left the cluster.`, { subject: id }));
    }
  }
}

/** The route of an operation while nobody serves its slot. */
const UNCOVERED: Route = { id: 'uncovered' };

function tooMany(command: string): ValkeyError {
  return new ValkeyError(
    'VALKEY_TOO_MANY_REDIRECTIONS',
    `${command} was redirected more than ${MOST_REDIRECTIONS} times. The nodes disagree about who serves its slot; look at CLUSTER NODES on each.`,
    { subject: command },
  );
}

function settleBusy(operation: Operation): true {
  const error = new ServerBusyError('ASK', `The slot of ${operation.command} is on its way to another node.`, {
    subject: operation.command,
  });
  operation.settle({ ok: false, error });
  return true;
}

/** An answer that does not come within `milliseconds` is an error. */
function bounded<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ConnectionError(`no answer within ${milliseconds} ms`)), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function reasonOf(error: unknown): string {
  return toConnectError(error, 'the node').message;
}
