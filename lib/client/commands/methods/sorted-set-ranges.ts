import { ArgumentError } from '../../../core/errors.js';
import type { Key, Mode, Shape } from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { toCount, toTexts } from '../reply.js';
import {
  ZCOUNT,
  ZDIFF,
  ZDIFFSTORE,
  ZINTER,
  ZINTERCARD,
  ZINTERSTORE,
  ZLEXCOUNT,
  ZRANGE,
  ZRANGESTORE,
  ZREMRANGEBYLEX,
  ZREMRANGEBYRANK,
  ZREMRANGEBYSCORE,
  ZUNION,
  ZUNIONSTORE,
} from '../table/sorted-sets.js';
import { noSources } from './sets.js';
import { scoreWord, SortedSetCommands, toScored, type ScoredMember } from './sorted-sets.js';

/** An end of a range: a rank or a score, or text: `'(5'` for "not 5 itself", `'-inf'`, `'[a'`, `'+'`. */
export type Bound = number | string;

/** Which part of a sorted set. */
export interface RangeOptions {
  /** What the bounds mean: places, scores, or names of members that all have the same score. Default `'rank'`. */
  readonly by?: 'rank' | 'score' | 'lex';
  /** From the highest down; the greater bound is then given first. Default false. */
  readonly reverse?: boolean;
  /** Skips `offset` and takes `count` of the range; for `by` score and lex only. Default: all. */
  readonly limit?: { readonly offset: number; readonly count: number };
}

/** How scores of the same member come together. */
export interface CombineOptions {
  /** A factor for the scores of each key, in the order of the keys. Default: 1 for all. */
  readonly weights?: readonly number[];
  /** Which of the scores it gets. Default `'sum'`. */
  readonly aggregate?: 'sum' | 'min' | 'max';
}

/** Asks for the scores too. */
export interface WithScores {
  readonly withScores: true;
}

type Members = string[] | ScoredMember[];

/** Commands on ranges and on combinations of sorted sets. The latter need their keys in one slot on a cluster. */
export abstract class SortedSetRangeCommands<M extends Mode> extends SortedSetCommands<M> {
  /** The members between two bounds, both included, with their scores. */
  zrange(key: Key, start: Bound, stop: Bound, options: RangeOptions & WithScores): Shape<M, ScoredMember[]>;
  /** The members between two bounds, both included: by rank unless `by` says otherwise. */
  zrange(
    key: Key,
    start: Bound,
    stop: Bound,
    options?: RangeOptions & { readonly withScores?: false },
  ): Shape<M, string[]>;
  zrange(
    key: Key,
    start: Bound,
    stop: Bound,
    options: RangeOptions & { readonly withScores?: boolean } = {},
  ): Shape<M, Members> {
    return this.guarded(() => {
      const args = [key, bound(start), bound(stop), ...rangeWords(options)];
      return options.withScores === true
        ? this.request<Members>(ZRANGE, [...args, 'WITHSCORES'], toScored)
        : this.request<Members>(ZRANGE, args, toTexts);
    });
  }

  /** Stores what `zrange` gives; answers how many members that are. */
  zrangestore(destination: Key, source: Key, start: Bound, stop: Bound, options: RangeOptions = {}): Shape<M, number> {
    return this.guarded(() =>
      this.request(ZRANGESTORE, [destination, source, bound(start), bound(stop), ...rangeWords(options)], toCount),
    );
  }

  /** How many members have a score between two bounds, both included. */
  zcount(key: Key, min: Bound, max: Bound): Shape<M, number> {
    return this.request(ZCOUNT, [key, bound(min), bound(max)], toCount);
  }

  /** How many members are between two names, such as `'[a'` and `'(b'`. All must have the same score. */
  zlexcount(key: Key, min: string, max: string): Shape<M, number> {
    return this.request(ZLEXCOUNT, [key, min, max], toCount);
  }

  /** Removes the members between two places, both included; answers how many. */
  zremrangebyrank(key: Key, start: number, stop: number): Shape<M, number> {
    return this.request(ZREMRANGEBYRANK, [key, start, stop], toCount);
  }

