import { Inject } from '@nestjs/common';

/** The name of the client that was registered without one. */
export const DEFAULT_CLIENT = 'default';

/** By their descriptions. */
const TOKENS = new Map<string, symbol>();

/** The injection token of a named client; {@link CACHE_CLIENT} is that of the unnamed one. */
export function clientToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf('CACHE_CLIENT', name);
}

/** The injection token of a named client's `CacheService`; {@link CACHE_SERVICE} is that of the unnamed one. */
export function cacheServiceToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf('CACHE_SERVICE', name);
}

/** The injection token of a named client's `RateLimiter`; {@link RATE_LIMITER} is that of the unnamed one. */
export function rateLimiterToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf('RATE_LIMITER', name);
}

/** The injection token of a named client's `LockService`; {@link LOCK_SERVICE} is that of the unnamed one. */
export function lockServiceToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf('LOCK_SERVICE', name);
}

/** The injection token of a named client's `IdempotencyService`; {@link IDEMPOTENCY_SERVICE} is that of the unnamed one. */
export function idempotencyServiceToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf('IDEMPOTENCY_SERVICE', name);
}

/** The same for the same name, whoever asks. */
function tokenOf(service: string, client: string): symbol {
  const description = client === DEFAULT_CLIENT ? service : `${service}(${client})`;
  let token = TOKENS.get(description);
  if (!token) {
    token = Symbol(description);
    TOKENS.set(description, token);
  }
  return token;
}

/**
 * Injects the client: `@Inject(CACHE_CLIENT) private readonly client: CacheClient`.
 */
export const CACHE_CLIENT: symbol = clientToken();

/**
 * Injects a client by name; without one, the same as `@Inject(CACHE_CLIENT)`.
 *
 * @example
 * ```ts
 * constructor(@InjectClient('sessions') private readonly sessions: CacheClient) {}
 * ```
 */
export function InjectClient(name: string = DEFAULT_CLIENT): PropertyDecorator & ParameterDecorator {
  return Inject(clientToken(name));
}

/**
 * Injects the caches of the client: `@Inject(CACHE_SERVICE) private readonly caching: CacheService`.
 */
export const CACHE_SERVICE: symbol = cacheServiceToken();

/**
 * Injects the caches of a client by its name; without one, the same as `@Inject(CACHE_SERVICE)`.
 *
 * @example
 * ```ts
 * constructor(@InjectCache('sessions') private readonly caching: CacheService) {}
 * ```
 */
export function InjectCache(client: string = DEFAULT_CLIENT): PropertyDecorator & ParameterDecorator {
  return Inject(cacheServiceToken(client));
}

/**
 * Injects the rate limiter of the client: `@Inject(RATE_LIMITER) private readonly limiter: RateLimiter`.
 */
export const RATE_LIMITER: symbol = rateLimiterToken();

/**
 * Injects the rate limiter of a client by its name; without one, the same as `@Inject(RATE_LIMITER)`.
 *
 * @example
 * ```ts
 * constructor(@InjectRateLimiter('sessions') private readonly limiter: RateLimiter) {}
 * ```
 */
export function InjectRateLimiter(client: string = DEFAULT_CLIENT): PropertyDecorator & ParameterDecorator {
  return Inject(rateLimiterToken(client));
}

/**
 * Injects the locks of the client: `@Inject(LOCK_SERVICE) private readonly locks: LockService`.
 */
export const LOCK_SERVICE: symbol = lockServiceToken();

/**
 * Injects the locks of a client by its name; without one, the same as `@Inject(LOCK_SERVICE)`.
 *
 * @example
 * ```ts
 * constructor(@InjectLocks('sessions') private readonly locks: LockService) {}
 * ```
 */
export function InjectLocks(client: string = DEFAULT_CLIENT): PropertyDecorator & ParameterDecorator {
  return Inject(lockServiceToken(client));
}

/**
 * Injects the idempotency service of the client: `@Inject(IDEMPOTENCY_SERVICE) private readonly idempotency: IdempotencyService`.
 */
export const IDEMPOTENCY_SERVICE: symbol = idempotencyServiceToken();

/**
 * Injects the idempotency service of a client by its name; without one, the same as `@Inject(IDEMPOTENCY_SERVICE)`.
 *
 * @example
 * ```ts
 * constructor(@InjectIdempotency('payments') private readonly idempotency: IdempotencyService) {}
 * ```
 */
export function InjectIdempotency(client: string = DEFAULT_CLIENT): PropertyDecorator & ParameterDecorator {
  return Inject(idempotencyServiceToken(client));
}
