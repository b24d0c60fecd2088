import type { FactoryProvider } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { CacheClient } from '../../client/cache-client.js';
import { IdempotencyService } from '../../features/idempotency/idempotency-service.js';
import { resolveIdempotency } from '../../options/idempotency-options.js';
import type { IdempotencyOptions } from '../../options/idempotency-options.js';
import { clientToken, idempotencyServiceToken } from '../tokens.js';
import { checkIdempotentPlaces } from './places.js';

/** How a client's work is done once. */
export interface IdempotencyModuleOptions {
  /** Of `@Idempotent()` and the `IdempotencyService`; a decorator's own options win. Default: results for 24 h, a lease of 10 s. */
  readonly idempotency?: IdempotencyOptions;
}

/** The idempotency service of the client `name`. */
export function idempotencyProvider(name: string, options: symbol): FactoryProvider<IdempotencyService> {
  return {
    provide: idempotencyServiceToken(name),
    inject: [clientToken(name), options],
    useFactory: (client: CacheClient, { idempotency }: IdempotencyModuleOptions): IdempotencyService =>
      new IdempotencyService(client, idempotency),
  };
}

/**
 * Checks what a registration says about idempotency, and where the decorators stand.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkIdempotency(options: IdempotencyOptions | undefined, container: ModulesContainer): void {
  resolveIdempotency(options);
  checkIdempotentPlaces(container);
}
