import { codeOf, isValkeyError, ReplyError } from '../core/errors.js';
import type { ErrorCode } from '../core/errors.js';
import type { Argument, DriverStatus, Reply, Route, Topology } from '../driver/driver.js';
import type { Circuit } from '../resilience/circuit.js';
import { NO_KEYS } from './commands/command.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import { DEFAULT_SCOPE } from './scope.js';

/** What can be said of a client and its servers at a moment. Holds no secret. */
export interface ClientHealth {
  readonly mode: Topology;
  readonly state: DriverStatus['state'];
  /** Why, when the state is `down` or `degraded`, or when no server answered. */
  readonly code: ErrorCode | undefined;
  /** Milliseconds the slowest primary took to answer a PING; `undefined` when none did. */
  readonly latencyMs: number | undefined;
  /** Primaries that answered, of those there are. */
  readonly nodes: { readonly up: number; readonly total: number };
  readonly circuits: readonly Circuit[];
  /** The server's version. */
  readonly version: string | undefined;
  /** `ok` or `fail`, of a cluster. */
  readonly clusterState: string | undefined;
  /** Of the server that was asked: what it is, and how many replicas follow it. */
  readonly replication: { readonly role: string; readonly replicas: number } | undefined;
  /** Bytes in use, and the limit if there is one. */
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number | undefined } | undefined;
}

/** Asks every primary at once; no answer is waited for longer than `timeout` milliseconds. */
export async function probe(
  dispatcher: Dispatching,
  circuits: () => readonly Circuit[],
  timeout: number,
): Promise<ClientHealth> {
  const { driver } = dispatcher;
  const over = performance.now() + timeout;
  const [nodes, info, cluster] = await Promise.all([
    pingPrimaries(dispatcher, over),
    ask(dispatcher, 'INFO', [], over).then(readInfo, nothing),
    driver.topology === 'cluster' ? ask(dispatcher, 'CLUSTER', ['INFO'], over).then(readInfo, nothing) : nothing(),
  ]);
  const status = driver.status();
  const { latencyMs, up, total, failure } = nodes;
  return {
    mode: driver.topology,
    state: status.state,
    code: 'reason' in status ? status.reason.code : codeOf(failure),
    latencyMs: latencyMs === undefined ? undefined : Math.round(latencyMs * 100) / 100,
    nodes: { up, total },
    // Last, so that they know what the questions have found out.
    circuits: circuits(),
    version: info.get('valkey_version') ?? info.get('redis_version'),
    clusterState: cluster.get('cluster_state'),
    replication: replicationOf(info),
    memory: memoryOf(info),
  };
}

/** Asks a server, past interceptors and bounds. `over` is when the answer has to be there, by `performance.now()`. */
function ask(
  dispatcher: Dispatching,
  command: string,
  args: readonly Argument[],
  over: number,
  target?: Route,
): Promise<Reply> {
  const description = { name: command, keys: NO_KEYS, readOnly: true, retrySafe: true, blocking: false };
  return dispatcher.inquire(
    { command: description, args, decode: (reply) => reply, binary: false, ...(target ? { plan: { target } } : {}) },
    { ...DEFAULT_SCOPE, timeout: Math.max(1, over - performance.now()) },
  );
}

/** How the primaries answer. */
interface Pings {
  readonly up: number;
  readonly total: number;
  /** Of the slowest that answered. */
  readonly latencyMs: number | undefined;
  /** Why one did not. */
  readonly failure: unknown;
}

async function pingPrimaries(dispatcher: Dispatching, over: number): Promise<Pings> {
  const primaries = await knownPrimaries(dispatcher, over);
  const startedAt = performance.now();
  const answers = await Promise.allSettled(
    primaries.map(async (route) => {
      await ask(dispatcher, 'PING', [], over, route).catch(acceptRefusal);
      return performance.now() - startedAt;
    }),
  );
  const latencies = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    up: latencies.length,
    total: primaries.length,
    latencyMs: latencies.length === 0 ? undefined : Math.max(...latencies),
    failure: answers.find((answer) => answer.status === 'rejected')?.reason,
  };
}

/** A server that forbids PING is there all the same; one that is loading is not. */
function acceptRefusal(error: unknown): void {
  if (!(error instanceof ReplyError) || isValkeyError(error, 'VALKEY_SERVER_BUSY')) throw error;
}

/** A cluster that was never reached has none to ask; finding that out must not take longer than an answer may. */
async function knownPrimaries({ driver }: Dispatching, over: number): Promise<readonly Route[]> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<readonly Route[]>((resolve) => {
    timer = setTimeout(() => resolve([]), over - performance.now());
  });
  try {
    return await Promise.race([driver.primaries().catch(() => []), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

type Info = ReadonlyMap<string, string>;

/** INFO and CLUSTER INFO are lines of `name:value`. */
function readInfo(reply: Reply): Info {
  const lines = typeof reply === 'string' ? reply.split('\r\n') : [];
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

function nothing(): Info {
  return new Map();
}

function replicationOf(info: Info): ClientHealth['replication'] {
  const role = info.get('role');
  if (role === undefined) return undefined;
  return { role: role === 'master' ? 'primary' : 'replica', replicas: Number(info.get('connected_slaves') ?? 0) };
}

function memoryOf(info: Info): ClientHealth['memory'] {
  const used = Number(info.get('used_memory'));
  if (!Number.isFinite(used)) return undefined;
  const limit = Number(info.get('maxmemory') ?? 0);
  return { usedBytes: used, maxBytes: limit > 0 ? limit : undefined };
}
