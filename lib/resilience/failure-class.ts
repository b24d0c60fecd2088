import type { ErrorCode, ValkeyError } from '../core/errors.js';

/**
 * What a failure says about the command, and so what may be done about it:
 * - `not-executed`: it certainly had no effect (no connection, server loading): any command may be tried again;
 * - `unknown`: it may have had one: only what is safe to repeat is;
 * - `refused`: trying again now cannot help, and the fault is the connection's (credentials, certificate);
 * - `answered`: the server is well and said no: nothing to repeat, nothing for a breaker to count.
 */
export type FailureClass = 'not-executed' | 'unknown' | 'refused' | 'answered';

const CLASSES: Partial<Readonly<Record<ErrorCode, FailureClass>>> = {
  VALKEY_CONNECTION_FAILED: 'not-executed',
  VALKEY_SERVER_BUSY: 'not-executed',
  VALKEY_OUTCOME_UNKNOWN: 'unknown',
  VALKEY_DEADLINE_EXCEEDED: 'refused',
  VALKEY_TOO_MANY_REDIRECTIONS: 'not-executed',
  VALKEY_AUTHENTICATION_FAILED: 'refused',
  VALKEY_TLS_FAILED: 'refused',
};

/** @returns what `error` says about the command it ended */
export function classify(error: ValkeyError): FailureClass {
  return CLASSES[error.code] ?? 'answered';
}
