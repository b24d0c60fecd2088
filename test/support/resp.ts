/** An error reply of the server, `code` being its first word: `WRONGTYPE`, `NOAUTH`, `ERR`. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(' ', 1)[0] ?? '';
  }
}

/** What a server answers. Errors inside an array stay values, as EXEC gives them. */
export type Reply = string | number | boolean | null | ReplyError | Reply[];

/** A word of a command. */
export type Argument = string | number | Buffer;

/** A complete message found in a buffer, and where the next one begins. */
export interface Frame {
  readonly value: Reply;
  readonly end: number;
  /** True for RESP3 messages that answer no command. */
  readonly push: boolean;
}

/** A command as the bytes a client sends. */
export function encodeCommand(command: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const word of command) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/**
 * Reads one message (a request or a reply) at `at`; undefined while it is incomplete.
 *
 * @throws Error when the bytes are not RESP: a TLS record, an inline command.
 */
export function readFrame(buffer: Buffer, at = 0): Frame | undefined {
  const lineEnd = buffer.indexOf('\r\n', at);
  const type = String.fromCharCode(buffer[at] ?? 0);
  if (at < buffer.length && !'+-:$*_#,(=!%~>'.includes(type))
    throw new Error(`not RESP: a message begins with ${type}`);
  if (lineEnd < 0) return undefined;
  const line = buffer.toString('utf8', at + 1, lineEnd);
  const next = lineEnd + 2;
  const whole = (value: Reply): Frame => ({ value, end: next, push: false });
  switch (type) {
    case '+':
    case '(':
      return whole(line);
    case '-':
      return whole(new ReplyError(line));
    case ':':
    case ',':
      return whole(Number(line));
    case '_':
      return whole(null);
    case '#':
      return whole(line === 't');
    case '$':
    case '=':
    case '!':
      return readBulk(buffer, next, Number(line), type === '!');
    default:
      return readItems(buffer, next, type === '%' ? 2 * Number(line) : Number(line), type === '>');
  }
}

function readBulk(buffer: Buffer, at: number, length: number, isError: boolean): Frame | undefined {
  if (length < 0) return { value: null, end: at, push: false };
  const end = at + length + 2;
  if (buffer.length < end) return undefined;
  const text = buffer.toString('utf8', at, end - 2);
  return { value: isError ? new ReplyError(text) : text, end, push: false };
}

function readItems(buffer: Buffer, at: number, count: number, push: boolean): Frame | undefined {
  if (count < 0) return { value: null, end: at, push };
  const items: Reply[] = [];
  let end = at;
  for (let index = 0; index < count; index++) {
    const item = readFrame(buffer, end);
    if (!item) return undefined;
    items.push(item.value);
    end = item.end;
  }
  return { value: items, end, push };
}
