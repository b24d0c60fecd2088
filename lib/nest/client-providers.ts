import type { Provider } from '@nestjs/common';
import type { CacheClient } from '../client/cache-client.js';
import type { ValkeyOptions } from '../options/options.js';
import { openClient } from './open-client.js';
import { clientToken } from './tokens.js';

/** The module's own client, under the same token in each instance of the module; not exported. */
export const OWN_CLIENT = Symbol('OWN_CLIENT');

/** @returns what one instance of the module provides for the client `name`, and what of it others may inject */
export function clientProviders(
  name: string,
  optionsToken: symbol | string,
): { readonly providers: readonly Provider[]; readonly exports: readonly symbol[] } {
  const token = clientToken(name);
  return {
    providers: [
      {
        provide: token,
        inject: [optionsToken],
        useFactory: (options: ValkeyOptions): Promise<CacheClient> => openClient({ ...options, name }),
      },
      { provide: OWN_CLIENT, useExisting: token },
    ],
    exports: [token],
  };
}
