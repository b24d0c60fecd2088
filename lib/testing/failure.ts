import {
  AuthenticationError,
  ClientClosedError,
  ConnectionError,
  CrossSlotError,
  DeadlineError,
  OutcomeUnknownError,
  OutOfMemoryError,
  ReplyError,
  ServerBusyError,
  TlsError,
  ValkeyError,
  type ErrorCode,
} from '../core/errors.js';

const SIMULATED = 'Simulated by the recording driver.';

const MAKERS: Partial<Readonly<Record<ErrorCode, (command: string) => ValkeyError>>> = {
  VALKEY_AUTHENTICATION_FAILED: (subject) => new AuthenticationError(SIMULATED, { subject }),
  VALKEY_CLIENT_CLOSED: (command) => new ClientClosedError(command),
  VALKEY_CONNECTION_FAILED: (subject) => new ConnectionError(SIMULATED, { subject }),
  VALKEY_CROSS_SLOT: (command) => new CrossSlotError(command),
  VALKEY_DEADLINE_EXCEEDED: (command) => new DeadlineError(command, 0),
  VALKEY_OUTCOME_UNKNOWN: (command) => new OutcomeUnknownError(command, new ConnectionError(SIMULATED)),
  VALKEY_OUT_OF_MEMORY: (command) => new OutOfMemoryError(command),
  VALKEY_REPLY: (subject) => new ReplyError('ERR', SIMULATED, { subject }),
  VALKEY_SERVER_BUSY: (subject) => new ServerBusyError('LOADING', SIMULATED, { subject }),
  VALKEY_TLS_FAILED: (subject) => new TlsError(SIMULATED, { subject }),
};

/** An error as drivers make it, of the class that belongs to the code. */
export function failureOf(failure: ErrorCode | ValkeyError, command: string): ValkeyError {
  if (failure instanceof ValkeyError) return failure;
  return MAKERS[failure]?.(command) ?? new ValkeyError(failure, SIMULATED, { subject: command });
}
