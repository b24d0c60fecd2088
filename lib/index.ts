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
  LoadTimeoutError,
  OutcomeUnknownError,
  OutOfMemoryError,
  ReplyError,
  ServerBusyError,
  TlsError,
  UnsupportedError,
  ValkeyError,
} from './core/errors.js';
export type { ErrorCode, ErrorDetails } from './core/errors.js';
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
  MethodBreakerEvent,
  MethodFallbackEvent,
  MethodRetryEvent,
  PipelineEvent,
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
export { Cache } from './features/cache/cache.js';
export type { Hit } from './features/cache/cache.js';
export { CacheService } from './features/cache/cache-service.js';
export type { Load, LoadContext, LoadOptions, StoreOptions } from './features/cache/load-options.js';

export type { BulkheadState, Circuit, CircuitControl } from './resilience/circuit.js';
export { ResiliencePolicy } from './resilience/method/resilience-policy.js';
export type { ResilientTask } from './resilience/method/resilience-policy.js';
export { resilienceSignal } from './resilience/method/signal.js';

export type { CacheOptions, CachingOptions, NearOptions } from './options/cache-options.js';
export { ValkeyOptions } from './options/builder.js';
export type { PolicyOptions } from './options/policy.js';
export { resolveSettings } from './options/resolve.js';
export type { ResolvedSettings } from './options/resolve.js';
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
export { LoggingHooks } from './nest/logging-hooks.js';
export type { LoggingOptions } from './nest/logging-hooks.js';
export { HttpCache } from './nest/http-cache/http-cache.js';
export type { HttpCacheOptions, HttpCacheRequest } from './nest/http-cache/http-cache-options.js';
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
} from './nest/tokens.js';
export { ValkeyModule } from './nest/valkey-module.js';
export type { ValkeyModuleAsyncOptions, ValkeyModuleOptions } from './nest/valkey-module.js';
