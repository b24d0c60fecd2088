import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, compareAtoms, textOf, viewOf, type Atom } from '../data/bytes.js';
import { formatDouble, integer, parseDouble, rangeOf } from '../data/numbers.js';
import { SortedSet, type Scored } from '../data/sorted-set.js';
import { refusal, syntaxError } from '../refusal.js';

/** Ranks from `from` up to, not including, `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Finds a span in a sorted set. Parsed before the key is looked at, as on the server. */
export type SpanFinder = (set: SortedSet) => Span;

/** What a range is counted in. */
export type Measure = 'rank' | 'score' | 'lex';

const OPEN = '(';
const EMPTY: Span = { from: 0, to: 0 };

/** Reads a range's two ends. `reversed` counts ranks from the highest; scores and members stay lowest first. */
export function spanFinder(measure: Measure, low: Argument, high: Argument, reversed = false): SpanFinder {
  if (measure === 'score') return scoreSpan(low, high);
  if (measure === 'lex') return lexSpan(low, high);
  const [start, end] = [integer(low), integer(high)];
  return (set) => {
    const range = rangeOf(start, end, set.size);
    if (range === undefined) return EMPTY;
    if (reversed) return { from: set.size - 1 - range[1], to: set.size - range[0] };
    return { from: range[0], to: range[1] + 1 };
  };
}

function scoreSpan(low: Argument, high: Argument): SpanFinder {
  const [min, minOpen] = scoreEnd(low);
  const [max, maxOpen] = scoreEnd(high);
  return (set) => ({
    from: set.firstRank(({ score }) => (minOpen ? score > min : score >= min)),
    to: set.firstRank(({ score }) => (maxOpen ? score >= max : score > max)),
  });
}

function scoreEnd(argument: Argument): readonly [score: number, open: boolean] {
  const text = textOf(argument);
  const open = text.startsWith(OPEN);
  const score = parseDouble(open ? text.slice(1) : text);
  if (score === undefined) throw refusal('min or max is not a float');
  return [score, open];
}

function lexSpan(low: Argument, high: Argument): SpanFinder {
  const [min, max] = [lexEnd(low), lexEnd(high)];
  return (set) => ({
    from: set.firstRank(({ name }) => isAfter(name, min, true)),
    to: set.firstRank(({ name }) => isAfter(name, max, false)),
  });
}

type LexEnd = '-' | '+' | { readonly name: Atom; readonly open: boolean };

function lexEnd(argument: Argument): LexEnd {
  const bytes = viewOf(atom(argument));
  const head = String.fromCharCode(bytes[0] ?? 0);
  if (bytes.length === 1 && (head === '-' || head === '+')) return head;
  if (head !== OPEN && head !== '[') throw refusal('min or max not valid string range item');
  return { name: atom(bytes.subarray(1)), open: head === OPEN };
}

/** Whether a member lies behind an end: the start of a range takes an inclusive end's own member in. */
function isAfter(name: Atom, end: LexEnd, isStart: boolean): boolean {
  if (end === '-') return true;
  if (end === '+') return false;
  const order = compareAtoms(name, end.name);
  return order > 0 || (order === 0 && end.open !== isStart);
}

/** How the members of a span are given back. */
export interface Selection {
  readonly find: SpanFinder;
  readonly reversed: boolean;
  /** How many to leave out first, and how many to take at most: all when negative. */
  readonly limit: readonly [offset: number, count: number] | undefined;
  readonly withScores: boolean;
}

/** The members a selection means. */
export function selected(set: SortedSet | undefined, { find, reversed, limit }: Selection): Scored[] {
  if (set === undefined) return [];
  const { from, to } = find(set);
  const [offset, wanted] = limit ?? [0, -1];
  if (offset < 0) return [];
  const count = wanted < 0 ? Infinity : wanted;
  if (!reversed) return set.ordered.slice(from + offset, Math.max(Math.min(to, from + offset + count), 0));
  const end = to - offset;
  return end <= from ? [] : set.ordered.slice(Math.max(from, end - count), end).reverse();
}

/** Names and scores in turn. */
export function withScores(members: readonly Scored[]): Reply[] {
  return members.flatMap(({ name, score }) => [name, formatDouble(score)]);
}

/** Names, and scores if wanted. */
export function listed(members: readonly Scored[], scores: boolean): Reply {
  return scores ? withScores(members) : members.map(({ name }) => name);
}

