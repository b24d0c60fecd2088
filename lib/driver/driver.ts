import type { ValkeyError } from '../core/errors.js';
import type { Argument, Reply } from './reply.js';
import type { Script } from './script.js';

export type { Argument, Reply } from './reply.js';

/** How one operation ended. */
export type Outcome =
  { readonly ok: true; readonly value: Reply } | { readonly ok: false; readonly error: ValkeyError };

/** Who may answer a reading command. `replica` fails where there is none, `preferReplica` asks the primary then. */
export type ReadFrom = 'primary' | 'replica' | 'preferReplica';

/** A node that owns operations. Two operations with the same route travel together; a single server has one route. */
export interface Route {
  /** Readable and stable: `127.0.0.1:7001`, `primary`, `embedded`. Fit for a metric label. */
  readonly id: string;
}

/**
 * One command on its way. The client makes it, drivers carry it, whoever knows first how it ended settles it.
 */
export interface Operation {
  /** Name in upper case: `GET`, `HSET`. A command with a subcommand carries it as first argument. */
  readonly command: string;
  /** All arguments, prefix already applied. */
  readonly args: readonly Argument[];
  /** The key that decides on the route; `undefined` when any node will do. */
  readonly key: Argument | undefined;
  /** Whether text in the reply is wanted as bytes. */
  readonly binary: boolean;
  /** Whether it changes nothing, so that a replica may answer it. */
  readonly readOnly: boolean;
  /** Who may answer it, if it is a reading one; a replica's answer can be a little old. */
  readonly readFrom: ReadFrom;
  /** Whether executing it twice is the same as executing it once. */
  readonly retrySafe: boolean;
  /** Whether it may hold its connection until something happens (BLPOP, XREAD BLOCK): it gets a dedicated one. */
  readonly blocking: boolean;
  /** The node it has to run on, whatever its key says: for SCAN and other commands of one node. */
  readonly target: Route | undefined;
  /** The script an EVALSHA stands for: a driver sends its text where the server does not know it. */
  readonly script: Script | undefined;
  /** The commands between MULTI and EXEC; the value is then the array EXEC answers, or null when a watch failed. */
  readonly transaction: readonly Operation[] | undefined;
  /** When it has to be over, in milliseconds of the monotonic clock (`performance.now()`); `Infinity` for never. */
  readonly deadline: number;
  /** When its caller called, by the same clock; for messages about the deadline. Default: when it is first met. */
  readonly startedAt?: number;
  /** Set by a driver once the command may have reached a server: from then on its outcome can be unknown. */
  sent: boolean;
  /** Whether it is over. A driver does not send what is settled. */
  readonly settled: boolean;
  /**
   * Set by whoever holds something for it (a blocked connection, a place in a bulkhead); called once it is over, whoever
   * ended it. Who finds one set calls that too from its own.
   */
  onEnd: (() => void) | undefined;
  /** Set by a policy that wants to hear the outcome before the caller does. */
  observer: Observer | undefined;
  /** Ends it. The first call counts; any later one is ignored, so that a deadline and a late reply need no referee. */
  settle(outcome: Outcome): void;
}

/** A policy's ear: retry, breaker and figures hang here, so that no operation has to be wrapped in another. */
export interface Observer {
  /** Hears how an operation ended. True takes it back: it is not over yet, it will be tried again. */
  onOutcome(operation: Operation, outcome: Outcome): boolean;
}

/** Exclusive use of one connection, for WATCH and whatever must not mix with other callers. */
export interface Session {
  /** Like {@link Driver.execute}, on this connection. */
  execute(batch: readonly Operation[]): void;
  /** Gives the connection back. A session with a watch still on is cleaned, not leaked. */
  release(): void;
}

/** What arrives on a channel. */
export interface Delivery {
  /** The channel, with the key prefix. */
  readonly channel: string;
  /** The pattern that matched, for a pattern subscription. */
  readonly pattern: string | undefined;
  /** The message's bytes. */
  readonly payload: Buffer;
}

/** What a subscriber wants to hear. Names carry the key prefix already. */
export interface SubscriptionRequest {
  /** Whether `names` are channels, or glob patterns of channels. */
  readonly kind: 'channel' | 'pattern';
  /** At least one. */
  readonly names: readonly string[];
  /** Called for each message, in order. It must not throw. */
  readonly deliver: (delivery: Delivery) => void;
}

