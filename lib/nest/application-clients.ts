import { EventEmitter, once } from 'node:events';
import { Global, Injectable, Module } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { CacheClient } from '../client/cache-client.js';
import { createClient } from '../client/create-client.js';
import type { Interceptor, InterceptorFactory } from '../client/interceptors.js';
import { ConfigurationError } from '../core/errors.js';
import type { ValkeyOptions } from '../options/options.js';
import { resolveSettings } from '../options/resolve.js';
import { ClientLog } from './client-log.js';
import { openClient } from './open-client.js';

/** Finds a client's interceptors, once its options are known to be good. */
export type InterceptorsOf = () => Promise<readonly (Interceptor | InterceptorFactory)[]>;

/** Every client of one application, whichever registration it came from: opened together, closed together. */
@Injectable()
export class ApplicationClients implements OnApplicationShutdown {
  readonly #clients = new Map<string, CacheClient>();
  /** Those of clients still being made included. */
  readonly #names = new Set<string>();
  /** Tells of each client that is made, and of the failure of the start. */
  readonly #making = new EventEmitter().setMaxListeners(0);
  readonly #endings: (() => Promise<void>)[] = [];
  /** Why the start has failed. */
  #failure: { readonly reason: unknown } | undefined;

  /**
   * Makes the client `name` and opens it, see {@link openClient}. Nest calls no shutdown hook when a start fails, so one
   * client that fails it closes the others too, and the process can end.
   */
  async open(name: string, options: ValkeyOptions, interceptors: InterceptorsOf = none): Promise<CacheClient> {
    // Another client's options may have taken longer than this one's failure.
    if (this.#failure) throw this.#failure.reason;
    try {
      return await this.#open(name, options, interceptors);
    } catch (reason) {
      this.#failure ??= { reason };
      if (this.#making.listenerCount('error') > 0) this.#making.emit('error', reason);
      await this.#close();
      throw reason;
    }
  }

  /** The client `name`, as soon as it is made. Rejects when the start fails before. */
  async made(name: string): Promise<CacheClient> {
    if (this.#failure) throw this.#failure.reason;
    const made = this.#clients.get(name);
    if (made) return made;
    const [client] = (await once(this.#making, `made ${name}`)) as [CacheClient];
    return client;
  }

  /** Has `end` called before the clients are closed, for what works with one of them. */
  whenClosing(end: () => Promise<void>): void {
    this.#endings.push(end);
  }

  /** After the HTTP server has finished its last request: drains, then closes. */
  async onApplicationShutdown(): Promise<void> {
    await this.#close();
  }

  async #open(name: string, options: ValkeyOptions, interceptors: InterceptorsOf): Promise<CacheClient> {
    if (this.#names.has(name)) throw duplicate(name);
    this.#names.add(name);
    const { settings, warnings, implicitlyEmbedded } = resolveSettings({ ...options, name });
    const log = new ClientLog(settings);
    for (const warning of warnings) log.warn(warning);
    if (implicitlyEmbedded) log.embedded();
    const parts = { interceptors: await interceptors() };
    // Whoever closes the others after a failure must not miss this one.
    if (this.#failure) throw this.#failure.reason;
    const client = createClient(settings, parts);
    this.#clients.set(name, client);
    this.#making.emit(`made ${name}`, client);
    await openClient(client, settings, log);
    return client;
  }

  async #close(): Promise<void> {
    // These may have something to say to their servers yet.
    await Promise.all(this.#endings.map((end) => end()));
    await Promise.all(Array.from(this.#clients.values(), (client) => client.close()));
  }
}

/** Gives every registration of the module the same {@link ApplicationClients}. */
@Global()
@Module({ providers: [ApplicationClients], exports: [ApplicationClients] })
export class ApplicationClientsModule {}

function none(): Promise<readonly Interceptor[]> {
  return Promise.resolve([]);
}

function duplicate(name: string): ConfigurationError {
  return new ConfigurationError(
    `Two registrations of ValkeyModule call their client "${name}". Give one of them a name of its own: forRoot({ name: '…' }); to use one client in several modules, register it once.`,
    { subject: 'name' },
  );
}
