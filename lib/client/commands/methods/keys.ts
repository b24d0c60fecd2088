import { toMilliseconds, type Duration } from '../../../core/duration.js';
import type { Key, Mode, Shape, SplitRule, Value } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { toBoolean, toCount, toExpiry, toOk, toText } from '../reply.js';
import {
  CONDITIONAL_EXPIRES,
  COPY,
  DEL,
  EXISTS,
  EXPIRE,
  EXPIREAT,
  EXPIRETIME,
  PERSIST,
  PEXPIRE,
  PEXPIREAT,
  PEXPIRETIME,
  PTTL,
  RENAME,
  RENAMENX,
  TOUCH,
  TTL,
  TYPE,
  UNLINK,
} from '../table/keys.js';
import { conditionWords, instant, type ExpireCondition } from './expiry.js';
import { many, Requests, whole, type Many } from './requests.js';

/** What a key can hold; `none` when there is no such key. A module's types have names of their own. */
export type KeyType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'none' | (string & {});

/** What belongs to one key each, with replies that add up. */
const SUM: SplitRule = { step: 1, combine: 'sum' };

/** Commands on keys of any type. */
export abstract class KeyCommands<M extends Mode> extends Requests<M> {
  /** Removes keys; answers how many there were. */
  del(...keys: Many<Key>): Shape<M, number> {
    return this.summed(DEL, many(keys));
  }

  /** Like `del`, with the memory freed in the background. */
  unlink(...keys: Many<Key>): Shape<M, number> {
    return this.summed(UNLINK, many(keys));
  }

  /** How many of the keys exist; one named twice counts twice. */
  exists(...keys: Many<Key>): Shape<M, number> {
    return this.summed(EXISTS, many(keys));
  }

  /** Marks keys as just used; answers how many exist. */
  touch(...keys: Many<Key>): Shape<M, number> {
    return this.summed(TOUCH, many(keys));
  }

  /** The remaining time in seconds: -1 for a key that never expires, null for one that does not exist. */
  ttl(key: Key): Shape<M, number | null> {
    return this.request(TTL, [key], toExpiry);
  }

  /** The remaining time in milliseconds: -1 for a key that never expires, null for one that does not exist. */
  pttl(key: Key): Shape<M, number | null> {
    return this.request(PTTL, [key], toExpiry);
  }

  /** When the key expires, in seconds since the epoch: -1 for never, null for a key that does not exist. */
  expiretime(key: Key): Shape<M, number | null> {
    return this.request(EXPIRETIME, [key], toExpiry);
  }

  /** When the key expires, in milliseconds since the epoch: -1 for never, null for a key that does not exist. */
  pexpiretime(key: Key): Shape<M, number | null> {
    return this.request(PEXPIRETIME, [key], toExpiry);
  }

  /**
   * Sets the time to live; answers whether it was set. 0 removes the key.
   *
   * @param ttl - A duration such as `'1m'`; a bare number is in **seconds**, the unit of this command.
   * @param condition - `nx`: only if it has none; `xx`: only if it has one; `gt`, `lt`: only if that makes it later or
   *   earlier. Default: none of them.
   */
  expire(key: Key, ttl: Duration, condition: ExpireCondition = {}): Shape<M, boolean> {
    return typeof ttl === 'number'
      ? this.expires('EXPIRE', key, () => whole(ttl, 'EXPIRE', 'ttl'), condition)
      : this.pexpire(key, ttl, condition);
  }

  /** Like `expire`; a bare number is in milliseconds. */
  pexpire(key: Key, ttl: Duration, condition: ExpireCondition = {}): Shape<M, boolean> {
    return this.expires('PEXPIRE', key, () => toMilliseconds(ttl, 'PEXPIRE: ttl'), condition);
  }

  /** Sets the instant of expiry: a Date, or a number of **seconds** since the epoch. Conditions as in `expire`. */
  expireat(key: Key, at: Date | number, condition: ExpireCondition = {}): Shape<M, boolean> {
    return typeof at === 'number'
      ? this.expires('EXPIREAT', key, () => whole(at, 'EXPIREAT', 'the instant'), condition)
      : this.pexpireat(key, at, condition);
  }

  /** Sets the instant of expiry: a Date, or a number of milliseconds since the epoch. Conditions as in `expire`. */
  pexpireat(key: Key, at: Date | number, condition: ExpireCondition = {}): Shape<M, boolean> {
    return this.expires('PEXPIREAT', key, () => instant('PEXPIREAT', at), condition);
  }

  /** Takes the time to live away; answers whether there was one. */
  persist(key: Key): Shape<M, boolean> {
    return this.request(PERSIST, [key], toBoolean);
  }

  /** What kind of value the key holds. */
  type(key: Key): Shape<M, KeyType> {
    return this.request(TYPE, [key], toText);
  }

  /** Renames a key, replacing what is at the new name. */
  rename(key: Key, newKey: Key): Shape<M, 'OK'> {
    return this.request(RENAME, [key, newKey], toOk);
  }

  /** Renames a key unless the new name is taken; answers whether it was renamed. */
  renamenx(key: Key, newKey: Key): Shape<M, boolean> {
    return this.request(RENAMENX, [key, newKey], toBoolean);
  }

  /** Copies a key; answers whether it was copied. `replace` (default false) overwrites what is at the destination. */
  copy(source: Key, destination: Key, options: { readonly replace?: boolean } = {}): Shape<M, boolean> {
    const words = options.replace === true ? ['REPLACE'] : [];
    return this.request(COPY, [source, destination, ...words], toBoolean);
  }

  private summed(command: CommandDescription, keys: readonly Key[]): Shape<M, number> {
    if (keys.length === 0) return this.answer(0);
    // One key needs no splitting, and is the usual case.
    return keys.length === 1 ? this.request(command, keys, toCount) : this.requestSplit(command, keys, SUM, toCount);
  }

  private expires(
    name: keyof typeof CONDITIONAL_EXPIRES,
    key: Key,
    time: () => Value,
    condition: ExpireCondition,
  ): Shape<M, boolean> {
    return this.guarded(() => {
      const words = conditionWords(name, condition);
      const command = words.length > 0 ? CONDITIONAL_EXPIRES[name] : PLAIN_EXPIRES[name];
      return this.request(command, [key, time(), ...words], toBoolean);
    });
  }
}

const PLAIN_EXPIRES = { EXPIRE, EXPIREAT, PEXPIRE, PEXPIREAT } as const;
