import { types } from 'node:util';
import { DecodeError, EncodeError, type Codec } from './codec.js';

/**
 * The format. What JSON can say is said in JSON, to the letter. What it cannot is an object with one key that begins
 * with the mark: `{"@@date":"2026-01-01T00:00:00.000Z"}`. A key of the caller's that begins with the mark itself is
 * written with `@@=` before it, so the two cannot be confused.
 */
const MARK = '@@';
const ESCAPE = '@@=';
/** In JSON text, the mark can only begin a key or a string right after a quote. */
const MARK_IN_TEXT = `"${MARK}`;

/** Deeper than this, the quick look gives up and leaves it to the thorough one, which also sees cycles. */
const QUICK_DEPTH = 100;

const NAME = 'typed-json';

/**
 * JSON that gives back what it was given: Date, BigInt, Map, Set, Buffer, Uint8Array, undefined, NaN, the infinities
 * and -0 survive, at any depth. Text that looks like a date stays text. Objects with `toJSON` and class instances
 * become what JSON makes of them. Functions and symbols are refused instead of dropped.
 */
export const typedJson: Codec = {
  name: NAME,

  encode(value) {
    try {
      if (!needsMarks(value, 0)) {
        const text = JSON.stringify(value);
        // Only now: a key that begins with the mark is easier found in the text than looked for in every object.
        if (!text.includes(MARK_IN_TEXT)) return text;
      }
      return JSON.stringify(mark(value, '', 'value', new Set()));
    } catch (error) {
      throw error instanceof EncodeError ? error : toEncodeError(error);
    }
  },

  decode(data) {
    const text = typeof data === 'string' ? data : data.toString('utf8');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // JSON.parse quotes the data in its message, so the error is not passed on as a cause.
      throw new DecodeError(`The stored text is not JSON: it is corrupt, or was not written by ${NAME}.`);
    }
    if (!text.includes(MARK_IN_TEXT)) return value;
    try {
      return unmark(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new DecodeError('The stored JSON is nested too deeply to be read.');
    }
  },
};

function toEncodeError(cause: unknown): EncodeError {
  return cause instanceof RangeError
    ? new EncodeError('The value is nested too deeply, or its text is too long, to be stored as JSON.', { cause })
    : new EncodeError('A toJSON() or a getter of the value threw; see the cause.', { cause });
}

/** Whether there is anything in it that JSON would change. Errs towards yes. */
function needsMarks(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return false;
    case 'number':
      // NaN and the infinities are no numbers when taken from themselves.
      return value === 0 ? Object.is(value, -0) : value - value !== 0;
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
    if (needsMarks((value as Record<string, unknown>)[name], depth + 1)) return true;
  }
  return false;
}

/** The value with marks in place of what JSON cannot say; `above` holds the objects it is part of. */
function mark(value: unknown, name: string, path: string, above: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Object.is(value, -0)) return { '@@number': '-0' };
      return Number.isFinite(value) ? value : { '@@number': String(value) };
    case 'bigint':
      return { '@@bigint': String(value) };
    case 'undefined':
      return { '@@undefined': true };
    case 'object':
      return value === null ? null : markObject(value, name, path, above);
    default: {
      if (typeof value === 'function' && 'toJSON' in value) return markConverted(value, name, path, above);
      throw new EncodeError(
        `${path} is a ${typeof value}, which cannot be stored. Leave it out, or give it a toJSON().`,
      );
    }
  }
}

function markObject(value: object, name: string, path: string, above: Set<object>): unknown {
  if (types.isDate(value)) return { '@@date': Number.isNaN(value.getTime()) ? null : value.toISOString() };
  if (types.isUint8Array(value)) return markBytes(value);
  if (types.isBoxedPrimitive(value)) return mark(value.valueOf(), name, path, above);
  if (above.has(value)) {
    throw new EncodeError(`${path} refers back to an object it is part of, which cannot be stored.`);
  }
  above.add(value);
  try {
    return markParts(value, name, path, above);
  } finally {
    above.delete(value);
  }
}

