import type { Argument, Reply } from '../../driver.js';
import { at, Options, upper, type CommandTable, type Context } from '../command.js';
import { atom, type Atom } from '../data/bytes.js';
import { double, integer } from '../data/numbers.js';
import { PlainSet } from '../data/plain-set.js';
import { SortedSet } from '../data/sorted-set.js';
import { refusal, syntaxError, wrongType } from '../refusal.js';
import type { Store } from '../store.js';
import { limitOf } from './sets.js';
import { listed } from './sorted-set-ranges.js';

/** A set as this algebra sees it: plain sets take part with score 1. */
type Scores = ReadonlyMap<Atom, number>;

type Aggregate = 'SUM' | 'MIN' | 'MAX';

interface Operands {
  readonly sets: readonly Scores[];
  readonly aggregate: Aggregate;
  readonly withScores: boolean;
}

type Combine = (operands: Operands) => Scores;

function scoresAt(store: Store, key: Argument): Scores {
  const value = store.find(atom(key))?.value;
  if (value === undefined) return new Map();
  if (value instanceof SortedSet) return new Map(value.ordered.map(({ name, score }) => [name, score]));
  if (value instanceof PlainSet) return new Map([...value.names()].map((name) => [name, 1]));
  throw wrongType();
}

function keysOf(options: Options, name: string): readonly Argument[] {
  const count = integer(options.next());
  if (count < 1) throw refusal(`at least 1 input key is needed for '${name}' command`);
  return options.take(count);
}

interface OperandForm {
  readonly name: string;
  /** Whether WEIGHTS and AGGREGATE may follow. */
  readonly weighted: boolean;
  readonly stored: boolean;
}

function operandsOf(store: Store, args: readonly Argument[], { name, weighted, stored }: OperandForm): Operands {
  const options = new Options(args, stored ? 1 : 0);
  const keys = keysOf(options, name);
  const plain = keys.map((key) => scoresAt(store, key));
  let weights: number[] = [];
  let aggregate: Aggregate = 'SUM';
  let withScores = false;
  while (options.left > 0) {
    const word = options.word();
    if (word === 'WEIGHTS' && weighted && options.left >= keys.length) weights = options.take(keys.length).map(weight);
    else if (word === 'AGGREGATE' && weighted && options.left > 0) aggregate = aggregateOf(options.next());
    else if (word === 'WITHSCORES' && !stored) withScores = true;
    else throw syntaxError();
  }
  const sets = plain.map((set, index) => weighed(set, weights[index]));
  return { sets, aggregate, withScores };
}

function weight(argument: Argument): number {
  return double(argument, () => refusal('weight value is not a float'));
}

function aggregateOf(argument: Argument): Aggregate {
  const word = upper(argument);
  if (word === 'SUM' || word === 'MIN' || word === 'MAX') return word;
  throw syntaxError();
}

function weighed(set: Scores, factor: number | undefined): Scores {
  if (factor === undefined) return set;
  return new Map([...set].map(([name, score]) => [name, orZero(score * factor)]));
}

/** Infinity times zero, or minus infinity, has no value; the server takes 0. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

function aggregated(left: number, right: number, aggregate: Aggregate): number {
  if (aggregate === 'SUM') return orZero(left + right);
  return aggregate === 'MIN' ? Math.min(left, right) : Math.max(left, right);
}

const union: Combine = ({ sets, aggregate }) => {
  const result = new Map<Atom, number>();
  for (const set of sets) {
    for (const [name, score] of set) {
      const known = result.get(name);
      result.set(name, known === undefined ? score : aggregated(known, score, aggregate));
    }
  }
  return result;
};

const intersection: Combine = ({ sets, aggregate }) => {
  const [smallest = new Map<Atom, number>(), ...others] = [...sets].sort((left, right) => left.size - right.size);
  const result = new Map<Atom, number>();
  for (const [name, score] of smallest) {
    let sum: number | undefined = score;
    for (const other of others) {
      const more = other.get(name);
      sum = more === undefined || sum === undefined ? undefined : aggregated(sum, more, aggregate);
    }
    if (sum !== undefined) result.set(name, sum);
  }
  return result;
};

const difference: Combine = ({ sets: [first = new Map<Atom, number>(), ...others] }) =>
  new Map([...first].filter(([name]) => others.every((other) => !other.has(name))));

function sorted(scores: Scores): SortedSet {
  const set = new SortedSet();
  for (const [name, score] of scores) set.set(name, score);
  return set;
}

function combined(name: string, combine: Combine, weighted: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const operands = operandsOf(store, args, { name, weighted, stored: false });
    return listed(sorted(combine(operands)).ordered, operands.withScores);
  };
}

function stored(name: string, combine: Combine, weighted: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const key = atom(at(args, 0));
    const result = sorted(combine(operandsOf(store, args, { name, weighted, stored: true })));
    if (result.size === 0) store.delete(key);
    else store.put(key, result);
    return result.size;
  };
}

function zintercard({ store }: Context, args: readonly Argument[]): Reply {
  const options = new Options(args, 0);
  const sets = keysOf(options, 'zintercard').map((key) => scoresAt(store, key));
  const limit = limitOf(options);
  const found = intersection({ sets, aggregate: 'SUM', withScores: false }).size;
  return limit === 0 ? found : Math.min(found, limit);
}

/** Sorted sets with one another. */
export const SORTED_SET_ALGEBRA: CommandTable = {
  ZUNION: { arity: -3, run: combined('zunion', union, true) },
  ZINTER: { arity: -3, run: combined('zinter', intersection, true) },
  ZDIFF: { arity: -3, run: combined('zdiff', difference, false) },
  ZUNIONSTORE: { arity: -4, run: stored('zunionstore', union, true) },
  ZINTERSTORE: { arity: -4, run: stored('zinterstore', intersection, true) },
  ZDIFFSTORE: { arity: -4, run: stored('zdiffstore', difference, false) },
  ZINTERCARD: { arity: -3, run: zintercard },
};
