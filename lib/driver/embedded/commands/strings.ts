import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, bytesOf, datum, joined, lengthOf, textOf, viewOf, type Atom, type Datum } from '../data/bytes.js';
import { addExtended, formatExtended, isInfinite, parseExtended } from '../data/extended.js';
import { INT64, integer, parseDouble, parseInteger, rangeOf } from '../data/numbers.js';
import { notAFloat, notAnInteger, refusal, syntaxError, tooLong, wrongArity } from '../refusal.js';
import { NEVER } from '../store.js';
import { expiryOption, isExpiryWord } from './expiry.js';

/** The most bytes a string may have. */
export const MOST_BYTES = 512 * 1024 * 1024;

function get({ store }: Context, args: readonly Argument[]): Reply {
  return store.string(atom(at(args, 0))) ?? null;
}

function set(context: Context, args: readonly Argument[]): Reply {
  const { store } = context;
  const key = atom(at(args, 0));
  const value = datum(at(args, 1));
  if (args.length === 2) {
    store.put(key, value);
    return 'OK';
  }
  const { condition, wantsOld, keepTtl, expiry } = setOptions(args);
  const expiresAt = expiry === undefined ? NEVER : expiryOption(context, 'set', ...expiry);
  const old = wantsOld ? (store.string(key) ?? null) : null;
  const known = store.peek(key);
  if ((condition === 'NX' && known !== undefined) || (condition === 'XX' && known === undefined)) return old;
  if (expiresAt <= store.now()) store.delete(key);
  else store.put(key, value, keepTtl ? known?.expiresAt : expiresAt);
  return wantsOld ? old : 'OK';
}

interface SetOptions {
  condition: string | undefined;
  wantsOld: boolean;
  keepTtl: boolean;
  expiry: readonly [string, Argument] | undefined;
}

function setOptions(args: readonly Argument[]): SetOptions {
  const found: SetOptions = { condition: undefined, wantsOld: false, keepTtl: false, expiry: undefined };
  const options = new Options(args, 2);
  while (options.left > 0) {
    const word = options.word();
    if ((word === 'NX' || word === 'XX') && (found.condition ?? word) === word) found.condition = word;
    else if (word === 'GET') found.wantsOld = true;
    else if (word === 'KEEPTTL' && found.expiry === undefined) found.keepTtl = true;
    else if (isExpiryWord(word) && (found.expiry?.[0] ?? word) === word && !found.keepTtl)
      found.expiry = [word, options.next()];
    else throw syntaxError();
  }
  return found;
}

function setWithExpiry(word: string, name: string) {
  return (context: Context, args: readonly Argument[]): Reply => {
    const expiresAt = expiryOption(context, name, word, at(args, 1));
    context.store.put(atom(at(args, 0)), datum(at(args, 2)), expiresAt);
    return 'OK';
  };
}