function markParts(value: object, name: string, path: string, above: Set<object>): unknown {
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => mark(item, String(index), `${path}[${index}]`, above));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return markConverted(value, name, path, above);
  if (types.isMap(value)) {
    return {
      '@@map': Array.from(value, ([key, item], index) => [
        mark(key, '', `${path}.key(${index})`, above),
        mark(item, '', `${path}.value(${index})`, above),
      ]),
    };
  }
  if (types.isSet(value)) {
    return { '@@set': Array.from(value, (item, index) => mark(item, '', `${path}.item(${index})`, above)) };
  }
  if (losesEverything(value)) {
    throw new EncodeError(
      `${path} is a ${types.isPromise(value) ? 'Promise (is an await missing?)' : value.constructor.name}, of which JSON would keep nothing. Store what you need of it.`,
    );
  }
  // Without prototype, so that a key called __proto__ is a key like any other.
  const marked = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    marked[key.startsWith(MARK) ? ESCAPE + key : key] = mark(item, key, `${path}.${key}`, above);
  }
  return marked;
}

/** What has all it holds in slots JSON does not look into: it would come back as an empty object. */
function losesEverything(value: object): boolean {
  return (
    types.isPromise(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  );
}

/** What toJSON makes of it, which may again hold anything. */
function markConverted(value: object, name: string, path: string, above: Set<object>): unknown {
  const converted = (value as { toJSON(name: string): unknown }).toJSON(name);
  // toJSON() may return the object itself; then JSON goes on with its properties, and so do we, once.
  return converted === value ? markOwn(value, path, above) : mark(converted, name, path, above);
}

function markOwn(value: object, path: string, above: Set<object>): unknown {
  const plain = Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'toJSON'));
  return mark(plain, '', path, above);
}

function markBytes(value: Uint8Array): unknown {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { [Buffer.isBuffer(value) ? '@@buffer' : '@@bytes']: buffer.toString('base64') };
}

/** Puts back in place what {@link mark} has marked. Works on the fresh tree that JSON.parse made. */
function unmark(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) value[index] = unmark(value[index]);
    return value;
  }
  const entries = Object.entries(value);
  const [only] = entries;
  if (only && entries.length === 1 && only[0].startsWith(MARK) && !only[0].startsWith(ESCAPE)) {
    return restore(only[0], only[1]);
  }
  const plain: Record<string, unknown> = {};
  for (const [key, item] of entries) {
    if (key.startsWith(MARK) && !key.startsWith(ESCAPE)) return unknownFormat();
    define(plain, key.startsWith(ESCAPE) ? key.slice(ESCAPE.length) : key, unmark(item));
  }
  return plain;
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  // Assigning to __proto__ would change what the object inherits from.
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };

function restore(tag: string, content: unknown): unknown {
  switch (tag) {
    case '@@undefined':
      return undefined;
    case '@@number':
      return typeof content === 'string' && Object.hasOwn(NUMBERS, content) ? NUMBERS[content] : unknownFormat();
    case '@@bigint':
      return typeof content === 'string' && /^-?\d+$/.test(content) ? BigInt(content) : unknownFormat();
    case '@@date':
      return restoreDate(content);
    case '@@buffer':
      return typeof content === 'string' ? Buffer.from(content, 'base64') : unknownFormat();
    case '@@bytes':
      return typeof content === 'string' ? Uint8Array.from(Buffer.from(content, 'base64')) : unknownFormat();
    case '@@set':
      return Array.isArray(content) ? new Set(content.map(unmark)) : unknownFormat();
    case '@@map':
      return Array.isArray(content) ? new Map(content.map(restoreEntry)) : unknownFormat();
    default:
      return unknownFormat();
  }
}

function restoreDate(content: unknown): Date {
  if (content === null) return new Date(Number.NaN);
  const date = new Date(typeof content === 'string' ? content : Number.NaN);
  return Number.isNaN(date.getTime()) ? unknownFormat() : date;
}

function restoreEntry(entry: unknown): [unknown, unknown] {
  return Array.isArray(entry) && entry.length === 2 ? [unmark(entry[0]), unmark(entry[1])] : unknownFormat();
}

function unknownFormat(): never {
  throw new DecodeError(
    `The stored JSON holds a mark that ${NAME} does not know: it is corrupt, or of a newer version.`,
  );
}
