import { ValkeyError, type ErrorDetails } from '../errors.js';

/** Turns values into what can be stored, and back. */
export interface Codec {
  /** For errors and events: `typed-json`. */
  readonly name: string;
  /** Whether `decode` wants bytes. Default false: it is given text. */
  readonly binary?: boolean;
  /** Throws an {@link EncodeError} for what it cannot store. */
  encode(value: unknown): string | Buffer;
  /** Throws a {@link DecodeError} for what it has not written. */
  decode(data: string | Buffer): unknown;
}

/** A value cannot be stored: it holds a function, a symbol, or itself. */
export class EncodeError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_ENCODE_FAILED', message, details);
  }
}

/** What was read is not what was expected: another format, a corrupt entry, a reply of the wrong shape. */
export class DecodeError extends ValkeyError {
  constructor(message: string, details?: ErrorDetails) {
    super('VALKEY_DECODE_FAILED', message, details);
  }
}
