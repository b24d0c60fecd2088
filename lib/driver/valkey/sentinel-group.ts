import { ConnectionError } from '../../core/errors.js';
import type { Address, Credentials } from '../../options/settings.js';
import type { NodeInfo, Operation, Route, Session } from '../driver.js';
import type { PoolSize } from './dedicated-pool.js';
import { authenticateAll, ValkeyNode } from './node.js';
import { OneServer } from './one-server.js';
import { formatAddress } from '../../options/address.js';
import type { SharedPlan } from './plan.js';
import { chooseReplica } from './replicas.js';
import { isPrimary } from './role.js';
import { Sentinels } from './sentinels.js';
import type { SentinelPlan } from './sentinels.js';

/** Milliseconds between two questions about the replicas. */
const PERIOD = 30_000;
/** Milliseconds between two questions whether the primary is still the one. */
const COOL_DOWN = 1_000;

/** A primary that sentinels watch over: one server whose address can change, with replicas that may answer readers. */
export class SentinelGroup extends OneServer {
  readonly #sentinels: Sentinels;
  readonly #plan: SharedPlan;
  readonly #pool: PoolSize;
  readonly #replicas = new Map<string, ValkeyNode>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #checkedAt = -Infinity;

  constructor(sentinelPlan: SentinelPlan, plan: SharedPlan, pool: PoolSize, onChange: () => void) {
    const sentinels = new Sentinels(
      sentinelPlan,
      () => this.#onSwitch(),
      () => void this.#check(),
    );
    const primaryOnly: SharedPlan = { ...plan, greeting: () => [['ROLE']], accept: refuseReplica };
    super('primary', () => sentinels.primary(), primaryOnly, pool, {
      onState: onChange,
      onServerError: (_operation, { message }) => {
        // Somebody made a replica of it while we were connected.
        if (message.startsWith('READONLY')) void this.#check();
        return false;
      },
    });
    this.#sentinels = sentinels;
    this.#plan = plan;
    this.#pool = pool;
  }

  override async open(): Promise<void> {
    this.#sentinels.watch();
    this.#timer ??= setInterval(() => void this.#findReplicas(), PERIOD).unref();
    await super.open();
    await this.#findReplicas();
  }

  override close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#sentinels.close();
    for (const replica of this.#replicas.values()) replica.close();
    super.close();
  }

  override execute(batch: readonly Operation[]): void {
    if (batch.every((operation) => this.#nodeFor(operation) === this.node)) super.execute(batch);
    else for (const operation of batch) this.#executeOne(operation);
  }

  override suspect(operation: Operation): void {
    this.#nodeFor(operation)?.shared.suspect();
  }

  override route(operation: Operation): Route {
    return this.#nodeFor(operation) ?? NO_REPLICA;
  }

  override session(operation: Operation): Promise<Session> {
    return (this.#nodeFor(operation) ?? this.node).session(operation);
  }

  override nodes(): readonly NodeInfo[] {
    return [...super.nodes(), ...[...this.#replicas.values()].map((replica) => replica.info('replica'))];
  }

  override authenticate(credentials: Credentials): Promise<void> {
    return authenticateAll([this.node, ...this.#replicas.values()], credentials);
  }

  #nodeFor(operation: Operation): ValkeyNode | undefined {
    if (!operation.readOnly || operation.readFrom === 'primary' || operation.target) return this.node;
    // The length of the key spreads readers a little, and keeps route() and execute() of one operation together.
    const replica = chooseReplica([...this.#replicas.values()], operation.key?.length ?? 0);
    return replica ?? (operation.readFrom === 'preferReplica' ? this.node : undefined);
  }

  #executeOne(operation: Operation): void {
    const node = this.#nodeFor(operation);
    if (node) {
      node.execute([operation]);
      return;
    }
    void this.#findReplicas();
    const error = new ConnectionError(
      `No replica is there to answer ${operation.command}. Use the route preferReplica to fall back on the primary.`,
      { subject: operation.command },
    );
    operation.settle({ ok: false, error });
  }

  #onSwitch(): void {
    this.node.shared.drop();
    void this.#findReplicas();
  }

  /** Moves if the sentinels mean another server than the one we are connected to: a switch that nobody told us. */
  async #check(): Promise<void> {
    const now = performance.now();
    if (now - this.#checkedAt < COOL_DOWN || this.node.shared.state.kind !== 'ready') return;
    this.#checkedAt = now;
    try {
      const named = await this.#sentinels.primary();
      const { state, redis } = this.node.shared;
      const { host, port } = redis.options;
      if (state.kind === 'ready' && (host !== named.host || port !== named.port)) this.#onSwitch();
    } catch {
      // No sentinel answers; the next one that can be heard is asked.
    }
  }

  async #findReplicas(): Promise<void> {
    try {
      this.#apply(await this.#sentinels.replicas());
    } catch {
      // Those known stay; the next question is asked soon.
    }
  }

  #apply(addresses: readonly Address[]): void {
    if (this.#closed) return;
    const present = new Set(addresses.map(formatAddress));
    for (const [id, node] of this.#replicas) {
      if (present.has(id)) continue;
      this.#replicas.delete(id);
      node.close(new ConnectionError(`The sentinels do not name ${id} as a replica any more.`, { subject: id }));
    }
    for (const address of addresses) {
      const id = formatAddress(address);
      if (!this.#replicas.has(id))
        this.#replicas.set(id, new ValkeyNode(id, { ...this.#plan, address: () => address }, this.#pool, {}));
    }
  }
}

/** The route of a reading operation that insists on a replica while there is none. */
const NO_REPLICA: Route = { id: 'no-replica' };

/** Sentinels can name a primary that has just become a replica; its answer to ROLE tells. */
function refuseReplica([role]: readonly unknown[]): void {
  if (isPrimary(role)) return;
  throw new ConnectionError('The server the sentinels named is a replica now. The next attempt asks them again.');
}
