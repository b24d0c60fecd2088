import { ReplyError, ValkeyError } from '../../core/errors.js';
import { toReplyError } from '../../core/reply-error.js';

/** What a server would answer with a minus sign, word by word. On the way out it becomes a {@link ValkeyError}. */
export class Refusal extends Error {}

/** A refusal in the server's own words; `kind` is their first one. */
export function refusal(text: string, kind = 'ERR'): Refusal {
  return new Refusal(`${kind} ${text}`);
}

/** The error of `command` as the caller sees it, the same as with a server. */
export function toValkeyError(error: unknown, command: string): ValkeyError {
  if (error instanceof ValkeyError) return error;
  if (error instanceof Refusal) return toReplyError(error.message, command);
  return new ReplyError('ERR', `${command} failed in the embedded driver. See the cause.`, {
    cause: error,
    subject: command,
  });
}

/** The store could not hold it, whatever else it gave up. */
export const outOfMemory = (): Refusal => refusal('a value may not be larger than maxBytes', 'OOM');

export const wrongType = (): Refusal => refusal('Operation against a key holding the wrong kind of value', 'WRONGTYPE');
export const syntaxError = (): Refusal => refusal('syntax error');
export const notAnInteger = (): Refusal => refusal('value is not an integer or out of range');
export const notAFloat = (): Refusal => refusal('value is not a valid float');
export const noSuchKey = (): Refusal => refusal('no such key');
export const outOfRange = (): Refusal => refusal('value is out of range');
export const mustBePositive = (): Refusal => refusal('value is out of range, must be positive');
export const tooLong = (): Refusal => refusal('string exceeds maximum allowed size (proto-max-bulk-len)');
export const wrongArity = (name: string): Refusal =>
  refusal(`wrong number of arguments for '${name.toLowerCase()}' command`);
export const invalidExpiry = (name: string): Refusal =>
  refusal(`invalid expire time in '${name.toLowerCase()}' command`);
