import type { Reply } from '../../../driver/driver.js';
import type { Key, Mode, Shape, Value } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import {
  toArray,
  toCount,
  toCountOrNull,
  toNumber,
  toNumberOrNull,
  toNumbersOrNulls,
  toPairs,
  toText,
  toTextOrNull,
  toTexts,
} from '../reply.js';
import {
  BZMPOP,
  BZPOPMAX,
  BZPOPMIN,
  ZADD,
  ZCARD,
  ZINCRBY,
  ZMPOP,
  ZMSCORE,
  ZPOPMAX,
  ZPOPMIN,
  ZRANDMEMBER,
  ZRANK,
  ZREM,
  ZREVRANK,
  ZSCORE,
} from '../table/sorted-sets.js';
import { listOf, waitSeconds, type WaitOptions } from './blocking-lists.js';
import { atMostOne } from './expiry.js';
import { many, type Many } from './requests.js';
import { SetCommands } from './sets.js';

/** A member with its score, which may be infinite. */
export interface ScoredMember<N = string> {
  readonly member: N;
  readonly score: number;
}

/** A member with its score, and the sorted set it was taken from. */
export interface PoppedMember extends ScoredMember {
  readonly key: string;
}

/** Members with their scores, and the sorted set they were taken from. */
export interface PoppedMembers {
  readonly key: string;
  readonly members: ScoredMember[];
}

/** Members with scores: a list, a Map, or an object. */
export type ScoredMembers =
  readonly ScoredMember<Value>[] | ReadonlyMap<Value, number> | Readonly<Record<string, number>>;

/**
 * What `zadd` changes.
 *
 * - `nx`: only adds. `xx`: only updates. `gt`, `lt`: updates only to a greater or a lesser score. Default: all.
 * - `changed`: answer how many were added or updated instead of added. Default false.
 */
export type ZaddOptions = { readonly changed?: boolean } & (
  | { readonly nx?: boolean; readonly xx?: undefined; readonly gt?: undefined; readonly lt?: undefined }
  | { readonly nx?: undefined; readonly xx?: boolean; readonly gt?: boolean; readonly lt?: undefined }
  | { readonly nx?: undefined; readonly xx?: boolean; readonly gt?: undefined; readonly lt?: boolean }
);

/** The lower or the upper end of a sorted set. */
export type Extreme = 'min' | 'max';

/** Commands on the members of sorted sets. */
export abstract class SortedSetCommands<M extends Mode> extends SetCommands<M> {
  /** Adds members or updates their scores; answers how many were added. */
  zadd(key: Key, members: ScoredMembers, options: ZaddOptions = {}): Shape<M, number> {
    return this.guarded(() => {
      const args = scoresAndMembers(members);
      if (args.length === 0) return this.answer(0);
      return this.request(ZADD, [key, ...zaddWords(options), ...args], toCount);
    });
  }

  /** Adds to a member's score, from 0 for a new one; answers the new score. */
  zincrby(key: Key, amount: number, member: Value): Shape<M, number> {
    return this.request(ZINCRBY, [key, scoreWord(amount), member], toNumber);
  }

  /** Removes members; answers how many there were. */
  zrem(key: Key, ...members: Many<Value>): Shape<M, number> {
    const list = many(members);
    return list.length === 0 ? this.answer(0) : this.request(ZREM, [key, ...list], toCount);
  }

  /** How many members there are. */
  zcard(key: Key): Shape<M, number> {
    return this.request(ZCARD, [key], toCount);
  }

  /** A member's score, or null. */
  zscore(key: Key, member: Value): Shape<M, number | null> {
    return this.request(ZSCORE, [key, member], toNumberOrNull);
  }

  /** The scores of members in their order, null where there is none. */
  zmscore(key: Key, ...members: Many<Value>): Shape<M, (number | null)[]> {
    const list = many(members);
    if (list.length === 0) return this.answer<(number | null)[]>([]);
    return this.request(ZMSCORE, [key, ...list], toNumbersOrNulls);
  }

  /** A member's place, counted from 0 at the lowest score, or null. */
  zrank(key: Key, member: Value): Shape<M, number | null> {
    return this.request(ZRANK, [key, member], toCountOrNull);
  }

  /** A member's place, counted from 0 at the highest score, or null. */
  zrevrank(key: Key, member: Value): Shape<M, number | null> {
    return this.request(ZREVRANK, [key, member], toCountOrNull);
  }

  /** Takes the member with the lowest score; null when there is none. */
  zpopmin(key: Key): Shape<M, ScoredMember | null>;
  /** Takes up to `count` members with the lowest scores. */
  zpopmin(key: Key, count: number): Shape<M, ScoredMember[]>;
  zpopmin(key: Key, count?: number): Shape<M, ScoredMember | null | ScoredMember[]> {
    return this.taken(ZPOPMIN, key, count);
  }

  /** Takes the member with the highest score; null when there is none. */
  zpopmax(key: Key): Shape<M, ScoredMember | null>;
  /** Takes up to `count` members with the highest scores. */
  zpopmax(key: Key, count: number): Shape<M, ScoredMember[]>;
  zpopmax(key: Key, count?: number): Shape<M, ScoredMember | null | ScoredMember[]> {
    return this.taken(ZPOPMAX, key, count);
  }

