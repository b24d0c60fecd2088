import { DecodeError, type Codec } from './codec.js';
import { mark, toEncodeError, type Marks } from './marks.js';

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
      return JSON.stringify(mark(value, MARKS));
    } catch (error) {
      throw toEncodeError(error);
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
    // Without the quote, which is everywhere in JSON: a search for what hardly ever begins is many times faster.
    if (!text.includes(MARK)) return value;
    try {
      return unmark(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new DecodeError('The stored JSON is nested too deeply to be read.');
    }
  },
};

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

/** What stands for what JSON cannot say. */
const MARKS: Marks = {
  text: (value) => value,
  number: (value) =>
    Object.is(value, -0) ? { '@@number': '-0' } : Number.isFinite(value) ? value : { '@@number': String(value) },
  bigint: (value) => ({ '@@bigint': String(value) }),
  undefined: () => ({ '@@undefined': true }),
  date: (value) => ({ '@@date': Number.isNaN(value.getTime()) ? null : value.toISOString() }),
  bytes: (value) => {
    const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { [Buffer.isBuffer(value) ? '@@buffer' : '@@bytes']: buffer.toString('base64') };
  },
  map: (entries) => ({ '@@map': entries }),
  set: (items) => ({ '@@set': items }),
  object: (entries) => {
    // Without prototype, so that a key called __proto__ is a key like any other.
    const marked = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of entries) marked[key.startsWith(MARK) ? ESCAPE + key : key] = item;
    return marked;
  },
};

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
