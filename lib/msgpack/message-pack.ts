import { decode, decodeTimestampExtension, encode, encodeTimestampExtension, ExtData } from '@msgpack/msgpack';
import { DecodeError } from '../core/codec/codec.js';
import type { Codec } from '../core/codec/codec.js';
import { mark, toEncodeError } from '../core/codec/marks.js';
import type { Marks } from '../core/codec/marks.js';

const NAME = 'msgpack';

/** What the format's own extension type for points in time is. */
const TIMESTAMP = -1;
/** Our extension types. Stored data depends on them: add, never change. */
const UNDEFINED = 1;
const MINUS_ZERO = 2;
const BIGINT = 3;
const INVALID_DATE = 4;
const BUFFER = 5;
const BYTES = 6;
const MAP = 7;
const SET = 8;
/** An object with keys that a map of the format cannot have, as its keys and values in turn. */
const OBJECT = 9;
/** Text that is not well-formed, in UTF-16. */
const TEXT = 10;

const NOTHING = new Uint8Array(0);
/** Half a character, which UTF-8 cannot write. */
const HALF = /\p{Surrogate}/u;

/** Deeper than this, the quick look gives up and leaves it to the thorough one, which also sees cycles. */
const QUICK_DEPTH = 100;

const EXTENSIONS = {
  tryToEncode: (value: unknown): ExtData | null => (value instanceof ExtData ? value : null),
  decode: restore,
};

const CODEC: Codec = {
  name: NAME,
  binary: true,

  encode(value) {
    try {
      return toBuffer(write(needsMarks(value, 0) ? mark(value, MARKS) : value));
    } catch (error) {
      throw toEncodeError(error);
    }
  },

  decode(data) {
    if (typeof data === 'string') {
      throw new DecodeError(`The stored value was read as text: it was not written by ${NAME}.`);
    }
    try {
      return read(data);
    } catch (error) {
      // Not passed on as a cause: what is wrong with the data may quote it.
      throw error instanceof DecodeError ? error : corrupt();
    }
  },
};

/**
 * MessagePack that gives back what it was given, as typed JSON does and with the same rules for class instances; smaller
 * and not readable in `valkey-cli`. Plain data can be read by any MessagePack library, dates too; what the format has no
 * words for (undefined, BigInt, Map, Set, Buffer, Uint8Array, -0) is written in extension types 1 to 10.
 *
 * @example
 * ```ts
 * ValkeyModule.forRoot({ cache: { codec: messagePack() } });
 * ```
 */
export function messagePack(): Codec {
  return CODEC;
}

function write(value: unknown): Uint8Array {
  return encode(value, { extensionCodec: EXTENSIONS, maxDepth: Infinity });
}

function read(data: Uint8Array): unknown {
  // No list is longer than the data: damaged data could announce one that fills the memory.
  return decode(data, { extensionCodec: EXTENSIONS, maxArrayLength: data.length, maxMapLength: data.length });
}

/** Whether there is anything in it that the format would change. Errs towards yes. */
function needsMarks(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'boolean':
      return false;
    case 'string':
      return HALF.test(value);
    case 'number':
      return Object.is(value, -0);
    case 'object':
      return value !== null && objectNeedsMarks(value, depth);
    default:
      return true;
  }
}

function objectNeedsMarks(value: object, depth: number): boolean {
  if (depth > QUICK_DEPTH) return true;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (needsMarks(value[index], depth + 1)) return true;
    }
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return true;
  // Inherited names only make it err towards yes.
  for (const name in value) {
    if (!isPlainKey(name) || needsMarks((value as Record<string, unknown>)[name], depth + 1)) return true;
  }
  return 'toJSON' in value;
}

function isPlainKey(key: string): boolean {
  return key !== '__proto__' && !HALF.test(key);
}

const MARKS: Marks = {
  text: (value) => (HALF.test(value) ? new ExtData(TEXT, Buffer.from(value, 'utf16le')) : value),
  number: (value) => (Object.is(value, -0) ? new ExtData(MINUS_ZERO, NOTHING) : value),
  bigint: (value) => new ExtData(BIGINT, Buffer.from(String(value))),
  undefined: () => new ExtData(UNDEFINED, NOTHING),
  date: (value) =>
    Number.isNaN(value.getTime())
      ? new ExtData(INVALID_DATE, NOTHING)
      : // A date of another realm is no Date to the library.
        new ExtData(TIMESTAMP, encodeTimestampExtension(new Date(value)) as Uint8Array),
  bytes: (value) => new ExtData(Buffer.isBuffer(value) ? BUFFER : BYTES, value),
  map: (entries) => new ExtData(MAP, write(entries.flat(1))),
  set: (items) => new ExtData(SET, write(items)),
  object: (entries) =>
    entries.every(([key]) => isPlainKey(key))
      ? Object.fromEntries(entries)
      : new ExtData(OBJECT, write(entries.flatMap(([key, item]) => [MARKS.text(key), item]))),
};

function restore(data: Uint8Array, type: number): unknown {
  switch (type) {
    case TIMESTAMP:
      return restoreDate(data);
    case UNDEFINED:
      return undefined;
    case MINUS_ZERO:
      return -0;
    case BIGINT:
      return restoreBigInt(Buffer.from(data).toString('latin1'));
    case INVALID_DATE:
      return new Date(Number.NaN);
    // Copies, all of them: the data may be read again, and whoever gets bytes may change them.
    case BUFFER:
      return Buffer.from(data);
    case BYTES:
      return Uint8Array.from(data);
    case MAP:
      return new Map(pairs(read(data)));
    case SET:
      return new Set(list(read(data)));
    case OBJECT:
      return restoreObject(pairs(read(data)));
    case TEXT:
      return Buffer.from(data).toString('utf16le');
    default:
      throw new DecodeError(
        `The stored data holds an extension type that ${NAME} does not know: it is corrupt, or of a newer version.`,
      );
  }
}

function restoreDate(data: Uint8Array): Date {
  const date = decodeTimestampExtension(data);
  return Number.isNaN(date.getTime()) ? fail() : date;
}

function restoreBigInt(text: string): bigint {
  return /^-?\d+$/.test(text) ? BigInt(text) : fail();
}

function restoreObject(entries: readonly (readonly [unknown, unknown])[]): unknown {
  // fromEntries defines its properties, so that __proto__ is a key like any other.
  return Object.fromEntries(entries.map(([key, item]) => [typeof key === 'string' ? key : fail(), item]));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : fail();
}

function pairs(value: unknown): readonly (readonly [unknown, unknown])[] {
  const items = list(value);
  if (items.length % 2 === 1) fail();
  return Array.from({ length: items.length / 2 }, (_, index) => [items[index * 2], items[index * 2 + 1]]);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(): DecodeError {
  return new DecodeError(`The stored data is not MessagePack: it is corrupt, or was not written by ${NAME}.`);
}

function fail(): never {
  throw corrupt();
}
