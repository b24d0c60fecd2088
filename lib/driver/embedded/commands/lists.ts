import type { Argument, Reply } from '../../driver.js';
import { at, Options, upper, type CommandTable, type Context } from '../command.js';
import { atom, datum, sameBytes, type Atom, type Datum } from '../data/bytes.js';
import { List, type End } from '../data/list.js';
import { integer, positive, rangeOf } from '../data/numbers.js';
import { noSuchKey, refusal, syntaxError, wrongArity } from '../refusal.js';
import type { Store } from '../store.js';
import { drawCount } from './hashes.js';

function listAt({ store }: Context, args: readonly Argument[]): List | undefined {
  return store.collection(atom(at(args, 0)), List);
}

function push(end: End, onlyExisting: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const key = atom(at(args, 0));
    const list = onlyExisting ? store.collection(key, List) : store.collectionOrNew(key, List);
    if (list === undefined) return 0;
    for (let index = 1; index < args.length; index += 1) list.push(end, datum(at(args, index)));
    store.changed(key, list);
    return list.size;
  };
}

/** Takes up to `count` elements from one end; the key goes with the last one. */
export function popMany(store: Store, key: Atom, list: List, end: End, count: number): Datum[] {
  const taken: Datum[] = [];
  while (taken.length < count && list.size > 0) taken.push(list.pop(end) as Datum);
  if (taken.length > 0) store.changed(key, list);
  return taken;
}

function pop(end: End, name: string) {
  return (context: Context, args: readonly Argument[]): Reply => {
    if (args.length > 2) throw wrongArity(name);
    const count = args.length === 2 ? positive(at(args, 1)) : undefined;
    const list = listAt(context, args);
    if (list === undefined) return null;
    const taken = popMany(context.store, atom(at(args, 0)), list, end, count ?? 1);
    return count === undefined ? (taken[0] ?? null) : taken;
  };
}

function lrange(context: Context, args: readonly Argument[]): Reply {
  const [start, end] = [integer(at(args, 1)), integer(at(args, 2))];
  const list = listAt(context, args);
  const range = rangeOf(start, end, list?.size ?? 0);
  return list === undefined || range === undefined ? [] : list.slice(range[0], range[1]);
}

function lindex(context: Context, args: readonly Argument[]): Reply {
  const list = listAt(context, args);
  if (list === undefined) return null;
  const index = integer(at(args, 1));
  return list.at(index < 0 ? index + list.size : index) ?? null;
}

