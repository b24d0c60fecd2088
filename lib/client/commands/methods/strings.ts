import type { Integer, Key, Mode, Shape, SplitRule, Value } from '../command-set.js';
import {
  toBoolean,
  toBufferOrNull,
  toBuffersOrNulls,
  toCount,
  toInteger,
  toNumber,
  toOk,
  toOkOrNull,
  toText,
  toTextOrMiss,
  toTextOrNull,
  toTextsOrNulls,
} from '../reply.js';
import {
  APPEND,
  DECR,
  DECRBY,
  GET,
  GETDEL,
  GETEX,
  GETEX_ONCE,
  GETRANGE,
  INCR,
  INCRBY,
  INCRBYFLOAT,
  MGET,
  MSET,
  MSETNX,
  SET,
  SET_ONCE,
  SETNX,
  SETRANGE,
  STRLEN,
} from '../table/strings.js';
import { atMostOne, expiryWords, type Expiry } from './expiry.js';
import { KeyCommands } from './keys.js';
import { flatten, many, whole, type Many, type Pairs } from './requests.js';

/** Whether the key has to be there already, or must not be. At most one. */
export type SetCondition =
  | { readonly nx?: boolean | undefined; readonly xx?: undefined }
  | { readonly nx?: undefined; readonly xx?: boolean | undefined };

/**
 * How a value is written.
 *
 * - `ttl`: it goes after this time. Default: it stays.
 * - `expireAt`: it goes at this Date, or at this number of milliseconds since the epoch.
 * - `keepTtl`: it keeps the time to live of what it replaces. Default false.
 * - `nx`: write only if the key does not exist. Default false.
 * - `xx`: write only if the key exists. Default false.
 * - `get`: answer what was there before. Default false.
 */
export type SetOptions = Expiry & SetCondition & { readonly get?: boolean | undefined };

/** {@link SetOptions} that answer whether it was written. */
export type SetAndConfirm = SetOptions & { readonly get?: false | undefined };
/** {@link SetOptions} that answer what was there before. */
export type SetAndGet = SetOptions & { readonly get: true };

/** What `getex` does to the time to live: `ttl`, `expireAt`, or `persist` to take it away. Default: nothing. */
export type GetexOptions =
  | { readonly ttl?: Expiry['ttl']; readonly expireAt?: undefined; readonly persist?: undefined }
  | { readonly ttl?: undefined; readonly expireAt: Date | number; readonly persist?: undefined }
  | { readonly ttl?: undefined; readonly expireAt?: undefined; readonly persist: boolean };

const IN_ORDER: SplitRule = { step: 1, combine: 'order' };
const ALL_OK: SplitRule = { step: 2, combine: 'same' };

/** Commands on strings, which are also the counters. */
export abstract class StringCommands<M extends Mode> extends KeyCommands<M> {
  /** The value, or null when there is none. */
  get(key: Key): Shape<M, string | null> {
    return this.request(GET, [key], toTextOrNull);
  }

  /** The value; without one a {@link CacheMissError}. */
  getOrThrow(key: Key): Shape<M, string> {
    return this.request(GET, [key], toTextOrMiss);
  }

  /** The value's bytes, or null when there is none. */
  getBuffer(key: Key): Shape<M, Buffer | null> {
    return this.request(GET, [key], toBufferOrNull, true);
  }

  /** Writes a value; null when `nx` or `xx` did not let it. */
  set(key: Key, value: Value, options?: SetAndConfirm): Shape<M, 'OK' | null>;
  /** Writes a value and answers what was there before; null when there was nothing. */
  set(key: Key, value: Value, options: SetAndGet): Shape<M, string | null>;
  set(key: Key, value: Value, options?: SetOptions): Shape<M, string | null> {
    if (options === undefined) return this.request(SET, [key, value], toOkOrNull);
    return this.guarded(() => {
      const command = options.nx === true || options.get === true ? SET_ONCE : SET;
      return this.request<string | null>(
        command,
        [key, value, ...setWords(options)],
        options.get === true ? toTextOrNull : toOkOrNull,
      );
    });
  }

  /** Writes a value unless there is one; answers whether it was written. */
  setnx(key: Key, value: Value): Shape<M, boolean> {
    return this.request(SETNX, [key, value], toBoolean);
  }

