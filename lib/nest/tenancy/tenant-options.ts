import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import { checkEach, checkGiven, checkObject } from '../../options/checks.js';
import type { Checks } from '../../options/checks.js';
import { Problems } from '../../options/problem.js';
import { isAFunction, isFlag } from '../cache/decorator-checks.js';

/**
 * What tenants are usually found by in a request, on Express and on Fastify. Write your own type in its place where yours has
 * more: `from: (request: MyRequest) => …`.
 */
export interface TenantRequest {
  readonly headers: IncomingHttpHeaders;
  readonly hostname: string;
  readonly params: Readonly<Record<string, string>>;
  /** What your guards have put there. */
  readonly user: { readonly tenantId?: string } | undefined;
}

/** How the tenant of a request is found. */
export interface TenantModuleOptions {
  /**
   * The id of the tenant, from the request (GraphQL: the HTTP request behind it; WebSocket: the client; RPC: the payload);
   * `undefined` or `''` for none. Called after the guards, so that they have proved it. No default.
   */
  from(request: TenantRequest, context: ExecutionContext): string | undefined;
  /** Refuses requests without a tenant, all routes included: HTTP with 400. Default: `false`. */
  readonly required?: boolean;
}

const CHECKS: Checks<TenantModuleOptions> = { from: isAFunction, required: isFlag };

/**
 * Checks `tenant` of the module.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkTenantOptions(options: TenantModuleOptions): void {
  const problems = new Problems('The options of tenant are wrong:');
  if (checkObject(options, Object.keys(CHECKS), 'tenant', problems)) {
    checkGiven(options, ['from'], 'tenant', problems);
    checkEach(options, CHECKS, 'tenant', problems);
  }
  problems.throwIfAny();
}
