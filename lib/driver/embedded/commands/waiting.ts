import type { Argument, Reply } from '../../driver.js';
import { at, Options, Wait, type CommandTable, type Context } from '../command.js';
import { atom, textOf, type Atom } from '../data/bytes.js';
import { List, type End } from '../data/list.js';
import { integer, parseDouble } from '../data/numbers.js';
import { SortedSet } from '../data/sorted-set.js';
import { refusal, syntaxError } from '../refusal.js';
import type { Store } from '../store.js';
import { endOf, moveElement, popMany } from './lists.js';
import { popScored, type Extreme } from './sorted-sets.js';
import { withScores } from './sorted-set-ranges.js';

/** The longest time a server can count, in milliseconds. */
const LATEST = 2 ** 63;

/** Seconds, with a fraction, as milliseconds. */
function timeoutOf(argument: Argument): number {
  const seconds = parseDouble(textOf(argument));
  if (seconds === undefined) throw refusal('timeout is not a float or out of range');
  if (seconds < 0) throw refusal('timeout is negative');
  if (seconds * 1000 >= LATEST) throw refusal('timeout is out of range');
  return Math.ceil(seconds * 1000);
}

/** Answers at once when it can, else waits for one of the keys. */
function now(keys: readonly Atom[], timeout: number, attempt: () => Reply | undefined): Reply | Wait {
  return attempt() ?? new Wait(keys, timeout, attempt);
}

function firstOf<T>(keys: readonly Atom[], take: (key: Atom) => T | undefined): T | undefined {
  for (const key of keys) {
    const taken = take(key);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function blockingPop(end: End) {
  return ({ store }: Context, args: readonly Argument[]): Reply | Wait => {
    const timeout = timeoutOf(at(args, args.length - 1));
    const keys = args.slice(0, -1).map(atom);
    return now(keys, timeout, () =>
      firstOf(keys, (key) => {
        const list = store.collection(key, List);
        return list && [key, ...popMany(store, key, list, end, 1)];
      }),
    );
  };
}

function move({ store }: Context, keys: readonly [Atom, Atom], ends: readonly [End, End], timeout: number) {
  return now([keys[0]], timeout, () => moveElement(store, ...keys, ...ends));
}

function blmove(context: Context, args: readonly Argument[]): Reply | Wait {
  const ends = [endOf(at(args, 2)), endOf(at(args, 3))] as const;
  return move(context, [atom(at(args, 0)), atom(at(args, 1))], ends, timeoutOf(at(args, 4)));
}

function brpoplpush(context: Context, args: readonly Argument[]): Reply | Wait {
  return move(context, [atom(at(args, 0)), atom(at(args, 1))], ['right', 'left'], timeoutOf(at(args, 2)));
}

interface PopRequest<W> {
  readonly keys: readonly Atom[];
  readonly where: W;
  readonly count: number;
}

/** Reads `numkeys key… WHERE [COUNT n]`. */
function popRequest<W>(args: readonly Argument[], whereOf: (argument: Argument) => W): PopRequest<W> {
  const positiveOr = (argument: Argument, name: string): number => {
    const fail = () => refusal(`${name} should be greater than 0`);
    const value = integer(argument, fail);
    if (value <= 0) throw fail();
    return value;
  };
  const size = positiveOr(at(args, 0), 'numkeys');
  const options = new Options(args, 1);
  if (size >= options.left) throw syntaxError();
  const keys = options.take(size).map(atom);
  const where = whereOf(options.next());
  let count: number | undefined;
  while (options.left > 0) {
    if (count !== undefined || !options.accept('COUNT') || options.left === 0) throw syntaxError();
    count = positiveOr(options.next(), 'count');
  }
  return { keys, where, count: count ?? 1 };
}

function lmpopAttempt(store: Store, args: readonly Argument[]) {
  const { keys, where, count } = popRequest(args, endOf);
  const attempt = (): Reply | undefined =>
    firstOf(keys, (key) => {
      const list = store.collection(key, List);
      return list && [key, popMany(store, key, list, where, count)];
    });
  return { keys, attempt };
}

function extremeOf(argument: Argument): Extreme {
  const word = textOf(argument).toUpperCase();
  if (word === 'MIN') return 'min';
  if (word === 'MAX') return 'max';
  throw syntaxError();
}

function zmpopAttempt(store: Store, args: readonly Argument[]) {
  const { keys, where, count } = popRequest(args, extremeOf);
  const attempt = (): Reply | undefined =>
    firstOf(keys, (key) => {
      const set = store.collection(key, SortedSet);
      return set && [key, popScored(store, key, set, where, count).map((scored) => withScores([scored]))];
    });
  return { keys, attempt };
}

type AttemptOf = (
  store: Store,
  args: readonly Argument[],
) => { keys: Atom[] | readonly Atom[]; attempt: () => Reply | undefined };

function atOnce(attemptOf: AttemptOf) {
  return ({ store }: Context, args: readonly Argument[]): Reply => attemptOf(store, args).attempt() ?? null;
}

function blocking(attemptOf: AttemptOf) {
  return ({ store }: Context, args: readonly Argument[]): Reply | Wait => {
    const timeout = timeoutOf(at(args, 0));
    const { keys, attempt } = attemptOf(store, args.slice(1));
    return now(keys, timeout, attempt);
  };
}

function blockingZpop(extreme: Extreme) {
  return ({ store }: Context, args: readonly Argument[]): Reply | Wait => {
    const timeout = timeoutOf(at(args, args.length - 1));
    const keys = args.slice(0, -1).map(atom);
    return now(keys, timeout, () =>
      firstOf(keys, (key) => {
        const set = store.collection(key, SortedSet);
        return set && [key, ...withScores(popScored(store, key, set, extreme, 1))];
      }),
    );
  };
}

/** Commands that take from the first of several keys, and those that wait until they can. */
export const WAITING: CommandTable = {
  BLPOP: { arity: -3, run: blockingPop('left') },
  BRPOP: { arity: -3, run: blockingPop('right') },
  BLMOVE: { arity: 6, run: blmove },
  BRPOPLPUSH: { arity: 4, run: brpoplpush },
  LMPOP: { arity: -4, run: atOnce(lmpopAttempt) },
  BLMPOP: { arity: -5, run: blocking(lmpopAttempt) },
  ZMPOP: { arity: -4, run: atOnce(zmpopAttempt) },
  BZMPOP: { arity: -5, run: blocking(zmpopAttempt) },
  BZPOPMIN: { arity: -3, run: blockingZpop('min') },
  BZPOPMAX: { arity: -3, run: blockingZpop('max') },
};