  /** Removes the members with a score between two bounds, both included; answers how many. */
  zremrangebyscore(key: Key, min: Bound, max: Bound): Shape<M, number> {
    return this.request(ZREMRANGEBYSCORE, [key, bound(min), bound(max)], toCount);
  }

  /** Removes the members between two names; answers how many. All must have the same score. */
  zremrangebylex(key: Key, min: string, max: string): Shape<M, number> {
    return this.request(ZREMRANGEBYLEX, [key, min, max], toCount);
  }

  /** The members that all sorted sets have, with their combined scores. */
  zinter(keys: readonly Key[], options: CombineOptions = {}): Shape<M, ScoredMember[]> {
    return this.scoresOf(ZINTER, keys, options);
  }

  /** The members that any of the sorted sets has, with their combined scores. */
  zunion(keys: readonly Key[], options: CombineOptions = {}): Shape<M, ScoredMember[]> {
    return this.scoresOf(ZUNION, keys, options);
  }

  /** The members of the first sorted set that no other has, with their scores. */
  zdiff(keys: readonly Key[]): Shape<M, ScoredMember[]> {
    return this.scoresOf(ZDIFF, keys, {});
  }

  /** How many members all sorted sets have, counted up to `limit`. Default: no limit. */
  zintercard(keys: readonly Key[], options: { readonly limit?: number } = {}): Shape<M, number> {
    if (keys.length === 0) return this.answer(0);
    const words = options.limit === undefined ? [] : ['LIMIT', options.limit];
    return this.request(ZINTERCARD, [keys.length, ...keys, ...words], toCount);
  }

  /** Stores what `zinter` gives; answers how many members that are. */
  zinterstore(destination: Key, keys: readonly Key[], options: CombineOptions = {}): Shape<M, number> {
    return this.storedScores(ZINTERSTORE, destination, keys, options);
  }

  /** Stores what `zunion` gives; answers how many members that are. */
  zunionstore(destination: Key, keys: readonly Key[], options: CombineOptions = {}): Shape<M, number> {
    return this.storedScores(ZUNIONSTORE, destination, keys, options);
  }

  /** Stores what `zdiff` gives; answers how many members that are. */
  zdiffstore(destination: Key, keys: readonly Key[]): Shape<M, number> {
    return this.storedScores(ZDIFFSTORE, destination, keys, {});
  }

  private scoresOf(
    command: CommandDescription,
    keys: readonly Key[],
    options: CombineOptions,
  ): Shape<M, ScoredMember[]> {
    return this.guarded(() => {
      if (keys.length === 0) return this.answer<ScoredMember[]>([]);
      const words = combineWords(command.name, keys, options);
      return this.request(command, [keys.length, ...keys, ...words, 'WITHSCORES'], toScored);
    });
  }

  private storedScores(
    command: CommandDescription,
    destination: Key,
    keys: readonly Key[],
    options: CombineOptions,
  ): Shape<M, number> {
    return this.guarded(() => {
      if (keys.length === 0) return this.refuse(noSources(command.name));
      const words = combineWords(command.name, keys, options);
      return this.request(command, [destination, keys.length, ...keys, ...words], toCount);
    });
  }
}

function bound(value: Bound): string | number {
  return typeof value === 'number' ? scoreWord(value) : value;
}

function rangeWords({ by = 'rank', reverse, limit }: RangeOptions): (string | number)[] {
  if (limit && by === 'rank') {
    throw new ArgumentError('ZRANGE: limit needs by "score" or "lex"; a range by rank is limited by its bounds.', {
      subject: 'ZRANGE',
    });
  }
  return [
    ...(by === 'rank' ? [] : [by === 'score' ? 'BYSCORE' : 'BYLEX']),
    ...(reverse === true ? ['REV'] : []),
    ...(limit ? ['LIMIT', limit.offset, limit.count] : []),
  ];
}

function combineWords(
  command: string,
  keys: readonly Key[],
  { weights, aggregate }: CombineOptions,
): (string | number)[] {
  if (weights && weights.length !== keys.length) {
    throw new ArgumentError(`${command}: give one weight for each key, or none.`, { subject: command });
  }
  return [
    ...(weights ? ['WEIGHTS', ...weights.map(scoreWord)] : []),
    ...(aggregate ? ['AGGREGATE', aggregate.toUpperCase()] : []),
  ];
}
