import type { Integer, Key, Mode, Shape, Value } from '../command-set.js';
import {
  toBoolean,
  toBufferOrNull,
  toCount,
  toInteger,
  toNumber,
  toPairs,
  toRecord,
  toText,
  toTextOrNull,
  toTexts,
  toTextsOrNulls,
} from '../reply.js';
import type { Reply } from '../../../driver/driver.js';
import {
  HDEL,
  HEXISTS,
  HGET,
  HGETALL,
  HINCRBY,
  HINCRBYFLOAT,
  HKEYS,
  HLEN,
  HMGET,
  HRANDFIELD,
  HSET,
  HSETNX,
  HSTRLEN,
  HVALS,
} from '../table/collections.js';
import { flatten, many, whole, type Many, type Pairs } from './requests.js';
import { StringCommands } from './strings.js';

/** One field of a hash with its value. */
export interface FieldValue {
  readonly field: string;
  readonly value: string;
}

/** Commands on hashes. */
export abstract class HashCommands<M extends Mode> extends StringCommands<M> {
  /** Sets one field; answers how many fields are new. */
  hset(key: Key, field: Key, value: Value): Shape<M, number>;
  /** Sets fields from an object, a Map, or pairs; answers how many are new. */
  hset(key: Key, fields: Pairs): Shape<M, number>;
  hset(key: Key, first: Key | Pairs, value?: Value): Shape<M, number> {
    return this.guarded(() => {
      if (typeof first === 'string' || Buffer.isBuffer(first)) {
        return this.request(HSET, [key, first, value as Value], toCount);
      }
      const args = flatten(first, 'HSET');
      return args.length === 0 ? this.answer(0) : this.request(HSET, [key, ...args], toCount);
    });
  }

  /** Sets a field unless it exists; answers whether it was set. */
  hsetnx(key: Key, field: Key, value: Value): Shape<M, boolean> {
    return this.request(HSETNX, [key, field, value], toBoolean);
  }

  /** A field's value, or null. */
  hget(key: Key, field: Key): Shape<M, string | null> {
    return this.request(HGET, [key, field], toTextOrNull);
  }

  /** The bytes of a field's value, or null. */
  hgetBuffer(key: Key, field: Key): Shape<M, Buffer | null> {
    return this.request(HGET, [key, field], toBufferOrNull, true);
  }

  /** The values of fields in their order, null where there is none. */
  hmget(key: Key, ...fields: Many<Key>): Shape<M, (string | null)[]> {
    const names = many(fields);
    if (names.length === 0) return this.answer<(string | null)[]>([]);
    return this.request(HMGET, [key, ...names], toTextsOrNulls);
  }

  /**
   * All fields; none for a key that does not exist. The object has no prototype, so a field may have any name,
   * `__proto__` included; compare it with `toEqual` or spread it where a prototype matters.
   */
  hgetall(key: Key): Shape<M, Record<string, string>> {
    return this.request(HGETALL, [key], toRecord);
  }

  /** Removes fields; answers how many there were. */
  hdel(key: Key, ...fields: Many<Key>): Shape<M, number> {
    const names = many(fields);
    return names.length === 0 ? this.answer(0) : this.request(HDEL, [key, ...names], toCount);
  }

  /** Whether the field exists. */
  hexists(key: Key, field: Key): Shape<M, boolean> {
    return this.request(HEXISTS, [key, field], toBoolean);
  }

  /** Adds a whole number to a field; answers the new value. */
  hincrby(key: Key, field: Key, amount: Integer): Shape<M, Integer> {
    return this.guarded(() => this.request(HINCRBY, [key, field, whole(amount, 'HINCRBY', 'the amount')], toInteger));
  }

  /** Adds a number with a fraction to a field; answers the new value. */
  hincrbyfloat(key: Key, field: Key, amount: number): Shape<M, number> {
    return this.request(HINCRBYFLOAT, [key, field, amount], toNumber);
  }

  /** The names of all fields. */
  hkeys(key: Key): Shape<M, string[]> {
    return this.request(HKEYS, [key], toTexts);
  }

  /** The values of all fields. */
  hvals(key: Key): Shape<M, string[]> {
    return this.request(HVALS, [key], toTexts);
  }

  /** How many fields there are. */
  hlen(key: Key): Shape<M, number> {
    return this.request(HLEN, [key], toCount);
  }

  /** The length of a field's value in bytes; 0 without one. */
  hstrlen(key: Key, field: Key): Shape<M, number> {
    return this.request(HSTRLEN, [key, field], toCount);
  }

  /** A random field's name, or null. */
  hrandfield(key: Key): Shape<M, string | null>;
  /** Random fields' names: `count` different ones, or with a negative `count` as many with repetitions. */
  hrandfield(key: Key, count: number): Shape<M, string[]>;
  hrandfield(key: Key, count?: number): Shape<M, string | null | string[]> {
    if (count === undefined) return this.request<string | null | string[]>(HRANDFIELD, [key], toTextOrNull);
    return this.request<string | null | string[]>(HRANDFIELD, [key, count], toTexts);
  }

  /** Like `hrandfield` with a count, with the values. */
  hrandfieldWithValues(key: Key, count: number): Shape<M, FieldValue[]> {
    return this.request(HRANDFIELD, [key, count, 'WITHVALUES'], toFieldValues);
  }
}

function toFieldValues(reply: Reply, command: string): FieldValue[] {
  return toPairs(reply, command).map(([field, value]) => ({ field, value: toText(value, command) }));
}