  /** Takes up to `count` (default 1) members from one end of the first sorted set that has any; null when none has. */
  zmpop(
    keys: readonly Key[],
    from: Extreme,
    options: { readonly count?: number } = {},
  ): Shape<M, PoppedMembers | null> {
    if (keys.length === 0) return this.answer<PoppedMembers | null>(null);
    const args = [keys.length, ...keys, from.toUpperCase(), 'COUNT', options.count ?? 1];
    return this.request(ZMPOP, args, (reply, command) => this.toPoppedMembers(reply, command));
  }

  /** Like `zpopmin` on the first of the keys that has a member, waiting for one; null when the time is over. */
  bzpopmin(keys: Key | readonly Key[], options: WaitOptions): Shape<M, PoppedMember | null> {
    return this.awaitedMember(BZPOPMIN, keys, options);
  }

  /** Like `zpopmax` on the first of the keys that has a member, waiting for one; null when the time is over. */
  bzpopmax(keys: Key | readonly Key[], options: WaitOptions): Shape<M, PoppedMember | null> {
    return this.awaitedMember(BZPOPMAX, keys, options);
  }

  /** Like `zmpop`, waiting for a member; null when the time is over. */
  bzmpop(
    keys: readonly Key[],
    from: Extreme,
    options: WaitOptions & { readonly count?: number },
  ): Shape<M, PoppedMembers | null> {
    return this.guarded(() => {
      if (keys.length === 0) return this.answer<PoppedMembers | null>(null);
      const args = [
        waitSeconds('BZMPOP', options),
        keys.length,
        ...keys,
        from.toUpperCase(),
        'COUNT',
        options.count ?? 1,
      ];
      return this.request(BZMPOP, args, (reply, command) => this.toPoppedMembers(reply, command));
    });
  }

  /** A random member, or null. */
  zrandmember(key: Key): Shape<M, string | null>;
  /** Random members: up to `count` different ones, or with a negative `count` as many with repetitions. */
  zrandmember(key: Key, count: number): Shape<M, string[]>;
  zrandmember(key: Key, count?: number): Shape<M, string | null | string[]> {
    if (count === undefined) return this.request<string | null | string[]>(ZRANDMEMBER, [key], toTextOrNull);
    return this.request<string | null | string[]>(ZRANDMEMBER, [key, count], toTexts);
  }

  private taken(
    command: CommandDescription,
    key: Key,
    count: number | undefined,
  ): Shape<M, ScoredMember | null | ScoredMember[]> {
    return count === undefined
      ? this.request<ScoredMember | null | ScoredMember[]>(command, [key], toFirstScored)
      : this.request<ScoredMember | null | ScoredMember[]>(command, [key, count], toScored);
  }

  private awaitedMember(
    description: CommandDescription,
    keys: Key | readonly Key[],
    options: WaitOptions,
  ): Shape<M, PoppedMember | null> {
    return this.guarded(() => {
      const list = listOf(keys);
      if (list.length === 0) return this.answer<PoppedMember | null>(null);
      return this.request(description, [...list, waitSeconds(description.name, options)], (reply, command) => {
        if (reply === null) return null;
        const [key = null, member = null, score = null] = toArray(reply, command);
        return {
          key: this.stripPrefix(toText(key, command)),
          member: toText(member, command),
          score: toNumber(score, command),
        };
      });
    });
  }

  private toPoppedMembers(reply: Reply, command: string): PoppedMembers | null {
    if (reply === null) return null;
    const [key = null, members = null] = toArray(reply, command);
    return {
      key: this.stripPrefix(toText(key, command)),
      members: toArray(members, command).map((pair) => {
        const [member = null, score = null] = toArray(pair, command);
        return { member: toText(member, command), score: toNumber(score, command) };
      }),
    };
  }
}

/** A flat list of members and scores. */
export function toScored(reply: Reply, command: string): ScoredMember[] {
  return toPairs(reply, command).map(([member, score]) => ({ member, score: toNumber(score, command) }));
}

function toFirstScored(reply: Reply, command: string): ScoredMember | null {
  return toScored(reply, command)[0] ?? null;
}

/** A score as it is written; the infinities have words of their own. */
export function scoreWord(score: number): number | string {
  if (score === Infinity) return '+inf';
  return score === -Infinity ? '-inf' : score;
}

function scoresAndMembers(members: ScoredMembers): Value[] {
  if (Array.isArray(members)) {
    return (members as readonly ScoredMember<Value>[]).flatMap(({ member, score }) => [scoreWord(score), member]);
  }
  const entries = members instanceof Map ? [...(members as ReadonlyMap<Value, number>)] : Object.entries(members);
  return entries.flatMap(([member, score]: readonly [Value, number]) => [scoreWord(score), member]);
}

function zaddWords(options: ZaddOptions): string[] {
  atMostOne('ZADD', options, ['nx', 'xx']);
  atMostOne('ZADD', options, ['nx', 'gt', 'lt']);
  const words = (['nx', 'xx', 'gt', 'lt'] as const).filter((name) => options[name] === true);
  return [...words.map((word) => word.toUpperCase()), ...(options.changed === true ? ['CH'] : [])];
}
