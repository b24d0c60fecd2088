import type { Argument, Reply } from '../../driver.js';
import { at, Options, upper, type CommandTable, type Context } from '../command.js';
import { atom, textOf, type Atom } from '../data/bytes.js';
import { glob } from '../data/glob.js';
import { Hash } from '../data/hash.js';
import type { Member, Members } from '../data/members.js';
import { formatDouble, integer } from '../data/numbers.js';
import { PlainSet } from '../data/plain-set.js';
import { SortedSet } from '../data/sorted-set.js';
import { refusal, syntaxError } from '../refusal.js';
import { typeOf } from './keys.js';

/** How many are looked at when COUNT is not given. */
const DEFAULT_COUNT = 10;

const TYPES = new Set(['string', 'list', 'set', 'zset', 'hash', 'stream']);

interface ScanOptions {
  readonly cursor: number;
  readonly count: number;
  readonly matches: (name: Atom) => boolean;
  readonly type: string | undefined;
  readonly withValues: boolean;
}

function scanOptions(args: readonly Argument[], from: number, words: readonly string[]): ScanOptions {
  const cursor = cursorOf(at(args, from));
  const options = new Options(args, from + 1);
  let count = DEFAULT_COUNT;
  let matches = (_name: Atom): boolean => true;
  let type: string | undefined;
  let withValues = true;
  while (options.left > 0) {
    const word = options.word();
    if (word === 'COUNT') {
      count = integer(options.next());
      if (count < 1) throw syntaxError();
    } else if (word === 'MATCH') matches = glob(options.next());
    else if (word === 'TYPE' && words.includes(word)) type = typeNamed(options.next());
    else if (word === 'NOVALUES' && words.includes(word)) withValues = false;
    else throw syntaxError();
  }
  return { cursor, count, matches, type, withValues };
}

function typeNamed(argument: Argument): string {
  const name = upper(argument).toLowerCase();
  if (!TYPES.has(name)) throw refusal('unknown type name');
  return name;
}

function cursorOf(argument: Argument): number {
  const text = textOf(argument);
  if (!/^\d{1,20}$/.test(text)) throw refusal('invalid cursor');
  return Number(text);
}

function scan({ store }: Context, args: readonly Argument[]): Reply {
  const { cursor, count, matches, type } = scanOptions(args, 0, ['TYPE']);
  const page = store.page(cursor, count);
  const found = page.items.filter(({ name, value }) => matches(name) && (type ?? typeOf(value)) === typeOf(value));
  return [String(page.cursor), found.map(({ name }) => name)];
}

function scanMembers<T extends Member>(
  members: Members<T> | undefined,
  { cursor, count, matches }: ScanOptions,
  show: (member: T) => readonly string[] | readonly Reply[],
): Reply {
  if (members === undefined) return ['0', []];
  const page = members.page(cursor, count);
  return [String(page.cursor), page.items.filter(({ name }) => matches(name)).flatMap((member) => [...show(member)])];
}

function hscan({ store }: Context, args: readonly Argument[]): Reply {
  const options = scanOptions(args, 1, ['NOVALUES']);
  const members = store.collection(atom(at(args, 0)), Hash)?.members;
  return scanMembers(members, options, ({ name, value }) => (options.withValues ? [name, value] : [name]));
}

function sscan({ store }: Context, args: readonly Argument[]): Reply {
  const options = scanOptions(args, 1, []);
  return scanMembers(store.collection(atom(at(args, 0)), PlainSet)?.members, options, ({ name }) => [name]);
}

function zscan({ store }: Context, args: readonly Argument[]): Reply {
  const options = scanOptions(args, 1, []);
  const members = store.collection(atom(at(args, 0)), SortedSet)?.members;
  return scanMembers(members, options, ({ name, score }) => [name, formatDouble(score)]);
}

/** Everything in pages. A cursor is a number of the remaining, see {@link Members}. */
export const SCANS: CommandTable = {
  SCAN: { arity: -2, run: scan },
  HSCAN: { arity: -3, run: hscan },
  SSCAN: { arity: -3, run: sscan },
  ZSCAN: { arity: -3, run: zscan },
};
