/**
 * Every code an error of this library can carry. A code is stable: it changes with a major version only, and each
 * one stands in `docs/errors.md` with its cause and its cure.
 */
export type ErrorCode =
  | 'VALKEY_ABORTED'
  | 'VALKEY_ARGUMENT_INVALID'
  | 'VALKEY_AUTHENTICATION_FAILED'
  | 'VALKEY_CACHE_MISS'
  | 'VALKEY_CIRCUIT_OPEN'
  | 'VALKEY_CLIENT_CLOSED'
  | 'VALKEY_CONFIGURATION_INVALID'
  | 'VALKEY_CONNECTION_FAILED'
  | 'VALKEY_CROSS_SLOT'
  | 'VALKEY_DEADLINE_EXCEEDED'
  | 'VALKEY_DECODE_FAILED'
  | 'VALKEY_ENCODE_FAILED'
  | 'VALKEY_IDEMPOTENCY_IN_PROGRESS'
  | 'VALKEY_IDEMPOTENCY_KEY_REUSED'
  | 'VALKEY_IDEMPOTENCY_NOT_REPLAYABLE'
  | 'VALKEY_IDEMPOTENCY_UNAVAILABLE'
  | 'VALKEY_LOAD_TIMEOUT'
  | 'VALKEY_LOCK_LOST'
  | 'VALKEY_LOCK_NOT_ACQUIRED'
  | 'VALKEY_OUTCOME_UNKNOWN'
  | 'VALKEY_OUT_OF_MEMORY'
  | 'VALKEY_PIPELINE_FAILED'
  | 'VALKEY_QUEUE_FULL'
  | 'VALKEY_RATE_LIMITED'
  | 'VALKEY_RATE_LIMIT_UNAVAILABLE'
  | 'VALKEY_REPLY'
  | 'VALKEY_SERVER_BUSY'
  | 'VALKEY_SUBSCRIPTION_OVERFLOW'
  | 'VALKEY_TLS_FAILED'
  | 'VALKEY_TOO_MANY_REDIRECTIONS'
  | 'VALKEY_TRANSACTION_CONFLICT'
  | 'VALKEY_TRANSACTION_FAILED'
  | 'VALKEY_UNKNOWN_DRIVER'
  | 'VALKEY_UNSUPPORTED'
  | 'VALKEY_VALUE_TOO_LARGE';

/** What an error may carry beside its message. */
export interface ErrorDetails {
  /** The error that led to this one. Default: none. */
  readonly cause?: unknown;
  /** What it happened to: a command name, an option path, an address. Never a key, a value or a secret. Default: none. */
  readonly subject?: string;
}

/**
 * The base of every error this library throws. The message says what happened, to what, and what to do about it; it
 * never holds a value, a key's content or a password.
 *
 * @example
 * ```ts
 * try {
 *   await client.incr('visits');
 * } catch (error) {
 *   if (isValkeyError(error, 'VALKEY_OUTCOME_UNKNOWN')) recount();
 * }
 * ```
 */
export class ValkeyError extends Error {
  /** The stable code, see {@link ErrorCode}. */
  readonly code: ErrorCode;
  /** What it happened to: a command name, an option path, an address. */
  readonly subject: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.subject = details.subject;
  }
}

/** Whether `error` is one of ours, and of this `code` when one is given. */
export function isValkeyError(error: unknown, code?: ErrorCode): error is ValkeyError {
  return error instanceof ValkeyError && (code === undefined || error.code === code);
}

/** The code of an error for an event; `undefined` for one that is not ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return isValkeyError(error) ? error.code : undefined;
}

/** An option or an environment variable is wrong; thrown at start. */
export class ConfigurationError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_CONFIGURATION_INVALID', message, details);
  }
}

/** A method was called with something it cannot take; nothing was sent. */
export class ArgumentError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_ARGUMENT_INVALID', message, details);
  }
}

/** `getOrThrow` found nothing under the key. */
export class CacheMissError extends ValkeyError {
  constructor() {
    super('VALKEY_CACHE_MISS', 'The key does not exist. Use get() if a missing key is not an error.', {
      subject: 'GET',
    });
  }
}

/** There was no usable connection; the command was certainly not executed. */
export class ConnectionError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_CONNECTION_FAILED', message, details);
  }
}

