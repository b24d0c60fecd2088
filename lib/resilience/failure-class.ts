import { DeadlineError } from '../core/errors.js';
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

/** Whether a connection broke, or could not be opened; a silent one is another matter. */
export function isBroken({ code, cause }: ValkeyError): boolean {
  if (code === 'VALKEY_OUTCOME_UNKNOWN') return !(cause instanceof DeadlineError);
  return code === 'VALKEY_CONNECTION_FAILED';
}

/** Whether a connection that is open again mends what `error` tells about. */
export function isConnectionFailure(error: ValkeyError): boolean {
  return isBroken(error) || error.code === 'VALKEY_AUTHENTICATION_FAILED' || error.code === 'VALKEY_TLS_FAILED';
}