function lset({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const list = store.collection(key, List);
  if (list === undefined) throw noSuchKey();
  const given = integer(at(args, 1));
  const index = given < 0 ? given + list.size : given;
  if (list.at(index) === undefined) throw refusal('index out of range');
  list.set(index, datum(at(args, 2)));
  store.changed(key, list);
  return 'OK';
}

function lrem({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const count = integer(at(args, 1));
  const wanted = datum(at(args, 2));
  const list = store.collection(key, List);
  if (list === undefined) return 0;
  let left = count === 0 ? Infinity : Math.abs(count);
  const values = list.toArray();
  if (count < 0) values.reverse();
  const kept = values.filter((value) => {
    if (left === 0 || !sameBytes(value, wanted)) return true;
    left -= 1;
    return false;
  });
  if (kept.length === values.length) return 0;
  list.assign(count < 0 ? kept.reverse() : kept);
  store.changed(key, list);
  return values.length - kept.length;
}

function ltrim({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const [start, end] = [integer(at(args, 1)), integer(at(args, 2))];
  const list = store.collection(key, List);
  if (list === undefined) return 'OK';
  const [from, to] = rangeOf(start, end, list.size) ?? [list.size, list.size - 1];
  let surplus = list.size - 1 - to;
  for (let index = 0; index < from; index += 1) list.pop('left');
  for (; surplus > 0; surplus -= 1) list.pop('right');
  store.changed(key, list);
  return 'OK';
}

function linsert({ store }: Context, args: readonly Argument[]): Reply {
  const where = upper(at(args, 1));
  if (where !== 'BEFORE' && where !== 'AFTER') throw syntaxError();
  const key = atom(at(args, 0));
  const pivot = datum(at(args, 2));
  const list = store.collection(key, List);
  if (list === undefined) return 0;
  const values = list.toArray();
  const index = values.findIndex((value) => sameBytes(value, pivot));
  if (index === -1) return -1;
  values.splice(where === 'BEFORE' ? index : index + 1, 0, datum(at(args, 3)));
  list.assign(values);
  store.changed(key, list);
  return list.size;
}

function lpos(context: Context, args: readonly Argument[]): Reply {
  const options = new Options(args, 2);
  let rank = 1;
  let count: number | undefined;
  let most = 0;
  while (options.left > 0) {
    const word = options.word();
    if (options.left === 0) throw syntaxError();
    if (word === 'RANK') rank = rankOf(options.next());
    else if (word === 'COUNT') count = positive(options.next(), () => refusal("COUNT can't be negative"));
    else if (word === 'MAXLEN') most = positive(options.next(), () => refusal("MAXLEN can't be negative"));
    else throw syntaxError();
  }
  const found = positions(listAt(context, args), datum(at(args, 1)), rank, count ?? 1, most);
  return count === undefined ? (found[0] ?? null) : found;
}

function rankOf(argument: Argument): number {
  const rank = drawCount(argument);
  if (rank !== 0) return rank;
  throw refusal(
    "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
  );
}

function positions(list: List | undefined, wanted: Datum, rank: number, count: number, most: number): number[] {
  const found: number[] = [];
  if (list === undefined) return found;
  const limit = most === 0 ? list.size : Math.min(most, list.size);
  let toSkip = Math.abs(rank) - 1;
  for (let step = 0; step < limit; step += 1) {
    const index = rank > 0 ? step : list.size - 1 - step;
    if (!sameBytes(list.at(index) as Datum, wanted)) continue;
    if (toSkip > 0) toSkip -= 1;
    else if (found.push(index) === count) break;
  }
  return found;
}

/** Moves one element between two ends; `undefined` when there is none. */
export function moveElement(store: Store, from: Atom, to: Atom, take: End, give: End): Datum | undefined {
  const source = store.collection(from, List);
  if (source === undefined) return undefined;
  const target = from === to ? source : store.collectionOrNew(to, List);
  const value = source.pop(take) as Datum;
  target.push(give, value);
  store.changed(from, source);
  if (target !== source) store.changed(to, target);
  return value;
}

/** LEFT or RIGHT. */
export function endOf(argument: Argument): End {
  const word = upper(argument);
  if (word === 'LEFT') return 'left';
  if (word === 'RIGHT') return 'right';
  throw syntaxError();
}

function lmove({ store }: Context, args: readonly Argument[]): Reply {
  const [take, give] = [endOf(at(args, 2)), endOf(at(args, 3))];
  return moveElement(store, atom(at(args, 0)), atom(at(args, 1)), take, give) ?? null;
}

function rpoplpush({ store }: Context, args: readonly Argument[]): Reply {
  return moveElement(store, atom(at(args, 0)), atom(at(args, 1)), 'right', 'left') ?? null;
}

/** Lists, without waiting. */
export const LISTS: CommandTable = {
  LPUSH: { arity: -3, run: push('left', false), grows: true },
  RPUSH: { arity: -3, run: push('right', false), grows: true },
  LPUSHX: { arity: -3, run: push('left', true), grows: true },
  RPUSHX: { arity: -3, run: push('right', true), grows: true },
  LPOP: { arity: -2, run: pop('left', 'lpop') },
  RPOP: { arity: -2, run: pop('right', 'rpop') },
  LLEN: { arity: 2, run: (context, args) => listAt(context, args)?.size ?? 0 },
  LRANGE: { arity: 4, run: lrange },
  LINDEX: { arity: 3, run: lindex },
  LSET: { arity: 4, run: lset, grows: true },
  LREM: { arity: 4, run: lrem },
  LTRIM: { arity: 4, run: ltrim },
  LINSERT: { arity: 5, run: linsert, grows: true },
  LPOS: { arity: -3, run: lpos },
  LMOVE: { arity: 5, run: lmove },
  RPOPLPUSH: { arity: 3, run: rpoplpush },
};
