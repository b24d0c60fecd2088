import { Inject } from '@nestjs/common';

/** The name of the client that was registered without one. */
export const DEFAULT_CLIENT = 'default';

const CLIENTS = new Map<string, symbol>();
const CACHE_SERVICES = new Map<string, symbol>();

/** The injection token of a named client; {@link CACHE_CLIENT} is that of the unnamed one. */
export function clientToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf(CLIENTS, 'CACHE_CLIENT', name);
}

/** The injection token of a named client's `CacheService`; {@link CACHE_SERVICE} is that of the unnamed one. */
export function cacheServiceToken(name: string = DEFAULT_CLIENT): symbol {
  return tokenOf(CACHE_SERVICES, 'CACHE_SERVICE', name);
}

function tokenOf(tokens: Map<string, symbol>, description: string, name: string): symbol {
  let token = tokens.get(name);
  if (!token) {
    token = Symbol(name === DEFAULT_CLIENT ? description : `${description}(${name})`);
    tokens.set(name, token);
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
