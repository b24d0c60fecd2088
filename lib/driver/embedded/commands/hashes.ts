import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, datum, textOf, type Atom, type Datum } from '../data/bytes.js';
import { parseExtended } from '../data/extended.js';
import { Hash } from '../data/hash.js';
import { INT64, integer, parseInteger } from '../data/numbers.js';
import { lengthOf } from '../data/bytes.js';
import { notAFloat, notAnInteger, outOfRange, refusal, syntaxError, wrongArity } from '../refusal.js';
import { incremented, incrementedFloat, isInfinity } from './strings.js';

/** The largest count HRANDFIELD and its siblings take when each may bring two values. */
const MOST_PAIRS = 2 ** 62;
/** The most repetitions that fit into a reply. */
const MOST_REPETITIONS = 2 ** 30;

function hashAt({ store }: Context, args: readonly Argument[]): Hash | undefined {
  return store.collection(atom(at(args, 0)), Hash);
}

function hset(name: string, reply: (added: number) => Reply) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    if (args.length % 2 === 0) throw wrongArity(name);
    const key = atom(at(args, 0));
    const hash = store.collectionOrNew(key, Hash);
    let added = 0;
    for (let index = 1; index < args.length; index += 2) {
      if (hash.set(atom(at(args, index)), datum(at(args, index + 1)))) added += 1;
    }
    store.changed(key, hash);
    return reply(added);
  };
}

function hsetnx({ store }: Context, args: readonly Argument[]): Reply {
  const [key, field] = [atom(at(args, 0)), atom(at(args, 1))];
  const hash = store.collectionOrNew(key, Hash);
  if (hash.get(field) !== undefined) return 0;
  hash.set(field, datum(at(args, 2)));
  store.changed(key, hash);
  return 1;
}

function hmget(context: Context, args: readonly Argument[]): Reply {
  const hash = hashAt(context, args);
  return args.slice(1).map((field) => hash?.get(atom(field)) ?? null);
}

function hdel({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const hash = store.collection(key, Hash);
  if (hash === undefined) return 0;
  let gone = 0;
  for (const field of args.slice(1)) if (hash.remove(atom(field))) gone += 1;
  if (gone > 0) store.changed(key, hash);
  return gone;
}

function entries(show: (field: Atom, value: Datum, into: Reply[]) => void) {
  return (context: Context, args: readonly Argument[]): Reply => {
    const into: Reply[] = [];
    for (const { name, value } of hashAt(context, args)?.members.values() ?? []) show(name, value, into);
    return into;
  };
}

function write({ store }: Context, args: readonly Argument[], change: (old: Datum | undefined) => Datum): void {
  const [key, field] = [atom(at(args, 0)), atom(at(args, 1))];
  const hash = store.collectionOrNew(key, Hash);
  hash.set(field, change(hash.get(field)));
  store.changed(key, hash);
}

function hincrby(context: Context, args: readonly Argument[]): Reply {
  const by = parseInteger(textOf(at(args, 2)));
  if (by === undefined) throw notAnInteger();
  let sum: number | bigint = 0;
  write(context, args, (old) => {
    sum = incremented(old, by, () => refusal('hash value is not an integer'));
    return sum.toString();
  });
  return sum;
}

function hincrbyfloat(context: Context, args: readonly Argument[]): Reply {
  const by = at(args, 2);
  if (isInfinity(textOf(by))) throw refusal('value is NaN or Infinity');
  if (parseExtended(textOf(by)) === undefined) throw notAFloat();
  let sum = '';
  write(context, args, (old) => {
    sum = incrementedFloat(old, by, () => refusal('hash value is not a float'));
    return sum;
  });
  return sum;
}

/** How many a command of chance shall bring, or `undefined` for one alone: positive without, negative with repeats. */
export interface Draw {
  readonly count: number | undefined;
  readonly withValues: boolean;
}

/** Reads `[count [WITHVALUES]]`. */
export function drawOf(args: readonly Argument[], word: string | undefined): Draw {
  const options = new Options(args, 1);
  if (options.left === 0) return { count: undefined, withValues: false };
  const count = drawCount(options.next());
  const withValues = word !== undefined && options.accept(word);
  if (options.left > 0) throw syntaxError();
  if ((withValues && count > MOST_PAIRS) || -count > MOST_REPETITIONS) throw outOfRange();
  return { count, withValues };
}

/** An integer other than the smallest one, which has no positive twin. */
export function drawCount(argument: Argument): number {
  if (parseInteger(textOf(argument)) !== INT64.min) return integer(argument);
  throw refusal(`value is out of range, value must between -${INT64.max} and ${INT64.max}`);
}

function hrandfield(context: Context, args: readonly Argument[]): Reply {
  const { count, withValues } = drawOf(args, 'WITHVALUES');
  const members = hashAt(context, args)?.members;
  if (count === undefined) return members?.random()?.name ?? null;
  if (members === undefined) return [];
  return members.draw(count).flatMap(({ name, value }) => (withValues ? [name, value] : [name]));
}

/** Fields and values under a key. */
export const HASHES: CommandTable = {
  HSET: { arity: -4, run: hset('hset', (added) => added), grows: true },
  HMSET: { arity: -4, run: hset('hmset', () => 'OK'), grows: true },
  HSETNX: { arity: 4, run: hsetnx, grows: true },
  HGET: { arity: 3, run: (context, args) => hashAt(context, args)?.get(atom(at(args, 1))) ?? null },
  HMGET: { arity: -3, run: hmget },
  HGETALL: { arity: 2, run: entries((field, value, into) => into.push(field, value)) },
  HKEYS: { arity: 2, run: entries((field, _value, into) => into.push(field)) },
  HVALS: { arity: 2, run: entries((_field, value, into) => into.push(value)) },
  HDEL: { arity: -3, run: hdel },
  HEXISTS: { arity: 3, run: (context, args) => (hashAt(context, args)?.members.has(atom(at(args, 1))) ? 1 : 0) },
  HLEN: { arity: 2, run: (context, args) => hashAt(context, args)?.size ?? 0 },
  HSTRLEN: { arity: 3, run: (context, args) => lengthOf(hashAt(context, args)?.get(atom(at(args, 1))) ?? '') },
  HINCRBY: { arity: 4, run: hincrby, grows: true },
  HINCRBYFLOAT: { arity: 4, run: hincrbyfloat, grows: true },
  HRANDFIELD: { arity: -2, run: hrandfield },
};