/** The server refused the credentials. Reconnecting slows down until they change. */
export class AuthenticationError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_AUTHENTICATION_FAILED', message, details);
  }
}

/** The TLS handshake failed: wrong, expired or untrusted certificate, or a plain-text server. */
export class TlsError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_TLS_FAILED', message, details);
  }
}

/** The command was written and its reply never came: it may or may not have been executed. */
export class OutcomeUnknownError extends ValkeyError {
  constructor(command: string, cause?: unknown) {
    super(
      'VALKEY_OUTCOME_UNKNOWN',
      `${command} was sent, but its reply was lost: it may or may not have been applied. ` +
        'It was not repeated because a second execution could do harm. Read the state back before you try again.',
      { subject: command, cause },
    );
  }
}

/**
 * The deadline of a command or scope passed; the command changed nothing, or is safe to repeat. Or that of a resilient
 * method, which may go on unheard.
 */
export class DeadlineError extends ValkeyError {
  constructor(
    command: string,
    timeout: number,
    cause?: unknown,
    cure = "Raise resilience.timeout or with({ timeout }), or look at the server's latency.",
  ) {
    super('VALKEY_DEADLINE_EXCEEDED', `${command} had no answer within ${timeout} ms. ${reasonIn(cause)}${cure}`, {
      subject: command,
      cause,
    });
  }
}

/** A loader of a cache took longer than its `hardTimeout`, and no stale value could stand in. */
export class LoadTimeoutError extends ValkeyError {
  constructor(cache: string, timeout: number) {
    super(
      'VALKEY_LOAD_TIMEOUT',
      `A loader of the cache "${cache}" took longer than ${timeout} ms. Raise hardTimeout, make the loader faster, or let staleFor bridge the gap.`,
      { subject: cache },
    );
  }
}

/** Somebody is doing this work right now, under the same idempotency key. */
export class IdempotencyInProgressError extends ValkeyError {
  /** Milliseconds after which asking again makes sense. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super(
      'VALKEY_IDEMPOTENCY_IN_PROGRESS',
      `A call with this idempotency key is still under way. Try again in ${retryAfter} ms with the same key.`,
      { subject: 'idempotency' },
    );
    this.retryAfter = retryAfter;
  }
}

/** An idempotency key was used before, for something else. */
export class IdempotencyKeyReusedError extends ValkeyError {
  constructor() {
    super(
      'VALKEY_IDEMPOTENCY_KEY_REUSED',
      'This idempotency key was used for another request. Make a new key for each new piece of work, and repeat a request unchanged.',
      { subject: 'idempotency' },
    );
  }
}

/** The work is done, but its result is not there: it was larger than `maxBytes`, could not be encoded, or cannot be read. */
export class IdempotencyNotReplayableError extends ValkeyError {
  constructor(cause?: unknown) {
    super(
      'VALKEY_IDEMPOTENCY_NOT_REPLAYABLE',
      `This work was done before, but its result is not there: it was larger than maxBytes, could not be encoded, or cannot be read. ${reasonIn(cause)}It is not done again. Read the result where the work has left it, or raise maxBytes.`,
      { subject: 'idempotency', cause },
    );
  }
}

/** The store did not answer, so nobody can tell whether this work was done before; it was not done now. */
export class IdempotencyUnavailableError extends ValkeyError {
  constructor(cause: unknown) {
    super(
      'VALKEY_IDEMPOTENCY_UNAVAILABLE',
      `The store of the idempotency keys did not answer, and onStoreDown is 'refuse': the work was not done. ${reasonIn(cause)}Try again later with the same key.`,
      { subject: 'idempotency', cause },
    );
  }
}

/** A lock was held by somebody else for as long as was waited for it. */
export class LockNotAcquiredError extends ValkeyError {
  /** How long was waited, in milliseconds. */
  readonly waited: number;

