import { channel } from 'node:diagnostics_channel';
import type { Channel } from 'node:diagnostics_channel';
import type { ErrorCode } from './errors.js';

/** Which client an event is about: its name is for people, the number tells clients of the same name apart. */
export interface ClientIdentity {
  /** The client's name, `default` for the unnamed one. */
  readonly client: string;
  /** Unique within the process. */
  readonly clientId: number;
}

/** What a connection is for. */
export type ConnectionLane =
  'shared' | 'dedicated' | 'subscriber' | 'tracking' | 'topology' | 'sentinel' | 'credentials';

/** A command is over. */
export interface CommandEvent extends ClientIdentity {
  /** Name in upper case. */
  readonly command: string;
  readonly durationMs: number;
  /** Of the error; `undefined` for success. */
  readonly code: ErrorCode | undefined;
}

/** A pipeline or transaction is over. */
export interface PipelineEvent extends ClientIdentity {
  readonly kind: 'pipeline' | 'transaction';
  /** Commands in it. */
  readonly size: number;
  /** Commands of it that failed. */
  readonly failed: number;
  readonly durationMs: number;
}

/** Operations are about to be tried again. */
export interface RetryEvent extends ClientIdentity {
  readonly route: string;
  /** 1 for the first repetition. */
  readonly attempt: number;
  readonly delayMs: number;
  /** Why the attempt before came to nothing. */
  readonly code: ErrorCode;
}

/** Operations that were tried again are over. */
export interface RetryEndEvent extends ClientIdentity {
  readonly route: string;
  /** How often they were tried again. */
  readonly attempt: number;
  /** Of the failure it ended with; `undefined` if it succeeded in the end. */
  readonly code: ErrorCode | undefined;
}

/** A route's circuit changed its state. */
export interface BreakerEvent extends ClientIdentity {
  readonly route: string;
  readonly state: BreakerState;
}

/** `open` lets nothing through, `half-open` one attempt, `isolated` is open by hand. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'isolated';

/** A connection changed its state. */
export interface ConnectionEvent extends ClientIdentity {
  /** `host:port`, or `?` while it is not known. */
  readonly address: string;
  readonly lane: ConnectionLane;
  readonly state: 'connecting' | 'ready' | 'failed' | 'lost' | 'closed';
  /** Why, for `failed` and `lost`. */
  readonly code: ErrorCode | undefined;
}

/** Who serves which slots of a cluster is another than before. */
export interface TopologyEvent extends ClientIdentity {
  readonly primaries: readonly string[];
  readonly replicas: readonly string[];
}

/** No node could tell the layout of a cluster. */
export interface TopologyFailureEvent extends ClientIdentity {
  /** One reason for each node that was asked. */
  readonly reasons: readonly { readonly node: string; readonly code: ErrorCode }[];
}

/** A server said that a slot is served elsewhere. */
export interface RedirectionEvent extends ClientIdentity {
  readonly kind: 'moved' | 'ask';
  readonly command: string;
  readonly slot: number;
  readonly from: string;
  readonly to: string;
}

/** A hook or listener that only looks on has thrown; nothing but this event came of it. */
export interface HookErrorEvent extends ClientIdentity {
  /** The hook's method, such as `afterCommand`; `onStatus` for a listener of that. */
  readonly hook: string;
  readonly error: unknown;
}

/** A resilient method is about to be tried again. */
export interface MethodRetryEvent {
  /** `Class.method`, or the name it was given. */
  readonly method: string;
  /** 1 for the first repetition. */
  readonly attempt: number;
  readonly delayMs: number;
  /** Why the attempt before came to nothing, if the error is one of ours. */
  readonly code: ErrorCode | undefined;
}

/** The circuit of a resilient method changed its state. */
export interface MethodBreakerEvent {
  readonly method: string;
  readonly state: BreakerState;
}

/** A resilient method failed, and its fallback answers instead. */
export interface MethodFallbackEvent {
  readonly method: string;
  /** Of what it failed with, if the error is one of ours. */
  readonly code: ErrorCode | undefined;
}

/** Something happened in a cache; keys and values are not told. */
export type CacheEvent = ClientIdentity & {
  /** Its name; `undefined` for what concerns all caches of the client. */
  readonly cache: string | undefined;
} & (
    | {
        /**
         * A call was answered from this process (`near-hit`), from the server (`hit`), by a value past its time (`stale`),
         * or by nothing (`miss`). An entry could not be read (`unreadable`); what was loaded was not stored, because it was
         * evicted or invalidated meanwhile (`fill-refused`); entries were removed (`evict`, `clear`, `invalidate`). The server
         * told that an entry kept in this process has changed (`near-drop`).
         */
        readonly kind:
          | 'near-hit'
          | 'hit'
          | 'stale'
          | 'miss'
          | 'unreadable'
          | 'fill-refused'
          | 'evict'
          | 'clear'
          | 'invalidate'
          | 'near-drop';
      }
    | {
        /** A cache is used for the first time. */
        readonly kind: 'opened';
        /** What it keeps in this process, whenever it is asked. */
        readonly near: () => { readonly entries: number; readonly bytes: number };
      }
    | {
        /** A loader is over. */
        readonly kind: 'load';
        readonly durationMs: number;
        readonly failed: boolean;
      }
    | {
        /** The store failed at something the caller got its result without. */
        readonly kind: 'background-error';
        /** `undefined` for an error that is not of this library. */
        readonly code: ErrorCode | undefined;
      }
    | {
        /** From now on the server tells about every change, and values are kept in this process; or not any more. */
        readonly kind: 'near-on' | 'near-off';
      }
  );

