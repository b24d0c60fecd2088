import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { Duration } from '../../core/duration.js';
import type { RateLimitExceededError, RateLimitUnavailableError } from '../../core/errors.js';
import type { Decision } from '../../features/rate-limit/decision.js';
import type { Limit, LimitPreset, Limits, RateLimiterOptions } from '../../options/limit-options.js';

/**
 * What limits usually look at in a request. Write your own type in its place where yours is another:
 * `(request: Request) => …`.
 */
export interface RateLimitRequest {
  /** The client's address, as the framework says it. */
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  /** What your guards have put there. */
  readonly user: { readonly id: string; readonly tenantId: string };
  readonly tenantId: string;
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * A function of a call. On handlers it gets the request (GraphQL: the HTTP request behind it; WebSocket: the client; RPC:
 * the payload) and Nest's context, on plain methods the arguments of the method and its `this`.
 */
export type FromRequest<T, A, B, C, D> = (this: never, a: A, b: B, c: C, d: D) => T;

/** Whose counter it is; of a function `undefined`, `null` and `''` say that it is nobody's. */
export type LimitSubject = string | number | bigint | null | undefined;

/**
 * Who is limited: the client's address, `request.user.id`, `request.user.tenantId ?? request.tenantId`, everybody
 * together, the value of a request header, or what a function gives.
 */
export type LimitedBy<A, B, C, D> =
  | 'ip'
  | 'user'
  | 'tenant'
  | 'global'
  | {
      /** Name of a request header. */
      readonly header: string;
    }
  | FromRequest<Awaitable<LimitSubject>, A, B, C, D>;

/** Which headers responses have. */
export interface RateLimitHeaders {
  /** `RateLimit-Policy` and `RateLimit`. Default: `true`. */
  readonly standard?: boolean;
  /** `X-RateLimit-Limit`, `-Remaining` and `-Reset`. Default: `false`. */
  readonly legacy?: boolean;
}

/** A call that is refused. */
export interface RateLimitRefusal {
  /** The name of the limit. */
  readonly limit: string;
  /** Where it was refused. */
  readonly context: 'http' | 'graphql' | 'ws' | 'rpc' | 'method';
  /** Whole seconds after which it would be admitted; `undefined`: never, or nobody knows. */
  readonly retryAfter: number | undefined;
  /** How all tiers stand; `undefined` where the store is away and `onStoreDown` is `'closed'`. */
  readonly decision: Decision | undefined;
  /** What is thrown, or is the `cause` of what is thrown. */
  readonly error: RateLimitExceededError | RateLimitUnavailableError;
}

/** Limits that are fetched, and kept in this process for a while. */
export interface LoadedLimits<A, B, C, D> {
  readonly load: FromRequest<Awaitable<Limits>, A, B, C, D>;
  /** Whose limits they are: asked for once for each key. Default: who is limited. */
  readonly key?: FromRequest<Awaitable<string | number>, A, B, C, D>;
  /** How long they are kept. When they cannot be fetched again the old ones hold. Default: `'1m'`. */
  readonly ttl?: Duration;
}

/** How much is admitted: one of these. */
export type LimitChoice<A, B, C, D> =
  | (Omit<Limit, 'name'> & {
      readonly tiers?: never;
      readonly preset?: never;
      readonly plans?: never;
      readonly plan?: never;
      readonly limits?: never;
    })
  | (NoTier & {
      /** Several tiers that all have to agree. */
      readonly tiers: readonly Limit[];
      readonly preset?: never;
      readonly plans?: never;
      readonly plan?: never;
      readonly limits?: never;
    })
  | (NoTier & {
      /** Limits the environment may change: 500 in 60 s, `aggressive` 100, `relaxed` 1000. */
      readonly preset: LimitPreset;
      readonly tiers?: never;
      readonly plans?: never;
      readonly plan?: never;
      readonly limits?: never;
    })
  | (NoTier & {
      /** Limits by the name of a plan. */
      readonly plans: Readonly<Record<string, Limits>>;
      /** Names the plan of a call. */
      readonly plan: FromRequest<Awaitable<string>, A, B, C, D>;
      readonly tiers?: never;
      readonly preset?: never;
      readonly limits?: never;
    })
  | (NoTier & {
      /** Says the limits of each call, or fetches them. */
      readonly limits: FromRequest<Awaitable<Limits>, A, B, C, D> | LoadedLimits<A, B, C, D>;
      readonly tiers?: never;
      readonly preset?: never;
      readonly plans?: never;
      readonly plan?: never;
    });

/** Nothing of a single tier. */
export interface NoTier {
  readonly limit?: never;
  readonly window?: never;
  readonly algorithm?: never;
  readonly burst?: never;
  readonly block?: never;
}

/** What stands beside the limits. */
export interface LimitingOptions<A, B, C, D> {
  /**
   * Who is limited. Who has no such value is limited by its address. Default: `'ip'`; for RPC and plain methods
   * `'global'`.
   */
  readonly by?: LimitedBy<A, B, C, D>;
  /** What a call costs; 0 only looks. Default: `1`. */
  readonly cost?: number | FromRequest<Awaitable<number>, A, B, C, D>;
  /** True lets a call pass uncounted. Default: none does. */
  readonly skip?: FromRequest<Awaitable<boolean>, A, B, C, D>;
  /** Which headers responses have; `false`: none but `Retry-After`. Default: the module's. */
  readonly headers?: RateLimitHeaders | false;
  /** Makes the error that is thrown. Default: the module's, else a problem+json response, or the refusal's own error. */
  readonly error?: (refusal: RateLimitRefusal) => Error;
}

/**
 * What `@RateLimit()` takes. `A` to `D` are the parameters of its functions: request and context of a handler, the
 * arguments of a plain method.
 */
export type RateLimitOptions<A = RateLimitRequest, B = ExecutionContext, C = unknown, D = unknown> = LimitChoice<
  A,
  B,
  C,
  D
> &
  LimitingOptions<A, B, C, D> & {
    /** Whose counters: limits of one name share them. Default: `Class.method`, on a class `Class`. */
    readonly name?: string;
    /** The client whose limiter decides. Default: `'default'`. */
    readonly client?: string;
  };

/** What `rateLimit` of the module takes: of the limiter of this client, and of the decorators that use it. */
export interface RateLimitModuleOptions
  extends RateLimiterOptions, Omit<LimitingOptions<RateLimitRequest, ExecutionContext, unknown, unknown>, 'cost'> {
  /** False lets everything pass that a decorator or the default here would limit. Default: `RATE_LIMIT_ENABLED`, else `true`. */
  readonly enabled?: boolean;
  /** For every handler without a decorator, all of them together. Default: none. */
  readonly limits?: Limits;
  /** The same, by name; not together with `limits`. Default: none. */
  readonly preset?: LimitPreset;
  /** Finds the request of a call where it is not where we look. Default: see the guide. */
  readonly request?: (context: ExecutionContext) => object | undefined;
}
