import { isValkeyError } from '../../core/errors.js';

/** Milliseconds; doubled with each attempt up to the cap. */
const FIRST = 50;
const CAP = 5_000;
/** After refused credentials: hammering does not help, and many servers count it as an attack. */
const REFUSED = 30_000;

/**
 * How long to wait before attempt number `attempt` (from 1): full jitter over an exponential range, so that many
 * clients of a server that comes back do not all knock at once.
 */
export function reconnectDelay(attempt: number, reason: unknown, random: () => number = Math.random): number {
  if (isValkeyError(reason, 'VALKEY_AUTHENTICATION_FAILED')) return REFUSED * (0.5 + random() / 2);
  return 1 + random() * Math.min(CAP, FIRST * 2 ** Math.min(attempt - 1, 16));
}
