import { AuthenticationError, ConnectionError, TlsError, ValkeyError } from '../../core/errors.js';
import { toReplyError } from '../../core/reply-error.js';

/** Says in our words why a connection could not be opened. `where` is an address. */
export function toConnectError(error: unknown, where: string): ValkeyError {
  if (error instanceof ValkeyError) return error;
  const details = { cause: withoutCommand(error), subject: where };
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  if (/^(WRONGPASS|NOAUTH)\b|invalid password|without any password configured|no password is set/i.test(message)) {
    return new AuthenticationError(
      `The server at ${where} refused the credentials (${message}). Check username and password; the next attempt is made in about half a minute.`,
      details,
    );
  }
  if (isTlsCode(code, message)) {
    return new TlsError(
      `TLS with ${where} failed (${code ?? message}). Check tls.ca, the certificate's name and end date, and that the server speaks TLS on this port.`,
      details,
    );
  }
  if (error instanceof Error && error.name === 'ReplyError') return toReplyError(message, 'the connection');
  return new ConnectionError(
    `There is no connection to ${where} (${code ?? message}). Check the address, the network and that the server runs.`,
    details,
  );
}

function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

function isTlsCode(code: string | undefined, message: string): boolean {
  if (code === undefined) return /\b(SSL|TLS|certificate)\b/i.test(message);
  return /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_OSSL|EPROTO)/.test(code);
}

/** iovalkey hangs the command with its arguments on the errors it passes on; an argument can be a secret. */
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}
