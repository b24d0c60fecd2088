import { BadRequestException } from '@nestjs/common';
import type { CallHandler, ExecutionContext, FactoryProvider, NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Observable } from 'rxjs';
import { runAsTenant } from '../../client/tenancy/current-tenant.js';
import { checkedTenant } from '../../client/tenancy/tenant.js';
import { ArgumentError } from '../../core/errors.js';
import type { HandlerKind } from '../handlers.js';
import { requestOf } from '../rate-limit/request.js';
import { clientToken } from '../tokens.js';
import { ApplicationTenancy } from './application-tenancy.js';
import type { TenantModuleOptions, TenantRequest } from './tenant-options.js';

/** Runs handlers, and the interceptors and pipes before them, for the tenant of the request. */
export class TenantInterceptor implements NestInterceptor {
  readonly #options: TenantModuleOptions;

  constructor(options: TenantModuleOptions) {
    this.#options = options;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const id = this.#find(context);
    if (id === undefined) return next.handle();
    // Handlers run when somebody subscribes, which is later.
    return new Observable((subscriber) => runAsTenant(id, () => next.handle().subscribe(subscriber)));
  }

  #find(context: ExecutionContext): string | undefined {
    const kind = context.getType<HandlerKind>();
    const { seen } = requestOf(context, kind, undefined);
    const id: unknown = this.#options.from(seen as TenantRequest, context);
    if (id !== undefined && id !== null && typeof id !== 'string') throw wrongType(id);
    if (typeof id === 'string' && id !== '') return refusing(kind, () => checkedTenant(id));
    return this.#options.required ? refusing(kind, required) : undefined;
  }
}

/** What is wrong with a request is the sender's fault, where Nest knows how to say so. */
function refusing<T>(kind: HandlerKind, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (kind !== 'http' && kind !== 'graphql') throw cause;
    throw new BadRequestException((cause as Error).message, { cause });
  }
}

function required(): never {
  throw new ArgumentError('This request names no tenant, and each has to.', { subject: 'tenant' });
}

function wrongType(id: unknown): ArgumentError {
  return new ArgumentError(
    `from() of the option tenant gave a value of type ${typeof id}: it must be the id as text, or undefined.`,
    { subject: 'tenant' },
  );
}

/** The interceptor of a client's registration; none where it does not say how tenants are found. */
export function tenantInterceptor(client: string): FactoryProvider<TenantInterceptor | undefined> {
  return {
    provide: APP_INTERCEPTOR,
    // Once there is the client, its registration is known.
    inject: [ApplicationTenancy, clientToken(client)],
    useFactory: (tenancy: ApplicationTenancy): TenantInterceptor | undefined => {
      const options = tenancy.optionsOf(client);
      return options && new TenantInterceptor(options);
    },
  };
}
