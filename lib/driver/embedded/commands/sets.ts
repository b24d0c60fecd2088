import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, type Atom } from '../data/bytes.js';
import { integer, positive } from '../data/numbers.js';
import { PlainSet } from '../data/plain-set.js';
import { refusal, syntaxError } from '../refusal.js';
import type { Store } from '../store.js';
import { drawOf } from './hashes.js';

function setAt({ store }: Context, args: readonly Argument[]): PlainSet | undefined {
  return store.collection(atom(at(args, 0)), PlainSet);
}

function sadd({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const set = store.collectionOrNew(key, PlainSet);
  let added = 0;
  for (let index = 1; index < args.length; index += 1) if (set.add(atom(at(args, index)))) added += 1;
  if (added > 0) store.changed(key, set);
  return added;
}

function srem({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const set = store.collection(key, PlainSet);
  if (set === undefined) return 0;
  let gone = 0;
  for (let index = 1; index < args.length; index += 1) if (set.remove(atom(at(args, index)))) gone += 1;
  if (gone > 0) store.changed(key, set);
  return gone;
}

function smismember(context: Context, args: readonly Argument[]): Reply {
  const set = setAt(context, args);
  return args.slice(1).map((member) => (set?.has(atom(member)) === true ? 1 : 0));
}

function spop({ store }: Context, args: readonly Argument[]): Reply {
  if (args.length > 2) throw syntaxError();
  const key = atom(at(args, 0));
  const count = args.length === 2 ? positive(at(args, 1)) : undefined;
  const set = store.collection(key, PlainSet);
  if (set === undefined) return count === undefined ? null : [];
  const names = set.members.sample(count ?? 1).map(({ name }) => name);
  for (const name of names) set.remove(name);
  if (names.length > 0) store.changed(key, set);
  return count === undefined ? (names[0] ?? null) : names;
}

function srandmember(context: Context, args: readonly Argument[]): Reply {
  const { count } = drawOf(args, undefined);
  const members = setAt(context, args)?.members;
  if (count === undefined) return members?.random()?.name ?? null;
  return members?.draw(count).map(({ name }) => name) ?? [];
}

function smove({ store }: Context, args: readonly Argument[]): Reply {
  const [from, to] = [atom(at(args, 0)), atom(at(args, 1))];
  const member = atom(at(args, 2));
  const source = store.collection(from, PlainSet);
  if (source === undefined) return 0;
  const target = store.collectionOrNew(to, PlainSet);
  if (source === target) return source.has(member) ? 1 : 0;
  if (!source.remove(member)) return 0;
  store.changed(from, source);
  if (target.add(member)) store.changed(to, target);
  return 1;
}

type Combine = (sets: readonly (PlainSet | undefined)[]) => Atom[];

/** What all have, found by way of the smallest. */
function intersection(sets: readonly (PlainSet | undefined)[], limit = 0): Atom[] {
  const smallest = sets.reduce((least, set) => ((set?.size ?? 0) < (least?.size ?? 0) ? set : least));
  const found: Atom[] = [];
  for (const name of smallest?.names() ?? []) {
    if (sets.every((set) => set?.has(name) === true) && found.push(name) === limit) break;
  }
  return found;
}

function union(sets: readonly (PlainSet | undefined)[]): Atom[] {
  return [...new Set(sets.flatMap((set) => [...(set?.names() ?? [])]))];
}

function difference([first, ...others]: readonly (PlainSet | undefined)[]): Atom[] {
  return [...(first?.names() ?? [])].filter((name) => others.every((set) => set?.has(name) !== true));
}

function setsAt(store: Store, keys: readonly Argument[]): (PlainSet | undefined)[] {
  return keys.map((key) => store.collection(atom(key), PlainSet));
}

function combined(combine: Combine) {
  return ({ store }: Context, args: readonly Argument[]): Reply => combine(setsAt(store, args));
}

function stored(combine: Combine) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const key = atom(at(args, 0));
    const result = new PlainSet();
    for (const name of combine(setsAt(store, args.slice(1)))) result.add(name);
    if (result.size === 0) store.delete(key);
    else store.put(key, result);
    return result.size;
  };
}

/** Reads `numkeys key…`. */
export function countedKeys(options: Options, fail: () => Error): readonly Argument[] {
  const count = integer(options.next(), fail);
  if (count < 1) throw fail();
  return options.take(count);
}

function sintercard({ store }: Context, args: readonly Argument[]): Reply {
  const options = new Options(args, 0);
  const count = integer(options.next(), () => refusal('numkeys should be greater than 0'));
  if (count < 1) throw refusal('numkeys should be greater than 0');
  if (count > options.left) throw refusal("Number of keys can't be greater than number of args");
  const keys = options.take(count);
  const limit = limitOf(options);
  return intersection(setsAt(store, keys), limit).length;
}

/** Reads `[LIMIT n]` at the end of the INTERCARD commands. */
export function limitOf(options: Options): number {
  let limit = 0;
  while (options.left > 0) {
    if (!options.accept('LIMIT')) throw syntaxError();
    limit = positive(options.next(), () => refusal("LIMIT can't be negative"));
  }
  return limit;
}

/** Sets. */
export const SETS: CommandTable = {
  SADD: { arity: -3, run: sadd, grows: true },
  SREM: { arity: -3, run: srem },
  SMEMBERS: { arity: 2, run: (context, args) => [...(setAt(context, args)?.names() ?? [])] },
  SISMEMBER: { arity: 3, run: (context, args) => (setAt(context, args)?.has(atom(at(args, 1))) === true ? 1 : 0) },
  SMISMEMBER: { arity: -3, run: smismember },
  SCARD: { arity: 2, run: (context, args) => setAt(context, args)?.size ?? 0 },
  SPOP: { arity: -2, run: spop },
  SRANDMEMBER: { arity: -2, run: srandmember },
  SMOVE: { arity: 4, run: smove },
  SINTER: { arity: -2, run: combined(intersection) },
  SUNION: { arity: -2, run: combined(union) },
  SDIFF: { arity: -2, run: combined(difference) },
  SINTERSTORE: { arity: -3, run: stored(intersection) },
  SUNIONSTORE: { arity: -3, run: stored(union) },
  SDIFFSTORE: { arity: -3, run: stored(difference) },
  SINTERCARD: { arity: -3, run: sintercard },
};
