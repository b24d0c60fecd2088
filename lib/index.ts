// The front door. What is not named here is not public.

export { CacheClient } from './client/cache-client.js';
export type { CommandQueue, Results } from './client/command-queue.js';
export { createClient } from './client/create-client.js';
export type { ClientParts } from './client/create-client.js';
export type { ClientHealth } from './client/health.js';
export type {
  CommandCall,
  CommandHooks,
  CommandInterceptor,
  CommandResult,
  ConnectionInfo,
  Interceptor,
  InterceptorFactory,
  NextInterceptor,
  ObservedClient,
  PipelineInfo,
  RetryInfo,
  RetryResult,
} from './client/interceptors.js';
export { PipelineError } from './client/pipeline-error.js';
export type { Settled } from './client/pipeline-error.js';
export type { ChainedPipeline, SettledResults } from './client/pipeline.js';
export type { KeyScanOptions, ScanOptions } from './client/scan.js';
export type { ScopeOptions } from './client/scope.js';
export type { Message, Overflow, SubscribeOptions, Subscription } from './client/subscription.js';
export { currentTenant, runAsTenant } from './client/tenancy/current-tenant.js';
export { stripTenant, tenantKey, tenantPattern } from './client/tenancy/tenant.js';
export type { TrackingListener } from './client/tracking.js';
export type { WatchOptions } from './client/transaction.js';

export { DecodeError, EncodeError } from './core/codec/codec.js';
export type { Codec } from './core/codec/codec.js';
export { typedJson } from './core/codec/typed-json.js';
export type { Duration } from './core/duration.js';
export {
  ArgumentError,
  AuthenticationError,
  CacheMissError,
  ClientClosedError,
  ConfigurationError,
  ConnectionError,
  CrossSlotError,
  DeadlineError,
  isValkeyError,
  IdempotencyInProgressError,
  IdempotencyKeyReusedError,
  IdempotencyNotReplayableError,
  IdempotencyUnavailableError,
  LoadTimeoutError,
  LockLostError,
  LockNotAcquiredError,
  OutcomeUnknownError,
  OutOfMemoryError,
  RateLimitExceededError,
  RateLimitUnavailableError,
  ReplyError,
  ServerBusyError,
  TlsError,
  UnsupportedError,
  ValkeyError,
} from './core/errors.js';
export type { ErrorCode, ErrorDetails, ExceededTier } from './core/errors.js';
export { events } from './core/events.js';
export type {
  BreakerEvent,
  BreakerState,
  CacheEvent,
  ClientIdentity,
  CommandEvent,
  ConnectionEvent,
  ConnectionLane,
  EventChannel,
  HookErrorEvent,
  IdempotencyEvent,
  LockEvent,
  MethodBreakerEvent,
  MethodFallbackEvent,
  MethodRetryEvent,
  PipelineEvent,
  RateLimitEvent,
  RedirectionEvent,
  RetryEndEvent,
  RetryEvent,
  TopologyEvent,
  TopologyFailureEvent,
} from './core/events.js';

export type {
  Argument,
  Delivery,
  Driver,
  DriverStatus,
  NodeInfo,
  Observer,
  Operation,
  Outcome,
  ReadFrom,
  Reply,
  Route,
  Session,
  SubscriptionRequest,
  Topology,
  TrackingRequest,
} from './driver/driver.js';
export { makeDriver, registerDriver } from './driver/registry.js';
export type { DriverFactory } from './driver/registry.js';
export { defineScript } from './driver/script.js';
export type { EmbeddedScriptContext, Script, ScriptDefinition } from './driver/script.js';
export type { ValkeyNative } from './driver/valkey/valkey-driver.js';

export type { LoadMany } from './features/cache/batch.js';
export type { AccessCache } from './features/access/access-cache.js';
export { ApiKeyCache, apiKeyHash } from './features/access/api-key-cache.js';
export { PermissionCache } from './features/access/permission-cache.js';
export { TokenBlacklist } from './features/access/token-blacklist.js';
export type { TokenEnd } from './features/access/token-blacklist.js';
export { Cache } from './features/cache/cache.js';
export type { Hit } from './features/cache/cache.js';
export { CacheService } from './features/cache/cache-service.js';
export type { Load, LoadContext, LoadOptions, StoreOptions } from './features/cache/load-options.js';
export { IdempotencyService } from './features/idempotency/idempotency-service.js';
export type { Performed, RunOptions, Work, WorkKey } from './features/idempotency/idempotency-service.js';
export { Lock } from './features/lock/lock.js';
export { currentLock, LockService } from './features/lock/lock-service.js';
export type { AcquireOptions } from './features/lock/lock-service.js';
export type { Decision, TierState } from './features/rate-limit/decision.js';
export { RateLimiter } from './features/rate-limit/rate-limiter.js';
export type { ConsumeOptions } from './features/rate-limit/rate-limiter.js';
export type { SettingsCache } from './features/tenancy/settings-cache.js';
export { TenantSettings } from './features/tenancy/tenant-settings.js';