function setnx({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  if (store.find(key) !== undefined) return 0;
  store.put(key, datum(at(args, 1)));
  return 1;
}

function getdel({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const value = store.string(key);
  if (value === undefined) return null;
  store.delete(key);
  return value;
}

function getset({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const old = store.string(key) ?? null;
  store.put(key, datum(at(args, 1)));
  return old;
}

function getex(context: Context, args: readonly Argument[]): Reply {
  const { store } = context;
  const key = atom(at(args, 0));
  const options = new Options(args, 1);
  const word = options.left > 0 ? options.word() : undefined;
  if (word !== undefined && word !== 'PERSIST' && !isExpiryWord(word)) throw syntaxError();
  const given = word === undefined || word === 'PERSIST' ? undefined : options.next();
  if (options.left > 0) throw syntaxError();
  const value = store.string(key);
  const entry = store.peek(key);
  if (value === undefined || entry === undefined) return null;
  const expiresAt = given === undefined || word === undefined ? NEVER : expiryOption(context, 'getex', word, given);
  if (word !== undefined && expiresAt <= store.now()) store.delete(key);
  else if (word !== undefined && (expiresAt !== NEVER || entry.expiresAt !== NEVER)) store.expire(entry, expiresAt);
  return value;
}

function mget({ store }: Context, args: readonly Argument[]): Reply {
  return args.map((key) => {
    const value = store.find(atom(key))?.value;
    return typeof value === 'string' || Buffer.isBuffer(value) ? value : null;
  });
}

function pairs(name: string, args: readonly Argument[]): (readonly [Atom, Datum])[] {
  if (args.length % 2 === 1) throw wrongArity(name);
  const found: (readonly [Atom, Datum])[] = [];
  for (let index = 0; index < args.length; index += 2) {
    found.push([atom(at(args, index)), datum(at(args, index + 1))]);
  }
  return found;
}

function mset({ store }: Context, args: readonly Argument[]): Reply {
  for (const [key, value] of pairs('mset', args)) store.put(key, value);
  return 'OK';
}

function msetnx({ store }: Context, args: readonly Argument[]): Reply {
  const given = pairs('msetnx', args);
  if (given.some(([key]) => store.peek(key) !== undefined)) return 0;
  for (const [key, value] of given) store.put(key, value);
  return 1;
}

/** Adds to an integer text; exact, and within 64 bits. */
export function incremented(old: Datum | undefined, by: number | bigint, fail = notAnInteger): number | bigint {
  const now = old === undefined ? 0 : parseInteger(textOf(old));
  if (now === undefined) throw fail();
  if (typeof now === 'number' && typeof by === 'number') return now + by;
  const sum = BigInt(now) + BigInt(by);
  if (sum > INT64.max || sum < INT64.min) throw refusal('increment or decrement would overflow');
  return sum;
}

const infiniteSum = () => refusal('increment would produce NaN or Infinity');

/** Adds to a text that is a float, with the server's precision. */
export function incrementedFloat(old: Datum | undefined, by: Argument, oldFails = notAFloat): string {
  const [stepText, oldText] = [textOf(by), old === undefined ? '0' : textOf(old)];
  const now = parseExtended(oldText);
  if (now === undefined && !isInfinity(oldText)) throw oldFails();
  const step = parseExtended(stepText);
  if (step === undefined && !isInfinity(stepText)) throw notAFloat();
  if (step === undefined || now === undefined) throw infiniteSum();
  const sum = addExtended(now, step);
  if (isInfinite(sum)) throw infiniteSum();
  return formatExtended(sum);
}

/** Whether a text is one of the spellings of infinity. */
export function isInfinity(text: string): boolean {
  const parsed = parseDouble(text);
  return parsed !== undefined && !Number.isFinite(parsed);
}

function add({ store }: Context, key: Atom, by: number | bigint): Reply {
  const sum = incremented(store.string(key), by);
  store.replace(key, sum.toString());
  return sum;
}

function exactInteger(argument: Argument): number | bigint {
  const parsed = parseInteger(textOf(argument));
  if (parsed === undefined) throw notAnInteger();
  return parsed;
}

function decrby(context: Context, args: readonly Argument[]): Reply {
  const by = exactInteger(at(args, 1));
  if (by === INT64.min) throw refusal('decrement would overflow');
  return add(context, atom(at(args, 0)), typeof by === 'bigint' ? -by : 0 - by);
}

function incrbyfloat({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const sum = incrementedFloat(store.string(key), at(args, 1));
  store.replace(key, sum);
  return sum;
}

function append({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const old = store.string(key);
  const value = old === undefined ? datum(at(args, 1)) : joined(old, datum(at(args, 1)));
  if (lengthOf(value) > MOST_BYTES) throw tooLong();
  store.replace(key, value);
  return lengthOf(value);
}

function strlen({ store }: Context, args: readonly Argument[]): Reply {
  return lengthOf(store.string(atom(at(args, 0))) ?? '');
}

function getrange({ store }: Context, args: readonly Argument[]): Reply {
  const [start, end] = [integer(at(args, 1)), integer(at(args, 2))];
  const bytes = viewOf(store.string(atom(at(args, 0))) ?? '');
  if (start < 0 && end < 0 && start > end) return '';
  const range = rangeOf(start, Math.max(end < 0 ? end + bytes.length : end, 0), bytes.length);
  return range === undefined ? '' : bytes.subarray(range[0], range[1] + 1);
}

function setrange({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const offset = integer(at(args, 1));
  if (offset < 0) throw refusal('offset is out of range');
  const old = store.string(key);
  const piece = viewOf(datum(at(args, 2)));
  if (piece.length === 0) return lengthOf(old ?? '');
  if (offset + piece.length > MOST_BYTES) throw tooLong();
  const bytes = widened(old, offset + piece.length);
  piece.copy(bytes, offset);
  store.replace(key, bytes);
  return bytes.length;
}

/** The bytes of a value to write in, at least so many. Nobody outside ever holds stored bytes, so they may be used. */
export function widened(old: Datum | undefined, length: number): Buffer {
  if (Buffer.isBuffer(old) && length <= old.length) return old;
  const before = bytesOf(old ?? '');
  return length <= before.length ? before : Buffer.concat([before], length);
}

/** Texts and numbers under a key. */
export const STRINGS: CommandTable = {
  GET: { arity: 2, run: get },
  SET: { arity: -3, run: set },
  SETNX: { arity: 3, run: setnx },
  SETEX: { arity: 4, run: setWithExpiry('EX', 'setex') },
  PSETEX: { arity: 4, run: setWithExpiry('PX', 'psetex') },
  GETDEL: { arity: 2, run: getdel },
  GETEX: { arity: -2, run: getex },
  GETSET: { arity: 3, run: getset },
  MGET: { arity: -2, run: mget },
  MSET: { arity: -3, run: mset },
  MSETNX: { arity: -3, run: msetnx },
  INCR: { arity: 2, run: (context, args) => add(context, atom(at(args, 0)), 1) },
  DECR: { arity: 2, run: (context, args) => add(context, atom(at(args, 0)), -1) },
  INCRBY: { arity: 3, run: (context, args) => add(context, atom(at(args, 0)), exactInteger(at(args, 1))) },
  DECRBY: { arity: 3, run: decrby },
  INCRBYFLOAT: { arity: 3, run: incrbyfloat },
  APPEND: { arity: 3, run: append, grows: true },
  STRLEN: { arity: 2, run: strlen },
  GETRANGE: { arity: 4, run: getrange },
  SUBSTR: { arity: 4, run: getrange },
  SETRANGE: { arity: 4, run: setrange },
};
