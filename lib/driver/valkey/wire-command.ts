import type { Reply } from '../driver.js';

/** An argument list that is longer than this in characters is written as bytes, not as one string. */
const LONGEST_TEXT = 1 << 24;

/** Bytes one argument may have at the most: the servers' own limit (proto-max-bulk-len) where nobody changed it. */
export const LARGEST = 512 * 2 ** 20;

/** Whether one of `args` is more than a server takes. */
export function isTooLarge(args: readonly (string | Buffer)[]): boolean {
  // A character makes at most three bytes, so hardly any text has to be measured.
  for (const arg of args) if (arg.length > LARGEST / 3 && Buffer.byteLength(arg) > LARGEST) return true;
  return false;
}

/** Who hears how a command on the wire ended. */
export interface WireListener {
  /** Raw answer: bytes for text, digits for integers (see {@link readReply}). */
  onReply(reply: unknown): void;
  /** The server's error, or the loss of the connection. */
  onError(error: Error): void;
}

/**
 * The least that iovalkey's `sendCommand` needs of a command: no promise, no copy of the arguments, no closures. It
 * writes itself and passes the raw reply on.
 */
export class WireCommand {
  /** Lower case: iovalkey looks names up in its tables. */
  readonly name: string;
  readonly args: readonly (string | Buffer)[];
  /** iovalkey returns it from `sendCommand`; nobody waits for it. */
  readonly promise = undefined;
  readonly #listener: WireListener;
  readonly #onAnswered: () => void;

  constructor(name: string, args: readonly (string | Buffer)[], listener: WireListener, onAnswered: () => void) {
    this.name = name;
    this.args = args;
    this.#listener = listener;
    this.#onAnswered = onAnswered;
  }

  resolve(reply: unknown): void {
    this.#onAnswered();
    this.#listener.onReply(reply);
  }

  reject(error: Error): void {
    this.#onAnswered();
    this.#listener.onError(error);
  }

  toWritable(): string | Buffer {
    const { name, args } = this;
    let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`;
    for (let index = 0; index < args.length; index += 1) {
      const arg = args[index] as string | Buffer;
      if (typeof arg !== 'string' || text.length + arg.length > LONGEST_TEXT) return this.#toBytes(text, index);
      text += header(Buffer.byteLength(arg)) + arg + '\r\n';
    }
    return text;
  }

  #toBytes(head: string, from: number): Buffer {
    const parts: Buffer[] = [Buffer.from(head)];
    for (let index = from; index < this.args.length; index += 1) {
      const arg = this.args[index] as string | Buffer;
      const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
      parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
    }
    return Buffer.concat(parts);
  }
}

const CRLF = Buffer.from('\r\n');

/** How the lengths of nearly all arguments are written, ready-made: a merged read has hundreds of them. */
const HEADERS: readonly string[] = Array.from({ length: 512 }, (_, length) => `$${length}\r\n`);

function header(length: number): string {
  return HEADERS[length] ?? `$${length}\r\n`;
}

/**
 * The parser gives bytes for every kind of text and, with `stringNumbers`, digits for integers: so no integer is
 * rounded, and text that looks like a number stays text. Errors inside an array stay where they are.
 */
export function readReply(raw: unknown, binary: boolean, toError: (error: Error) => Error): Reply {
  if (raw === null || raw === undefined) return null;
  if (Buffer.isBuffer(raw)) return binary ? raw : raw.toString();
  if (typeof raw === 'string') return readInteger(raw);
  if (Array.isArray(raw)) return readReplies(raw, binary, toError);
  if (raw instanceof Error) return toError(raw) as Reply;
  return typeof raw === 'number' ? raw : null;
}

/** In the parser's own array: nobody else has it. */
function readReplies(raw: unknown[], binary: boolean, toError: (error: Error) => Error): Reply[] {
  for (let index = 0; index < raw.length; index += 1) raw[index] = readReply(raw[index], binary, toError);
  return raw as Reply[];
}

function readInteger(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}
