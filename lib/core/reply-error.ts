import { AuthenticationError, CrossSlotError, OutOfMemoryError, ReplyError, ServerBusyError } from './errors.js';
import type { ValkeyError } from './errors.js';

/** Answers that prove the command was not executed and that waiting a little can help. */
const BUSY = new Set(['LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'READONLY', 'BUSY', 'NOREPLICAS']);

/** How a primary that is becoming a replica ends a blocking command; CLIENT UNBLOCK, somebody's wish, says it otherwise. */
const FORCED = 'UNBLOCKED force unblock';

const CREDENTIALS = new Set(['WRONGPASS', 'NOAUTH']);

/** The first word of a server's error: `WRONGTYPE`, `MOVED`, `ERR`. */
export function replyKind(message: string): string {
  const space = message.indexOf(' ');
  const word = space === -1 ? message : message.slice(0, space);
  return /^[A-Z][A-Z0-9_]*$/.test(word) ? word : 'ERR';
}

/**
 * The error for a server's answer to `command`. The server repeats arguments in some of its messages; those are
 * replaced, because they may hold values.
 */
export function toReplyError(message: string, command: string): ValkeyError {
  const kind = replyKind(message);
  if (kind === 'OOM') return new OutOfMemoryError(command);
  if (kind === 'CROSSSLOT') return new CrossSlotError(command);
  if (CREDENTIALS.has(kind))
    return new AuthenticationError(`The server refused ${command}: ${message}`, { subject: command });
  const text = `The server refused ${command}: ${withoutArguments(message)}`;
  if (BUSY.has(kind) || message.startsWith(FORCED)) return new ServerBusyError(kind, text, { subject: command });
  return new ReplyError(kind, text, { subject: command });
}

function withoutArguments(message: string): string {
  if (/^ERR unknown command/i.test(message)) return 'ERR unknown command';
  // A command's own name: "for 'get' command".
  if (/^[^'"]*'[\w|-]+' command[^'"]*$/.test(message)) return message;
  // In quotes stand keys, groups and values, which may hold quotes themselves: all from the first to the last is cut out.
  return message.replace(/(['"]).*['"]/s, '$1…$1');
}
