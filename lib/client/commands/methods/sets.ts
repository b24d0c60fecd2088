import { ArgumentError } from '../../../core/errors.js';
import type { Key, Mode, Shape, Value } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { toBoolean, toBooleans, toCount, toTextOrNull, toTexts } from '../reply.js';
import {
  SADD,
  SCARD,
  SDIFF,
  SDIFFSTORE,
  SINTER,
  SINTERCARD,
  SINTERSTORE,
  SISMEMBER,
  SMEMBERS,
  SMISMEMBER,
  SMOVE,
  SPOP,
  SRANDMEMBER,
  SREM,
  SUNION,
  SUNIONSTORE,
} from '../table/collections.js';
import { BlockingListCommands } from './blocking-lists.js';
import { many, type Many } from './requests.js';

/** Commands on sets. Those over several keys need them in one slot on a cluster. */
export abstract class SetCommands<M extends Mode> extends BlockingListCommands<M> {
  /** Adds members; answers how many are new. */
  sadd(key: Key, ...members: Many<Value>): Shape<M, number> {
    const list = many(members);
    return list.length === 0 ? this.answer(0) : this.request(SADD, [key, ...list], toCount);
  }

  /** Removes members; answers how many there were. */
  srem(key: Key, ...members: Many<Value>): Shape<M, number> {
    const list = many(members);
    return list.length === 0 ? this.answer(0) : this.request(SREM, [key, ...list], toCount);
  }

  /** All members. */
  smembers(key: Key): Shape<M, string[]> {
    return this.request(SMEMBERS, [key], toTexts);
  }

  /** Whether it is a member. */
  sismember(key: Key, member: Value): Shape<M, boolean> {
    return this.request(SISMEMBER, [key, member], toBoolean);
  }

  /** For each, whether it is a member. */
  smismember(key: Key, ...members: Many<Value>): Shape<M, boolean[]> {
    const list = many(members);
    return list.length === 0 ? this.answer<boolean[]>([]) : this.request(SMISMEMBER, [key, ...list], toBooleans);
  }

  /** How many members there are. */
  scard(key: Key): Shape<M, number> {
    return this.request(SCARD, [key], toCount);
  }

  /** Moves a member to another set; answers whether it was there. */
  smove(source: Key, destination: Key, member: Value): Shape<M, boolean> {
    return this.request(SMOVE, [source, destination, member], toBoolean);
  }

  /** Takes a random member; null when there is none. */
  spop(key: Key): Shape<M, string | null>;
  /** Takes up to `count` random members. */
  spop(key: Key, count: number): Shape<M, string[]>;
  spop(key: Key, count?: number): Shape<M, string | null | string[]> {
    return this.drawn(SPOP, key, count);
  }

  /** A random member, or null. */
  srandmember(key: Key): Shape<M, string | null>;
  /** Random members: up to `count` different ones, or with a negative `count` as many with repetitions. */
  srandmember(key: Key, count: number): Shape<M, string[]>;
  srandmember(key: Key, count?: number): Shape<M, string | null | string[]> {
    return this.drawn(SRANDMEMBER, key, count);
  }

  /** The members that all sets have. */
  sinter(...keys: Many<Key>): Shape<M, string[]> {
    return this.combined(SINTER, many(keys));
  }

  /** The members that any of the sets has. */
  sunion(...keys: Many<Key>): Shape<M, string[]> {
    return this.combined(SUNION, many(keys));
  }

  /** The members of the first set that no other has. */
  sdiff(...keys: Many<Key>): Shape<M, string[]> {
    return this.combined(SDIFF, many(keys));
  }

  /** How many members all sets have, counted up to `limit`. Default: no limit. */
  sintercard(keys: readonly Key[], options: { readonly limit?: number } = {}): Shape<M, number> {
    if (keys.length === 0) return this.answer(0);
    const words = options.limit === undefined ? [] : ['LIMIT', options.limit];
    return this.request(SINTERCARD, [keys.length, ...keys, ...words], toCount);
  }

  /** Stores what `sinter` gives; answers how many members that are. */
  sinterstore(destination: Key, ...keys: Many<Key>): Shape<M, number> {
    return this.stored(SINTERSTORE, destination, many(keys));
  }

  /** Stores what `sunion` gives; answers how many members that are. */
  sunionstore(destination: Key, ...keys: Many<Key>): Shape<M, number> {
    return this.stored(SUNIONSTORE, destination, many(keys));
  }

  /** Stores what `sdiff` gives; answers how many members that are. */
  sdiffstore(destination: Key, ...keys: Many<Key>): Shape<M, number> {
    return this.stored(SDIFFSTORE, destination, many(keys));
  }

  private drawn(command: CommandDescription, key: Key, count: number | undefined): Shape<M, string | null | string[]> {
    if (count === undefined) return this.request<string | null | string[]>(command, [key], toTextOrNull);
    return this.request<string | null | string[]>(command, [key, count], toTexts);
  }

  private combined(command: CommandDescription, keys: readonly Key[]): Shape<M, string[]> {
    return keys.length === 0 ? this.answer<string[]>([]) : this.request(command, keys, toTexts);
  }

  private stored(command: CommandDescription, destination: Key, keys: readonly Key[]): Shape<M, number> {
    return keys.length === 0
      ? this.refuse(noSources(command.name))
      : this.request(command, [destination, ...keys], toCount);
  }
}

/** Storing the combination of nothing would silently remove the destination. */
export function noSources(command: string): ArgumentError {
  return new ArgumentError(`${command} needs at least one source key. Use del() to empty the destination.`, {
    subject: command,
  });
}