export type { BulkheadState, Circuit, CircuitControl } from './resilience/circuit.js';
export { ResiliencePolicy } from './resilience/method/resilience-policy.js';
export type { ResilientTask } from './resilience/method/resilience-policy.js';
export { resilienceSignal } from './resilience/method/signal.js';

export type {
  AccessLoadContext,
  ApiKeyOptions,
  PermissionOptions,
  TokenBlacklistOptions,
} from './options/access-options.js';
export type { CacheOptions, CachingOptions, NearOptions } from './options/cache-options.js';
export { ValkeyOptions } from './options/builder.js';
export type { IdempotencyOptions } from './options/idempotency-options.js';
export type { LockModuleOptions, LockOptions } from './options/lock-options.js';
export type { Limit, LimitAlgorithm, LimitPreset, Limits, RateLimiterOptions } from './options/limit-options.js';
export type { PolicyOptions } from './options/policy.js';
export { resolveSettings } from './options/resolve.js';
export type { ResolvedSettings } from './options/resolve.js';
export type { TenantSettingsOptions } from './options/tenant-options.js';
export type {
  Address,
  Backoff,
  BreakerSettings,
  BulkheadSettings,
  Credentials,
  CredentialsProvider,
  ExpiringCredentials,
  LogLevel,
  ResiliencePreset,
  Settings,
} from './options/settings.js';

export { CacheEvict } from './nest/cache/cache-evict.js';
export { withCacheMode } from './nest/cache/cache-mode.js';
export type { CacheMode } from './nest/cache/cache-mode.js';
export { CachePut } from './nest/cache/cache-put.js';
export { Cacheable } from './nest/cache/cacheable.js';
export { CacheableMany } from './nest/cache/cacheable-many.js';
export type {
  CachedMethod,
  CachingDecorator,
  CachingManyDecorator,
  First,
  Five,
  Fitting,
  FittingMany,
  FromCall,
  FromResult,
  Others,
  Several,
  Shape,
  Six,
} from './nest/cache/cached-method.js';
export type {
  CacheableManyOptions,
  CacheableOptions,
  CacheChoice,
  CacheEvictOptions,
  CachePutOptions,
  EvictionOptions,
  KeepingOptions,
  RefreshingOptions,
  StoringOptions,
} from './nest/cache/caching-decorator-options.js';
export type { InterceptorSource } from './nest/interceptor-sources.js';
export { provideApiKeyCache, providePermissionCache, provideTokenBlacklist } from './nest/access/access-providers.js';
export type { CachedProviderOptions, ProviderPlace } from './nest/feature-provider.js';
export { Locked } from './nest/lock/locked.js';
export type { LockedDecorator, LockedOptions } from './nest/lock/locked-options.js';
export { LoggingHooks } from './nest/logging-hooks.js';
export type { LoggingOptions } from './nest/logging-hooks.js';
export { HttpCache } from './nest/http-cache/http-cache.js';
export type { HttpCacheOptions, HttpCacheRequest } from './nest/http-cache/http-cache-options.js';
export { RateLimit, SkipRateLimit } from './nest/rate-limit/rate-limit.js';
export type {
  Awaitable,
  FromRequest,
  LimitChoice,
  LimitedBy,
  LimitingOptions,
  LimitSubject,
  LoadedLimits,
  NoTier,
  RateLimitHeaders,
  RateLimitModuleOptions,
  RateLimitOptions,
  RateLimitRefusal,
  RateLimitRequest,
} from './nest/rate-limit/rate-limit-options.js';
export { Idempotent } from './nest/idempotency/idempotent.js';
export type { IdempotentMethod, IdempotentOptions, IdempotentRequest } from './nest/idempotency/idempotent-options.js';
export { Resilient } from './nest/resilient/resilient.js';
export type {
  Answerable,
  Fallback,
  FallbackOptions,
  OwnPolicyOptions,
  ResilientDecorator,
  ResilientMethod,
  ResilientOptions,
  SharedPolicyOptions,
} from './nest/resilient/resilient-options.js';
export {
  CACHE_CLIENT,
  CACHE_SERVICE,
  cacheServiceToken,
  clientToken,
  InjectCache,
  InjectClient,
  IDEMPOTENCY_SERVICE,
  idempotencyServiceToken,
  InjectIdempotency,
  InjectLocks,
  InjectRateLimiter,
  LOCK_SERVICE,
  lockServiceToken,
  RATE_LIMITER,
  rateLimiterToken,
} from './nest/tokens.js';
export { provideTenantSettings } from './nest/tenancy/tenant-settings-provider.js';
export type { TenantModuleOptions, TenantRequest } from './nest/tenancy/tenant-options.js';
export { ValkeyModule } from './nest/valkey-module.js';
export type { ValkeyModuleAsyncOptions, ValkeyModuleOptions } from './nest/valkey-module.js';
