import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, type Atom } from '../data/bytes.js';
import { double, formatDouble, positive } from '../data/numbers.js';
import { SortedSet, type Scored } from '../data/sorted-set.js';
import { refusal, syntaxError, wrongArity } from '../refusal.js';
import type { Store } from '../store.js';
import { drawOf } from './hashes.js';

/** Which end of a sorted set. */
export type Extreme = 'min' | 'max';

type Flag = 'NX' | 'XX' | 'GT' | 'LT' | 'CH' | 'INCR';

const FLAGS: ReadonlySet<string> = new Set<Flag>(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR']);

function setAt({ store }: Context, args: readonly Argument[]): SortedSet | undefined {
  return store.collection(atom(at(args, 0)), SortedSet);
}

function flagsOf(args: readonly Argument[]): readonly [Set<string>, readonly Argument[]] {
  const leading = leadingFlags(args);
  const flags = new Set(leading);
  const pairs = args.slice(1 + leading.length);
  if (pairs.length === 0 || pairs.length % 2 === 1) throw syntaxError();
  if (flags.has('NX') && flags.has('XX')) throw refusal('XX and NX options at the same time are not compatible');
  if ((flags.has('GT') && (flags.has('LT') || flags.has('NX'))) || (flags.has('LT') && flags.has('NX'))) {
    throw refusal('GT, LT, and/or NX options at the same time are not compatible');
  }
  if (flags.has('INCR') && pairs.length > 2) throw refusal('INCR option supports a single increment-element pair');
  return [flags, pairs];
}

function leadingFlags(args: readonly Argument[]): string[] {
  const found: string[] = [];
  for (const argument of args.slice(1)) {
    const word = String(argument).toUpperCase();
    if (!FLAGS.has(word)) break;
    found.push(word);
  }
  return found;
}

/** What the score becomes under the flags, or `undefined` when it is left alone. */
function newScore(old: number | undefined, given: number, flags: Set<string>): number | undefined {
  if (old === undefined) return flags.has('XX') ? undefined : given;
  if (flags.has('NX')) return undefined;
  const score = flags.has('INCR') ? old + given : given;
  if (Number.isNaN(score)) throw refusal('resulting score is not a number (NaN)');
  if ((flags.has('GT') && score <= old) || (flags.has('LT') && score >= old)) return undefined;
  return score;
}

function zadd({ store }: Context, args: readonly Argument[]): Reply {
  const [flags, pairs] = flagsOf(args);
  const scores = pairs.filter((_, index) => index % 2 === 0).map((score) => double(score));
  const key = atom(at(args, 0));
  const set = store.collectionOrNew(key, SortedSet);
  let added = 0;
  let moved = 0;
  let result: number | undefined;
  for (const [index, given] of scores.entries()) {
    const name = atom(at(pairs, index * 2 + 1));
    const old = set.score(name);
    result = newScore(old, given, flags);
    if (result === undefined) continue;
    if (old === undefined) added += 1;
    else if (old !== result) moved += 1;
    set.set(name, result);
  }
  if (added + moved > 0) store.changed(key, set);
  if (flags.has('INCR')) return result === undefined ? null : formatDouble(result);
  return flags.has('CH') ? added + moved : added;
}

function zincrby(context: Context, args: readonly Argument[]): Reply {
  return zadd(context, [at(args, 0), 'INCR', at(args, 1), at(args, 2)]);
}

function zrem({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const set = store.collection(key, SortedSet);
  if (set === undefined) return 0;
  let gone = 0;
  for (let index = 1; index < args.length; index += 1) if (set.remove(atom(at(args, index)))) gone += 1;
  if (gone > 0) store.changed(key, set);
  return gone;
}

function shownScore(score: number | undefined): Reply {
  return score === undefined ? null : formatDouble(score);
}

function zmscore(context: Context, args: readonly Argument[]): Reply {
  const set = setAt(context, args);
  return args.slice(1).map((member) => shownScore(set?.score(atom(member))));
}

function rank(name: string, reversed: boolean) {
  return (context: Context, args: readonly Argument[]): Reply => {
    if (args.length > 3) throw wrongArity(name);
    const options = new Options(args, 2);
    const withScore = options.accept('WITHSCORE');
    if (options.left > 0) throw syntaxError();
    const set = setAt(context, args);
    const member = atom(at(args, 1));
    const ascending = set?.rank(member);
    if (set === undefined || ascending === undefined) return null;
    const place = reversed ? set.size - 1 - ascending : ascending;
    return withScore ? [place, shownScore(set.score(member))] : place;
  };
}

/** Takes up to `count` members from one end; the key goes with the last one. */
export function popScored(store: Store, key: Atom, set: SortedSet, extreme: Extreme, count: number): Scored[] {
  const wanted = Math.min(count, set.size);
  const taken = extreme === 'min' ? set.removeRange(0, wanted) : set.removeRange(set.size - wanted, wanted).reverse();
  if (taken.length > 0) store.changed(key, set);
  return taken;
}

function zpop(extreme: Extreme) {
  return (context: Context, args: readonly Argument[]): Reply => {
    if (args.length > 2) throw syntaxError();
    const count = args.length === 2 ? positive(at(args, 1)) : 1;
    const set = setAt(context, args);
    if (set === undefined) return [];
    const taken = popScored(context.store, atom(at(args, 0)), set, extreme, count);
    return taken.flatMap(({ name, score }) => [name, formatDouble(score)]);
  };
}

function zrandmember(context: Context, args: readonly Argument[]): Reply {
  const { count, withValues } = drawOf(args, 'WITHSCORES');
  const members = setAt(context, args)?.members;
  if (count === undefined) return members?.random()?.name ?? null;
  const drawn = members?.draw(count) ?? [];
  return drawn.flatMap(({ name, score }) => (withValues ? [name, formatDouble(score)] : [name]));
}

/** Sorted sets, member by member. */
export const SORTED_SETS: CommandTable = {
  ZADD: { arity: -4, run: zadd, grows: true },
  ZINCRBY: { arity: 4, run: zincrby, grows: true },
  ZREM: { arity: -3, run: zrem },
  ZSCORE: { arity: 3, run: (context, args) => shownScore(setAt(context, args)?.score(atom(at(args, 1)))) },
  ZMSCORE: { arity: -3, run: zmscore },
  ZCARD: { arity: 2, run: (context, args) => setAt(context, args)?.size ?? 0 },
  ZRANK: { arity: -3, run: rank('zrank', false) },
  ZREVRANK: { arity: -3, run: rank('zrevrank', true) },
  ZPOPMIN: { arity: -2, run: zpop('min') },
  ZPOPMAX: { arity: -2, run: zpop('max') },
  ZRANDMEMBER: { arity: -2, run: zrandmember },
};
