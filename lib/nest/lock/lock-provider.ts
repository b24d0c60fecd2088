import type { FactoryProvider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { CacheClient } from '../../client/cache-client.js';
import { ConfigurationError } from '../../core/errors.js';
import { LockService } from '../../features/lock/lock-service.js';
import type { LockModuleOptions } from '../../options/lock-options.js';
import { checkLockModule } from '../../options/lock-options.js';
import { ApplicationClients } from '../application-clients.js';
import { clientToken, lockServiceToken } from '../tokens.js';

/** What a client's locks do. */
export interface LockingOptions {
  /** How they are taken and held, and whether other servers have to agree. Default: 10 s on this client's server. */
  readonly lock?: LockModuleOptions;
}

/** The locks of the client `name`, given back before it is closed. */
export function lockProvider(name: string, options: symbol): FactoryProvider<LockService> {
  return {
    provide: lockServiceToken(name),
    inject: [clientToken(name), options, ApplicationClients],
    useFactory: async (
      client: CacheClient,
      { lock = {} }: LockingOptions,
      clients: ApplicationClients,
    ): Promise<LockService> => {
      const { quorum = [], ...own } = lock;
      const others = await Promise.all(quorum.map((other) => clients.made(other)));
      const service = new LockService(others.length > 0 ? [client, ...others] : client, own);
      clients.whenClosing(() => service.close());
      return service;
    },
  };
}

/**
 * Checks what the registration of the client `name` says about locks.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkLocking(lock: LockModuleOptions = {}, name: string, container: ModulesContainer): void {
  checkLockModule(lock, name);
  for (const other of lock.quorum ?? []) {
    const isThere = Array.from(container.values()).some(({ providers }) => providers.has(clientToken(other)));
    if (isThere) continue;
    throw new ConfigurationError(
      `lock.quorum of the client "${name}" names the client "${other}", which is not there. Register it with ValkeyModule.forRoot({ name: '${other}' }).`,
      { subject: 'lock.quorum' },
    );
  }
}