/** Reads `min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]` from `from` on. */
export function selectionOf(args: readonly Argument[], from: number, mayHaveScores: boolean): Selection {
  const options = new Options(args, from + 2);
  let measure: Measure = 'rank';
  let reversed = false;
  let scores = false;
  let limit: Selection['limit'];
  while (options.left > 0) {
    const word = options.word();
    if (word === 'BYSCORE') measure = 'score';
    else if (word === 'BYLEX') measure = 'lex';
    else if (word === 'REV') reversed = true;
    else if (word === 'WITHSCORES' && mayHaveScores) scores = true;
    else if (word === 'LIMIT' && options.left >= 2) limit = [integer(options.next()), integer(options.next())];
    else throw syntaxError();
  }
  if (limit !== undefined && measure === 'rank') {
    throw refusal('syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  }
  if (scores && measure === 'lex') {
    throw refusal('syntax error, WITHSCORES not supported in combination with BYLEX');
  }
  return { find: finderOf(args, from, measure, reversed), reversed, limit, withScores: scores };
}

function finderOf(args: readonly Argument[], from: number, measure: Measure, reversed: boolean): SpanFinder {
  const [first, second] = [at(args, from), at(args, from + 1)];
  const swapped = reversed && measure !== 'rank';
  return swapped ? spanFinder(measure, second, first) : spanFinder(measure, first, second, reversed);
}

function zrange({ store }: Context, args: readonly Argument[]): Reply {
  const selection = selectionOf(args, 1, true);
  return listed(selected(store.collection(atom(at(args, 0)), SortedSet), selection), selection.withScores);
}

/** The older commands, where measure and direction stand in the name. */
function olderRange(measure: Measure, reversed: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const options = new Options(args, 3);
    let scores = false;
    let limit: Selection['limit'];
    while (options.left > 0) {
      if (measure !== 'lex' && options.accept('WITHSCORES')) scores = true;
      else if (measure !== 'rank' && options.left >= 3 && options.accept('LIMIT')) {
        limit = [integer(options.next()), integer(options.next())];
      } else throw syntaxError();
    }
    const find = finderOf(args, 1, measure, reversed);
    const set = store.collection(atom(at(args, 0)), SortedSet);
    return listed(selected(set, { find, reversed, limit, withScores: scores }), scores);
  };
}

function zrangestore({ store }: Context, args: readonly Argument[]): Reply {
  const target = atom(at(args, 0));
  const selection = selectionOf(args, 2, false);
  const source = store.collection(atom(at(args, 1)), SortedSet);
  const result = new SortedSet();
  for (const { name, score } of selected(source, selection)) result.set(name, score);
  if (result.size === 0) store.delete(target);
  else store.put(target, result);
  return result.size;
}

function count(measure: Measure) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const find = spanFinder(measure, at(args, 1), at(args, 2));
    const set = store.collection(atom(at(args, 0)), SortedSet);
    if (set === undefined) return 0;
    const { from, to } = find(set);
    return Math.max(to - from, 0);
  };
}

function removeRange(measure: Measure) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const find = spanFinder(measure, at(args, 1), at(args, 2));
    const key = atom(at(args, 0));
    const set = store.collection(key, SortedSet);
    if (set === undefined) return 0;
    const { from, to } = find(set);
    const gone = set.removeRange(from, Math.max(to - from, 0)).length;
    if (gone > 0) store.changed(key, set);
    return gone;
  };
}

/** Ranges of sorted sets. */
export const SORTED_SET_RANGES: CommandTable = {
  ZRANGE: { arity: -4, run: zrange },
  ZREVRANGE: { arity: -4, run: olderRange('rank', true) },
  ZRANGEBYSCORE: { arity: -4, run: olderRange('score', false) },
  ZREVRANGEBYSCORE: { arity: -4, run: olderRange('score', true) },
  ZRANGEBYLEX: { arity: -4, run: olderRange('lex', false) },
  ZREVRANGEBYLEX: { arity: -4, run: olderRange('lex', true) },
  ZRANGESTORE: { arity: -5, run: zrangestore },
  ZCOUNT: { arity: 4, run: count('score') },
  ZLEXCOUNT: { arity: 4, run: count('lex') },
  ZREMRANGEBYRANK: { arity: 4, run: removeRange('rank') },
  ZREMRANGEBYSCORE: { arity: 4, run: removeRange('score') },
  ZREMRANGEBYLEX: { arity: 4, run: removeRange('lex') },
};
