import { Global, Injectable, Module } from '@nestjs/common';
import { ConfigurationError } from '../../core/errors.js';
import { checkTenantOptions } from './tenant-options.js';
import type { TenantModuleOptions } from './tenant-options.js';

/** How one application finds the tenant of a request, whichever registration says it. */
@Injectable()
export class ApplicationTenancy {
  #source: { readonly client: string; readonly options: TenantModuleOptions } | undefined;

  /**
   * Takes the options of a client's registration.
   *
   * @throws ConfigurationError for what is wrong with them, and when another client's has said it
   */
  prepare(client: string, options: TenantModuleOptions | undefined): void {
    if (options === undefined) return;
    checkTenantOptions(options);
    if (this.#source) throw twice(client);
    this.#source = { client, options };
  }

  /** What this client's registration says. */
  optionsOf(client: string): TenantModuleOptions | undefined {
    return this.#source?.client === client ? this.#source.options : undefined;
  }
}

/** Gives every registration of the module the same {@link ApplicationTenancy}. */
@Global()
@Module({ providers: [ApplicationTenancy], exports: [ApplicationTenancy] })
export class ApplicationTenancyModule {}

function twice(client: string): ConfigurationError {
  return new ConfigurationError(
    `tenant of the client "${client}" says again how tenants are found: leave it out of one of the registrations. It holds for the whole application.`,
    { subject: 'tenant' },
  );
}