  constructor(waited: number) {
    super(
      'VALKEY_LOCK_NOT_ACQUIRED',
      `The lock was held by somebody else for the ${waited} ms it was waited for. Raise wait, do less while holding it, or try again later.`,
      { subject: 'lock' },
    );
    this.waited = waited;
  }
}

/** A lock is not ours any more: it ran out, or was deleted. What was done since may collide with the work of others. */
export class LockLostError extends ValkeyError {
  constructor(reason: string, cause?: unknown) {
    super(
      'VALKEY_LOCK_LOST',
      `The lock was lost while it was held: ${reason}. ${reasonIn(cause)}Stop the work when the lock's signal fires, and let the resource refuse an old fencing token.`,
      { subject: 'lock', cause },
    );
  }
}

/** What a {@link RateLimitExceededError} says of the tier that refused. */
export interface ExceededTier {
  readonly name: string;
  /** The most it admits at once. */
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}

/** A rate limit refused the call; it was not counted. */
export class RateLimitExceededError extends ValkeyError {
  /** Milliseconds after which the call would be admitted; `undefined` for never: it costs more than the limit. */
  readonly retryAfter: number | undefined;
  /** The tier that refused. */
  readonly tier: ExceededTier | undefined;

  constructor(limit: string, retryAfter: number | undefined, tier?: ExceededTier) {
    const named = tier ? ` (tier "${tier.name}": ${tier.limit} in ${tier.window} ms)` : '';
    const cure =
      retryAfter === undefined
        ? 'The call costs more than the limit ever admits: lower its cost, or raise limit or burst.'
        : `Try again in ${retryAfter} ms.`;
    super('VALKEY_RATE_LIMITED', `The rate limit "${limit}" refused the call${named}. ${cure}`, { subject: limit });
    this.retryAfter = retryAfter;
    this.tier = tier;
  }
}

/** The store did not answer, and the rate limiter admits nothing without it: `onStoreDown` is `'closed'`. */
export class RateLimitUnavailableError extends ValkeyError {
  constructor(limit: string, cause: unknown) {
    super(
      'VALKEY_RATE_LIMIT_UNAVAILABLE',
      `The rate limit "${limit}" could not be asked, and onStoreDown is 'closed': the call is refused. ${reasonIn(cause)}Take onStoreDown: 'local' to go on with limits in each process.`,
      { subject: limit, cause },
    );
  }
}

/** The client was closed; nothing more can be sent through it. */
export class ClientClosedError extends ValkeyError {
  constructor(subject?: string) {
    super(
      'VALKEY_CLIENT_CLOSED',
      'The client is closed. Do not use it after the application has begun to shut down.',
      subject === undefined ? {} : { subject },
    );
  }
}

/** The server answered with an error: wrong type, unknown command, missing permission, script error. */
export class ReplyError extends ValkeyError {
  /** First word of the server's answer: `WRONGTYPE`, `NOPERM`, `ERR`. */
  readonly kind: string;

  constructor(kind: string, message: string, details?: ErrorDetails, code: ErrorCode = 'VALKEY_REPLY') {
    super(code, message, details);
    this.kind = kind;
  }
}

/** The server is over its memory limit and refused a write; reads go on. */
export class OutOfMemoryError extends ReplyError {
  constructor(command: string) {
    super(
      'OOM',
      `The server refused ${command}: it is over its memory limit. Raise maxmemory, set an eviction policy, or shorten time to live.`,
      { subject: command },
      'VALKEY_OUT_OF_MEMORY',
    );
  }
}

/** The server is loading, failing over, or otherwise not ready yet; the command was certainly not executed. */
export class ServerBusyError extends ReplyError {
  constructor(kind: string, message: string, details?: ErrorDetails) {
    super(kind, message, details, 'VALKEY_SERVER_BUSY');
  }
}

/** The keys of one atomic command or transaction live in different hash slots. */
export class CrossSlotError extends ValkeyError {
  constructor(command: string) {
    super(
      'VALKEY_CROSS_SLOT',
      `The keys of ${command} are in different hash slots, and a cluster can run it on one slot only. ` +
        'Give the keys a common hash tag, such as {user:1}:name and {user:1}:mail.',
      { subject: command },
    );
  }
}

/** The client or this driver cannot do it; the message says why and what can be used instead. */
export class UnsupportedError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_UNSUPPORTED', message, details);
  }
}

/** Our own errors hold no value and no secret, so what they say can be passed on. */
function reasonIn(cause: unknown): string {
  return cause instanceof ValkeyError ? `Before that: ${cause.message} ` : '';
}