  /** The value, which is removed; null when there was none. */
  getdel(key: Key): Shape<M, string | null> {
    return this.request(GETDEL, [key], toTextOrNull);
  }

  /** The value, whose time to live is changed; null when there was none. */
  getex(key: Key, options: GetexOptions = {}): Shape<M, string | null> {
    return this.guarded(() => {
      const words = options.persist === true ? ['PERSIST'] : [];
      const command = options.expireAt === undefined ? GETEX : GETEX_ONCE;
      return this.request(command, [key, ...expiryWords('GETEX', options as Expiry), ...words], toTextOrNull);
    });
  }

  /** The values in the order of the keys, null where there is none or it is no string. Split by slot on a cluster. */
  mget(...keys: Many<Key>): Shape<M, (string | null)[]> {
    const list = many(keys);
    if (list.length === 0) return this.answer<(string | null)[]>([]);
    return this.requestSplit(MGET, list, IN_ORDER, toTextsOrNulls);
  }

  /** Like `mget`, with bytes. */
  mgetBuffer(...keys: Many<Key>): Shape<M, (Buffer | null)[]> {
    const list = many(keys);
    if (list.length === 0) return this.answer<(Buffer | null)[]>([]);
    return this.requestSplit(MGET, list, IN_ORDER, toBuffersOrNulls, true);
  }

  /** Writes many values: an object, a Map, or pairs. Split by slot on a cluster, where it is then not atomic. */
  mset(entries: Pairs): Shape<M, 'OK'> {
    return this.guarded(() => {
      const args = flatten(entries, 'MSET');
      return args.length === 0 ? this.answer<'OK'>('OK') : this.requestSplit(MSET, args, ALL_OK, toOk);
    });
  }

  /** Writes many values if none of the keys exists; answers whether it wrote. Always atomic: one slot on a cluster. */
  msetnx(entries: Pairs): Shape<M, boolean> {
    return this.guarded(() => {
      const args = flatten(entries, 'MSETNX');
      return args.length === 0 ? this.answer<boolean>(true) : this.request(MSETNX, args, toBoolean);
    });
  }

  /** Adds 1; answers the new value. */
  incr(key: Key): Shape<M, Integer> {
    return this.request(INCR, [key], toInteger);
  }

  /** Adds a whole number; answers the new value. */
  incrby(key: Key, amount: Integer): Shape<M, Integer> {
    return this.guarded(() => this.request(INCRBY, [key, whole(amount, 'INCRBY', 'the amount')], toInteger));
  }

  /** Adds a number with a fraction; answers the new value. */
  incrbyfloat(key: Key, amount: number): Shape<M, number> {
    return this.request(INCRBYFLOAT, [key, amount], toNumber);
  }

  /** Subtracts 1; answers the new value. */
  decr(key: Key): Shape<M, Integer> {
    return this.request(DECR, [key], toInteger);
  }

  /** Subtracts a whole number; answers the new value. */
  decrby(key: Key, amount: Integer): Shape<M, Integer> {
    return this.guarded(() => this.request(DECRBY, [key, whole(amount, 'DECRBY', 'the amount')], toInteger));
  }

  /** Adds to the end of a string; answers its length in bytes. */
  append(key: Key, value: Value): Shape<M, number> {
    return this.request(APPEND, [key, value], toCount);
  }

  /** The length in bytes; 0 for a key that does not exist. */
  strlen(key: Key): Shape<M, number> {
    return this.request(STRLEN, [key], toCount);
  }

  /** The bytes from `start` to `end`, both included; negative ones count from the end. */
  getrange(key: Key, start: number, end: number): Shape<M, string> {
    return this.request(GETRANGE, [key, start, end], toText);
  }

  /** Overwrites a part of a string; answers its length in bytes. */
  setrange(key: Key, offset: number, value: Value): Shape<M, number> {
    return this.request(SETRANGE, [key, offset, value], toCount);
  }
}

/** The words after SET's key and value. Throws where options exclude each other. */
export function setWords(options: SetOptions): (string | number)[] {
  atMostOne('SET', options, ['nx', 'xx']);
  const words = expiryWords('SET', options);
  if (options.nx === true) words.push('NX');
  if (options.xx === true) words.push('XX');
  if (options.get === true) words.push('GET');
  return words;
}