/** A rate limit has decided; who was counted is not told. */
export interface RateLimitEvent extends ClientIdentity {
  /** The name of the limit. */
  readonly limit: string;
  readonly outcome: 'admitted' | 'refused';
  /** Who decided, see `Decision.by`. */
  readonly by: 'store' | 'memory' | 'local' | 'none';
  /** The name of the tier that refused. */
  readonly tier: string | undefined;
  /** Why the store did not decide, if the error is one of ours. */
  readonly code: ErrorCode | undefined;
}

/** What became of a call with an idempotency key; the key is not told. */
export interface IdempotencyEvent extends ClientIdentity {
  /** The name of the operation: `Class.method`, or as it was given. */
  readonly operation: string;
  /**
   * The work was done and its result kept (`completed`); only that it was done is kept, because the result is too large or
   * cannot be encoded (`not-kept`); nothing is kept, because the work failed (`released`), another has the key by now
   * (`lost`), or the store failed (`store-failed`). Or it was not done: an earlier result was given again (`replayed`), it
   * is under way (`in-progress`), the key was used for something else (`reused`), its result was not kept or cannot be read
   * (`not-replayable`), or the store is away (`unavailable`). Or it was done without asking (`unguarded`).
   */
  readonly outcome:
    | 'completed'
    | 'released'
    | 'lost'
    | 'not-kept'
    | 'store-failed'
    | 'replayed'
    | 'in-progress'
    | 'reused'
    | 'not-replayable'
    | 'unavailable'
    | 'unguarded';
  /** Of the error behind it, if there was one of ours. */
  readonly code: ErrorCode | undefined;
}

/** Something happened to a lock; its name is not told. */
export type LockEvent = ClientIdentity &
  (
    | {
        /** It is held from now on, was not to be had before the wait was over or ended, or the store did not answer. */
        readonly kind: 'acquired' | 'not-acquired' | 'failed';
        readonly waitedMs: number;
        /** Of the store's error. */
        readonly code: ErrorCode | undefined;
      }
    | {
        /** It was given back, was lost while it was held, or could not be given back and ends by itself. */
        readonly kind: 'released' | 'lost' | 'release-failed';
        readonly heldMs: number;
        /** Of the error behind it, if it is one of ours. */
        readonly code: ErrorCode | undefined;
      }
  );

/** One named channel of `node:diagnostics_channel` with its type of event. */
export class EventChannel<E extends object> {
  readonly #channel: Channel;

  constructor(readonly name: string) {
    this.#channel = channel(name);
  }

  /** Whether anybody listens: events are made only then. */
  get active(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(event: E): void {
    this.#channel.publish(event);
  }

  /** Calls `listener` for each event; the function it gives ends that. */
  subscribe(listener: (event: E) => void): () => void {
    const onMessage = (message: unknown): void => listener(message as E);
    this.#channel.subscribe(onMessage);
    return () => {
      this.#channel.unsubscribe(onMessage);
    };
  }
}

/**
 * What happens inside, for whoever wants to know: `events.retry.subscribe((event) => …)`, or by name through
 * `node:diagnostics_channel`. With nobody listening nothing is made. No event ever holds a value, a key or a secret.
 */
export const events = {
  command: new EventChannel<CommandEvent>('nestjs-valkey:command'),
  pipeline: new EventChannel<PipelineEvent>('nestjs-valkey:pipeline'),
  retry: new EventChannel<RetryEvent>('nestjs-valkey:retry'),
  retryEnd: new EventChannel<RetryEndEvent>('nestjs-valkey:retry-end'),
  breaker: new EventChannel<BreakerEvent>('nestjs-valkey:breaker'),
  connection: new EventChannel<ConnectionEvent>('nestjs-valkey:connection'),
  topology: new EventChannel<TopologyEvent>('nestjs-valkey:topology'),
  topologyFailure: new EventChannel<TopologyFailureEvent>('nestjs-valkey:topology-failure'),
  redirection: new EventChannel<RedirectionEvent>('nestjs-valkey:redirection'),
  hookError: new EventChannel<HookErrorEvent>('nestjs-valkey:hook-error'),
  cache: new EventChannel<CacheEvent>('nestjs-valkey:cache'),
  rateLimit: new EventChannel<RateLimitEvent>('nestjs-valkey:rate-limit'),
  idempotency: new EventChannel<IdempotencyEvent>('nestjs-valkey:idempotency'),
  lock: new EventChannel<LockEvent>('nestjs-valkey:lock'),
  methodRetry: new EventChannel<MethodRetryEvent>('nestjs-valkey:method-retry'),
  methodBreaker: new EventChannel<MethodBreakerEvent>('nestjs-valkey:method-breaker'),
  methodFallback: new EventChannel<MethodFallbackEvent>('nestjs-valkey:method-fallback'),
} as const;

const IDENTITIES = new WeakMap<object, ClientIdentity>();
let clients = 0;

/** The identity of the client made from these settings; the same object always has the same. */
export function identityOf(settings: { readonly name: string }): ClientIdentity {
  let identity = IDENTITIES.get(settings);
  if (!identity) {
    clients += 1;
    identity = Object.freeze({ client: settings.name, clientId: clients });
    IDENTITIES.set(settings, identity);
  }
  return identity;
}
