import type { ValkeyError } from '../core/errors.js';

/** One argument as it goes over the wire: text is sent as UTF-8. */
export type Argument = string | Buffer;

/**
 * A server's answer in the one form all drivers share, the shape RESP2 gives it: integers beyond 2^53 are `bigint`,
 * smaller ones `number`; text is a `string`, or a `Buffer` for an operation that asked for bytes; an error inside an
 * array (a command of a transaction) is a {@link ValkeyError}.
 */
export type Reply = null | string | number | bigint | Buffer | ValkeyError | readonly Reply[];
