import { HARNESS, type Server, type ServerOptions, startServers } from './server.js';
import { until } from './until.js';

/** The size and the settings of a primary watched by sentinels. */
export interface SentinelOptions {
  /** Default 2. */
  readonly replicas?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** How many sentinels must agree that the primary is down. Default 2. */
  readonly quorum?: number;
  /** Milliseconds of silence after which a server counts as down. Default 1000. */
  readonly downAfter?: number;
  /** Milliseconds for a failover before another is tried. Default 3000. */
  readonly failoverTimeout?: number;
  /** Settings of the primary and its replicas. */
  readonly server?: Omit<ServerOptions, 'port' | 'replicaOf' | 'sentinel'>;
  /** Password the sentinels ask of clients. Default: none. */
  readonly sentinelPassword?: string;
}

/** A primary, its replicas and the sentinels that watch them. */
export interface SentinelGroup {
  readonly name: 'mymaster';
  /** Every data server, the first one being the initial primary. */
  readonly servers: readonly Server[];
  /** The initial replicas. */
  readonly replicas: readonly Server[];
  readonly sentinels: readonly Server[];
  /** `host:port` of every sentinel. */
  readonly addrs: readonly string[];
  /** The primary in the eyes of the first sentinel that runs. */
  primary(): Promise<Server>;
  /** Orders a failover and waits until all sentinels know the new primary and it has its replicas; returns it. */
  failover(): Promise<Server>;
  /** Waits until the sentinels name another primary than `old`, as after a crash; returns it. */
  replaced(old: Server): Promise<Server>;
  stop(): Promise<void>;
}

const NAME = 'mymaster';
/** Milliseconds for the sentinels to agree on a change. */
const AGREED_WITHIN = 18_000;

/** Starts one primary, its replicas and sentinels, and waits until all sentinels know each other and all replicas. */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelGroup> {
  const { replicas: replicaCount = 2, sentinels: sentinelCount = 3, server = {} } = options;
  const started: Server[] = [];
  const start = async (count: number, settings: ServerOptions): Promise<Server[]> => {
    const servers = await startServers(Array.from({ length: count }, () => settings));
    started.push(...servers);
    return servers;
  };
  try {
    const [primary] = (await start(1, server)) as [Server];
    const replicas = await start(replicaCount, { ...server, replicaOf: primary });
    await Promise.all(replicas.map(linked));
    const sentinels = await start(sentinelCount, sentinelSettings(primary, options));
    const group = new RunningGroup([primary, ...replicas], sentinels);
    await group.introduced();
    return group;
  } catch (error) {
    await Promise.all(started.map((one) => one.stop()));
    throw error;
  }
}

function linked(replica: Server): Promise<unknown> {
  const isUp = async (): Promise<boolean> => (await replica.info('replication'))['master_link_status'] === 'up';
  return until(isUp, { what: `the replica at ${replica.addr} is linked` });
}

function sentinelSettings(primary: Server, options: SentinelOptions): ServerOptions {
  const { quorum = 2, downAfter = 1000, failoverTimeout = 3000, sentinelPassword } = options;
  return {
    sentinel: true,
    ...(sentinelPassword === undefined ? {} : { requirepass: sentinelPassword }),
    config: [
      `sentinel monitor ${NAME} ${primary.host} ${primary.port} ${quorum}`,
      `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
      `sentinel failover-timeout ${NAME} ${failoverTimeout}`,
      `sentinel auth-user ${NAME} ${HARNESS.user}`,
      `sentinel auth-pass ${NAME} ${HARNESS.password}`,
      `sentinel sentinel-user ${HARNESS.user}`,
      `sentinel sentinel-pass ${HARNESS.password}`,
    ],
  };
}

class RunningGroup implements SentinelGroup {
  readonly name = NAME;

  constructor(
    readonly servers: readonly Server[],
    readonly sentinels: readonly Server[],
  ) {}

  get replicas(): readonly Server[] {
    return this.servers.slice(1);
  }

  get addrs(): readonly string[] {
    return this.sentinels.map(({ addr }) => addr);
  }

  async primary(): Promise<Server> {
    const [sentinel] = this.#running();
    if (!sentinel) throw new Error('no sentinel runs');
    const port = await portOfPrimary(sentinel);
    const server = this.servers.find((one) => one.port === port);
    if (!server) throw new Error(`the sentinel at ${sentinel.addr} names port ${port}, which is none of ours`);
    return server;
  }

  async failover(): Promise<Server> {
    const old = await this.primary();
    const [sentinel] = this.#running();
    // Refused while an earlier failover goes on, and until the replicas have reported to this sentinel.
    await until(() => sentinel?.command('SENTINEL', 'FAILOVER', NAME), {
      what: 'a failover is accepted',
      timeout: AGREED_WITHIN,
      interval: 50,
    });
    const primary = await this.replaced(old);
    const others = this.servers.filter((one) => one !== primary && one.state === 'running');
    const follow = async (): Promise<boolean> =>
      Number((await primary.info('replication'))['connected_slaves']) === others.length;
    await until(follow, { what: `the replicas follow ${primary.addr}`, timeout: AGREED_WITHIN, interval: 25 });
    return primary;
  }

  async replaced(old: Server): Promise<Server> {
    const isAgreed = async (): Promise<boolean> => {
      const ports = new Set(await Promise.all(this.#running().map(portOfPrimary)));
      if (ports.size !== 1 || ports.has(old.port)) return false;
      return (await (await this.primary()).info('replication'))['role'] === 'master';
    };
    await until(isAgreed, { what: `${old.addr} is replaced`, timeout: AGREED_WITHIN, interval: 25 });
    return this.primary();
  }

  /** Waits until each sentinel knows the others and every replica. */
  async introduced(): Promise<void> {
    // Sentinels look around every two to ten seconds; tests have less time.
    await Promise.all(
      this.sentinels.map((one) => one.command('SENTINEL', 'DEBUG', 'info-period', 500, 'publish-period', 200)),
    );
    const isComplete = async (sentinel: Server): Promise<boolean> => {
      const reply = await sentinel.command('SENTINEL', 'MASTER', NAME);
      const state = fields(reply);
      return (
        Number(state['num-other-sentinels']) === this.sentinels.length - 1 &&
        Number(state['num-slaves']) === this.replicas.length &&
        state['flags'] === 'master'
      );
    };
    const areComplete = async (): Promise<boolean> =>
      (await Promise.all(this.sentinels.map(isComplete))).every(Boolean);
    await until(areComplete, { what: 'the sentinels know each other', timeout: AGREED_WITHIN, interval: 25 });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((one) => one.stop()));
  }

  #running(): Server[] {
    return this.sentinels.filter(({ state }) => state === 'running');
  }
}

async function portOfPrimary(sentinel: Server): Promise<number> {
  const reply = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
  return Number(Array.isArray(reply) ? reply[1] : Number.NaN);
}

function fields(reply: unknown): Record<string, string> {
  const flat = Array.isArray(reply) ? reply.map(String) : [];
  return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])));
}