/** Who wants to hear about changes. Names carry the key prefix. */
export interface TrackingRequest {
  /** What the keys begin with, literally; everything begins with the empty one. */
  readonly prefix: string;
  /**
   * A key that begins with the prefix was written, deleted, has expired or was evicted; by whomever, this client
   * included. A name that is not valid UTF-8 comes with U+FFFD in place of what is not. It must not throw.
   */
  readonly changed: (key: string) => void;
  /**
   * True: from now on every change is told. False: some may have been missed, and nothing is told until true. Called
   * with false for what concerns everything (FLUSHALL) as well, followed by true. It may be called before
   * {@link Driver.track} returns, and must not throw.
   */
  readonly covered: (covered: boolean) => void;
}

/** Whether a driver can work, and if not, why. */
export type DriverStatus =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  | { readonly state: 'ready' }
  /** Part of a cluster is away. */
  | { readonly state: 'degraded'; readonly reason: ValkeyError }
  | { readonly state: 'down'; readonly reason: ValkeyError }
  | { readonly state: 'closed' };

/** One node as the driver knows it. */
export interface NodeInfo {
  /** Its route; the id is its name. */
  readonly route: Route;
  /** What it is at the moment. */
  readonly role: 'primary' | 'replica';
  /** Whether the connection all callers share is open. */
  readonly connected: boolean;
}

/** How servers are laid out, as far as a caller can notice. */
export type Topology = 'single' | 'cluster' | 'sentinel' | 'embedded';

/**
 * The one primitive everything rests on: a batch of operations in, an outcome for each as it arrives. Retry, breaker,
 * batching and deadlines are drivers too: they wrap another one.
 */
export interface Driver {
  /** Its name in the registry. */
  readonly name: string;
  /** How its servers are laid out; a client splits commands over many keys by slot for `cluster` only. */
  readonly topology: Topology;
  /**
   * Opens the connections. Resolves when commands can be sent, rejects with the reason when the first attempt fails;
   * in both cases the driver goes on trying until {@link Driver.close}.
   */
  connect(): Promise<void>;
  /**
   * Ends all connections and settles what is still under way with a ClientClosedError, or an OutcomeUnknownError for
   * what was sent and is not safe to repeat. Draining is the caller's business and comes before.
   */
  close(): Promise<void>;
  /**
   * Runs operations in the given order per route. Never throws; each operation is settled when its own reply is
   * there, not when the slowest of the batch is. Operations that are settled already are passed over. The array may be
   * emptied once all of them are settled.
   */
  execute(batch: readonly Operation[]): void;
  /**
   * An operation that was sent at `since` (`performance.now()`) had no answer by its deadline: the driver may look whether
   * its connection is still alive.
   */
  suspect?(operation: Operation, since: number): void;
  /** Which node owns it; one constant route on a single server. Cheap: it is asked for every operation. */
  route(operation: Operation): Route;
  /** Every primary, for commands that concern all of them (SCAN, FLUSHDB, DBSIZE). `fresh` asks the servers again. */
  primaries(fresh?: boolean): Promise<readonly Route[]>;
  /** Exclusive use of one connection to the node that owns `operation`. */
  session(operation: Operation): Promise<Session>;
  /** Listens until the returned function is called; renewed by the driver after every reconnect. */
  subscribe(request: SubscriptionRequest): Promise<() => Promise<void>>;
  /**
   * Tells about changes of the keys on all primaries until the function it gives is called, or the driver is closed. A
   * driver that cannot leaves it out.
   */
  track?(request: TrackingRequest): () => void;
  /** The servers it knows of. */
  nodes(): readonly NodeInfo[];
  /** Whether it can work now. */
  status(): DriverStatus;
  /**
   * Tells about every change of {@link Driver.status}, and when keys have moved to other nodes; returns the function that
   * stops it.
   */
  onStatus(listener: (status: DriverStatus) => void): () => void;
  /**
   * Tells whenever the connection that callers of a route share has been opened and the server has answered on it: the
   * circuit of that route need not wait any longer. Returns the function that stops it.
   */
  onReady?(listener: (route: Route) => void): () => void;
  /** The underlying client: the escape hatch, without prefix, batching or policies. */
  native(): unknown;
}
