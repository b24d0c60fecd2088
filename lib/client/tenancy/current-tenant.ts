import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError } from '../../core/errors.js';
import { checkedTenant } from './tenant.js';

const current = new AsyncLocalStorage<string>();

/** The id of the tenant this code works for: that of the request, or of {@link runAsTenant}; `undefined` for none. */
export function currentTenant(): string | undefined {
  return current.getStore();
}

/**
 * Runs `work`, and everything it awaits, for a tenant. Inside of it `client.forTenant()` is that tenant's.
 *
 * @example
 * ```ts
 * for (const id of tenants) await runAsTenant(id, () => reports.send());
 * ```
 *
 * @throws ArgumentError for what is no id
 */
export function runAsTenant<T>(id: string, work: () => T): T {
  return current.run(checkedTenant(id), work);
}

/**
 * The tenant this code works for.
 *
 * @throws ArgumentError when there is none
 */
export function requireTenant(): string {
  const id = currentTenant();
  if (id !== undefined) return id;
  throw new ArgumentError(
    'There is no current tenant. Name one, run inside of runAsTenant(id, …), or let the module find it: ValkeyModule.forRoot({ tenant: { from } }).',
    { subject: 'tenant' },
  );
}
