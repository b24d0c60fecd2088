import type { Key, Mode, Shape, Value } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { toBufferOrNull, toCount, toCountOrNull, toCounts, toOk, toTextOrNull, toTexts, orNull } from '../reply.js';
import {
  LINDEX,
  LINSERT,
  LLEN,
  LMOVE,
  LPOP,
  LPOS,
  LPUSH,
  LPUSHX,
  LRANGE,
  LREM,
  LSET,
  LTRIM,
  RPOP,
  RPUSH,
  RPUSHX,
} from '../table/collections.js';
import { HashCommands } from './hashes.js';
import { many, type Many } from './requests.js';

/** An end of a list: `left` is its head. */
export type Side = 'left' | 'right';

/** How `lpos` looks: `rank` −1 begins at the tail; `maxLength` bounds what is compared. Default: the first match. */
export interface LposOptions {
  readonly rank?: number;
  readonly maxLength?: number;
}

const toTextsOrNone = orNull(toTexts);

/** Commands on lists. */
export abstract class ListCommands<M extends Mode> extends HashCommands<M> {
  /** Adds to the head, the last one given ending up first; answers the length. Nothing to add: the length as it is. */
  lpush(key: Key, ...values: Many<Value>): Shape<M, number> {
    return this.pushed(LPUSH, key, many(values));
  }

  /** Adds to the tail; answers the length. Nothing to add: the length as it is. */
  rpush(key: Key, ...values: Many<Value>): Shape<M, number> {
    return this.pushed(RPUSH, key, many(values));
  }

  /** Like `lpush`, only if the list exists; answers the length. */
  lpushx(key: Key, ...values: Many<Value>): Shape<M, number> {
    return this.pushed(LPUSHX, key, many(values));
  }

  /** Like `rpush`, only if the list exists; answers the length. */
  rpushx(key: Key, ...values: Many<Value>): Shape<M, number> {
    return this.pushed(RPUSHX, key, many(values));
  }

  /** Takes from the head; null when there is nothing. */
  lpop(key: Key): Shape<M, string | null>;
  /** Takes up to `count` from the head. */
  lpop(key: Key, count: number): Shape<M, string[]>;
  lpop(key: Key, count?: number): Shape<M, string | null | string[]> {
    return this.popped(LPOP, key, count);
  }

  /** Takes from the tail; null when there is nothing. */
  rpop(key: Key): Shape<M, string | null>;
  /** Takes up to `count` from the tail, the last one first. */
  rpop(key: Key, count: number): Shape<M, string[]>;
  rpop(key: Key, count?: number): Shape<M, string | null | string[]> {
    return this.popped(RPOP, key, count);
  }

  /** Takes from the head, as bytes; null when there is nothing. */
  lpopBuffer(key: Key): Shape<M, Buffer | null> {
    return this.request(LPOP, [key], toBufferOrNull, true);
  }

  /** Takes from the tail, as bytes; null when there is nothing. */
  rpopBuffer(key: Key): Shape<M, Buffer | null> {
    return this.request(RPOP, [key], toBufferOrNull, true);
  }

  /** The length; 0 for a key that does not exist. */
  llen(key: Key): Shape<M, number> {
    return this.request(LLEN, [key], toCount);
  }

  /** The elements from `start` to `stop`, both included; negative ones count from the tail. */
  lrange(key: Key, start: number, stop: number): Shape<M, string[]> {
    return this.request(LRANGE, [key, start, stop], toTexts);
  }

  /** The element at a place, or null; a negative one counts from the tail. */
  lindex(key: Key, index: number): Shape<M, string | null> {
    return this.request(LINDEX, [key, index], toTextOrNull);
  }

  /** Replaces the element at a place. */
  lset(key: Key, index: number, value: Value): Shape<M, 'OK'> {
    return this.request(LSET, [key, index, value], toOk);
  }

  /** Removes equal elements: the first `count`, with a negative one the last, with 0 all; answers how many. */
  lrem(key: Key, count: number, value: Value): Shape<M, number> {
    return this.request(LREM, [key, count, value], toCount);
  }

  /** Keeps only the elements from `start` to `stop`. */
  ltrim(key: Key, start: number, stop: number): Shape<M, 'OK'> {
    return this.request(LTRIM, [key, start, stop], toOk);
  }

  /** Puts an element next to another; answers the length, -1 when the other is not there, 0 for no list. */
  linsert(key: Key, where: 'before' | 'after', pivot: Value, value: Value): Shape<M, number> {
    return this.request(LINSERT, [key, where.toUpperCase(), pivot, value], toCount);
  }

  /** The place of an element, or null. */
  lpos(key: Key, value: Value, options: LposOptions = {}): Shape<M, number | null> {
    return this.request(LPOS, [key, value, ...lposWords(options)], toCountOrNull);
  }

  /** The places of up to `count` equal elements, with 0 of all. */
  lposMany(key: Key, value: Value, count: number, options: LposOptions = {}): Shape<M, number[]> {
    return this.request(LPOS, [key, value, ...lposWords(options), 'COUNT', count], toCounts);
  }

  /** Moves an element from one end to another, of the same list or another; answers it, or null. */
  lmove(source: Key, destination: Key, from: Side, to: Side): Shape<M, string | null> {
    return this.request(LMOVE, [source, destination, from.toUpperCase(), to.toUpperCase()], toTextOrNull);
  }

  private pushed(command: CommandDescription, key: Key, values: readonly Value[]): Shape<M, number> {
    return values.length === 0 ? this.llen(key) : this.request(command, [key, ...values], toCount);
  }

  private popped(command: CommandDescription, key: Key, count: number | undefined): Shape<M, string | null | string[]> {
    if (count === undefined) return this.request<string | null | string[]>(command, [key], toTextOrNull);
    return this.request<string | null | string[]>(command, [key, count], toTextsOrEmpty);
  }
}

const toTextsOrEmpty: typeof toTexts = (reply, command) => toTextsOrNone(reply, command) ?? [];

function lposWords({ rank, maxLength }: LposOptions): (string | number)[] {
  const words: (string | number)[] = rank === undefined ? [] : ['RANK', rank];
  return maxLength === undefined ? words : [...words, 'MAXLEN', maxLength];
}
