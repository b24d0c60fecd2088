import { serializeItem, serializeList } from 'structured-headers';
import type { Decision } from '../../features/rate-limit/decision.js';
import { resolveLimits } from '../../options/limit-options.js';
import type { Limits } from '../../options/limit-options.js';

/** What of the headers is always the same for the same limits. */
export interface HeaderForm {
  /** The value of `RateLimit-Policy`. */
  readonly policy: string;
  /** The names of the tiers as `RateLimit` has them, quoted. */
  readonly names: readonly string[];
}

/**
 * Writes what does not change, by draft-ietf-httpapi-ratelimit-headers-11. `prefix` stands before the names of the tiers,
 * where a handler has several limits.
 */
export function headerForm(limits: Limits, prefix: string, place: string): HeaderForm {
  const tiers = resolveLimits(limits, place);
  const policies = tiers.map(({ name, capacity, limit, window }) => {
    // A bucket gives its burst at once, and fills in this time: the same rate over another window.
    const seconds = (window * capacity) / limit / 1_000;
    // The draft knows whole seconds only, and windows may be left out.
    const parameters = new Map([['q', capacity], ...(Number.isInteger(seconds) ? [['w', seconds] as const] : [])]);
    return [prefix + name, parameters] as [string, Map<string, number>];
  });
  return { policy: serializeList(policies), names: tiers.map(({ name }) => serializeItem(prefix + name)) };
}

/**
 * The value of `RateLimit`; empty where nothing is known. Of a refused call no time is later than `retryAfter` seconds:
 * whoever waits for that long may try again.
 */
export function serviceLimits(form: HeaderForm, { tiers }: Decision, retryAfter: number | undefined): string {
  let value = '';
  for (const [index, { remaining, reset }] of tiers.entries()) {
    const seconds = Math.min(Math.ceil(reset / 1_000), retryAfter ?? Infinity);
    value += `${index === 0 ? '' : ', '}${form.names[index]};r=${remaining};t=${seconds}`;
  }
  return value;
}

/** Limit, what is left and seconds until it is full, of the tier that matters: who has refused, or has least left. */
export function legacyFigures({ tiers, refusedBy }: Decision): readonly [number, number, number] | undefined {
  let shown = refusedBy;
  if (!shown) for (const tier of tiers) if (!shown || tier.remaining < shown.remaining) shown = tier;
  return shown && [shown.limit, shown.remaining, Math.ceil(shown.reset / 1_000)];
}

/** Whole seconds, and never less than it takes; `undefined` for never. */
export function retrySeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.max(1, Math.ceil(milliseconds / 1_000));
}
