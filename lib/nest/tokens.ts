import { Inject } from '@nestjs/common';

/** The name of the client that was registered without one. */
export const DEFAULT_CLIENT = 'default';

const TOKENS = new Map<string, symbol>();

/** The injection token of a named client; {@link CACHE_CLIENT} is that of the unnamed one. */
export function clientToken(name: string = DEFAULT_CLIENT): symbol {
  let token = TOKENS.get(name);
  if (!token) {
    token = Symbol(name === DEFAULT_CLIENT ? 'CACHE_CLIENT' : `CACHE_CLIENT(${name})`);
    TOKENS.set(name, token);
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
