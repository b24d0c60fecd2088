import { type NodeView, ownView, serves, viewOf } from './cluster-view.js';
import { HARNESS, type Server, type ServerOptions, startServers } from './server.js';
import { until } from './until.js';

/** The size and the settings of a cluster. */
export interface ClusterOptions {
  /** Default 3. */
  readonly primaries?: number;
  /** Replicas of each primary. Default 1. */
  readonly replicas?: number;
  /** Milliseconds after which a silent node counts as failed. Default 1000. */
  readonly nodeTimeout?: number;
  /** Whether one uncovered slot stops the whole cluster, as is the server's default. Default true. */
  readonly requireFullCoverage?: boolean;
  /** Settings of each node. */
  readonly server?: Omit<ServerOptions, 'port' | 'replicaOf' | 'sentinel'>;
}

/** A running cluster. */
export interface Cluster {
  /** First the initial primaries in slot order, then the replicas. */
  readonly nodes: readonly Server[];
  /** `host:port` of every node. */
  readonly addrs: readonly string[];
  /** The nodes that serve slots now, in slot order; those paused or down are not asked. */
  primaries(): Promise<Server[]>;
  replicasOf(primary: Server): Promise<Server[]>;
  nodeOfSlot(slot: number): Promise<Server>;
  /**
   * Promotes `replica` and waits until every running node knows. With a primary that is paused or down a `how` is
   * needed: `FORCE` (the other primaries vote) or `TAKEOVER` (nobody is asked). Default: agreed with the primary.
   */
  failover(replica: Server, how?: 'FORCE' | 'TAKEOVER'): Promise<void>;
  /** {@link openSlot}, {@link moveKeys} and {@link closeSlot} in one. */
  migrateSlot(slot: number, from: Server, to: Server): Promise<void>;
  /** Begins a migration: from now `from` answers ASK for keys of the slot it does not have. */
  openSlot(slot: number, from: Server, to: Server): Promise<void>;
  /** Moves up to `count` keys of the slot and says how many it moved. Default: all. */
  moveKeys(slot: number, from: Server, to: Server, count?: number): Promise<number>;
  /** Ends a migration: from now `from` answers MOVED. */
  closeSlot(slot: number, from: Server, to: Server): Promise<void>;
  /** Waits until every running node says the cluster is well. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;
/** Milliseconds for the nodes to agree on a change. */
const AGREED_WITHIN = 15_000;

/** Starts a cluster and waits until every node sees all slots covered and every replica is linked. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { primaries = 3, replicas = 1, nodeTimeout = 1000, requireFullCoverage = true, server = {} } = options;
  const config = [
    'cluster-enabled yes',
    `cluster-node-timeout ${nodeTimeout}`,
    `cluster-require-full-coverage ${requireFullCoverage ? 'yes' : 'no'}`,
    // Replicas stay with their primary, so that a test finds the layout it asked for.
    'cluster-allow-replica-migration no',
    ...(server.config ?? []),
  ];
  const count = primaries * (1 + replicas);
  const nodes = await startServers(Array.from({ length: count }, () => ({ ...server, config })));
  const cluster = new RunningCluster(nodes);
  try {
    await form(nodes, primaries);
    await cluster.healthy();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

// By hand, because `valkey-cli --cluster create` takes a second longer and chooses who replicates whom itself.
async function form(nodes: readonly Server[], primaries: number): Promise<void> {
  await Promise.all(
    nodes.map(async (node, index) => {
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index >= primaries) return;
      const [first, next] = [index, index + 1].map((part) => Math.round((part * SLOTS) / primaries));
      await node.command('CLUSTER', 'ADDSLOTSRANGE', Number(first), Number(next) - 1);
    }),
  );
  // Everyone meets the first; gossip does the rest.
  const [first, ...others] = nodes;
  for (const node of others) await first?.command('CLUSTER', 'MEET', node.host, node.port);
  const ids = await Promise.all(nodes.map(async (node) => (await ownView(node)).id));
  await Promise.all(
    nodes.slice(primaries).map(async (replica, index) => {
      const primaryId = ids[index % primaries] ?? '';
      const what = `${replica.addr} replicates ${primaryId}`;
      // Refused until gossip has brought the primary's name.
      await until(() => replica.command('CLUSTER', 'REPLICATE', primaryId), { what, timeout: AGREED_WITHIN });
    }),
  );
}

class RunningCluster implements Cluster {
  constructor(readonly nodes: readonly Server[]) {}

  get addrs(): readonly string[] {
    return this.nodes.map(({ addr }) => addr);
  }

  async primaries(): Promise<Server[]> {
    const seen = await this.#ownViews();
    return seen
      .filter(({ view }) => view.slots.some(([first]) => owner(seen, first)?.view.id === view.id))
      .toSorted((a, b) => (a.view.slots[0]?.[0] ?? 0) - (b.view.slots[0]?.[0] ?? 0))
      .map(({ server }) => server);
  }

  async replicasOf(primary: Server): Promise<Server[]> {
    // A primary that is paused or down cannot say its name; the others can.
    const [witness] = this.#running();
    if (!witness) return [];
    const id = (await viewOf(witness)).find(({ port }) => port === primary.port)?.id;
    return (await this.#ownViews()).filter(({ view }) => view.primaryId === id).map(({ server }) => server);
  }

  async nodeOfSlot(slot: number): Promise<Server> {
    const found = owner(await this.#ownViews(), slot);
    if (!found) throw new Error(`no running node serves slot ${slot}`);
    return found.server;
  }

  async failover(replica: Server, how?: 'FORCE' | 'TAKEOVER'): Promise<void> {
    await replica.command('CLUSTER', 'FAILOVER', ...(how ? [how] : []));
    const isKnown = async (node: Server): Promise<boolean> => {
      const view = (await viewOf(node)).find(({ port }) => port === replica.port);
      return view !== undefined && view.flags.includes('master') && view.slots.length > 0;
    };
    await this.#everyRunning(isKnown, `every node knows ${replica.addr} as a primary`);
  }

  async migrateSlot(slot: number, from: Server, to: Server): Promise<void> {
    await this.openSlot(slot, from, to);
    await this.moveKeys(slot, from, to);
    await this.closeSlot(slot, from, to);
  }

  async openSlot(slot: number, from: Server, to: Server): Promise<void> {
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', (await ownView(from)).id);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', (await ownView(to)).id);
  }

  async moveKeys(slot: number, from: Server, to: Server, count = Number.MAX_SAFE_INTEGER): Promise<number> {
    let moved = 0;
    while (moved < count) {
      const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, Math.min(count - moved, 100));
      if (!Array.isArray(keys) || keys.length === 0) break;
      const account = ['AUTH2', HARNESS.user, HARNESS.password];
      await from.command('MIGRATE', to.host, to.port, '', 0, 5000, ...account, 'KEYS', ...keys.map(String));
      moved += keys.length;
    }
    return moved;
  }

  async closeSlot(slot: number, from: Server, to: Server): Promise<void> {
    const { id } = await ownView(to);
    // The new owner first: were the old one to let go earlier, the slot would be nobody's for a moment.
    await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', id);
    await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', id);
    const isKnown = async (node: Server): Promise<boolean> =>
      (await viewOf(node)).some((view) => view.id === id && serves(view, slot));
    await this.#everyRunning(isKnown, `every node knows ${to.addr} as the owner of slot ${slot}`);
  }

  async healthy(): Promise<void> {
    const running = this.#running().length;
    const isWell = async (node: Server): Promise<boolean> => {
      const text = String(await node.command('CLUSTER', 'INFO'));
      if (!text.includes('cluster_state:ok') || !text.includes(`cluster_slots_ok:${SLOTS}`)) return false;
      const views = await viewOf(node);
      const settled = views.filter(({ flags }) => !flags.some((flag) => /fail|handshake|noaddr/.test(flag)));
      const hasRoles = settled.every(({ primaryId, slots }) => primaryId !== undefined || slots.length > 0);
      const { role, master_link_status: link } = await node.info('replication');
      return settled.length >= running && hasRoles && (role === 'master' || link === 'up');
    };
    await this.#everyRunning(isWell, 'the cluster is well');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  #running(): Server[] {
    return this.nodes.filter(({ state }) => state === 'running');
  }

  async #ownViews(): Promise<Seen[]> {
    return Promise.all(this.#running().map(async (server) => ({ server, view: await ownView(server) })));
  }

  async #everyRunning(condition: (node: Server) => Promise<boolean>, what: string): Promise<void> {
    const holds = async (): Promise<boolean> => (await Promise.all(this.#running().map(condition))).every(Boolean);
    await until(holds, { what, timeout: AGREED_WITHIN, interval: 25 });
  }
}

interface Seen {
  readonly server: Server;
  readonly view: NodeView;
}

/** Of the nodes that believe they serve the slot the newest: a primary that was replaced may not know yet. */
function owner(seen: readonly Seen[], slot: number): Seen | undefined {
  const claims = seen.filter(({ view }) => view.primaryId === undefined && serves(view, slot));
  return claims.toSorted((a, b) => b.view.epoch - a.view.epoch)[0];
}
