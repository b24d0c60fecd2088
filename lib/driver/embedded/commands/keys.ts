import { UnsupportedError } from '../../../core/errors.js';
import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, bytesOf } from '../data/bytes.js';
import { glob } from '../data/glob.js';
import { integer } from '../data/numbers.js';
import { noSuchKey, refusal, syntaxError } from '../refusal.js';
import type { Store, Value } from '../store.js';

function count(check: (store: Store, key: string) => boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    let found = 0;
    for (const key of args) if (check(store, atom(key))) found += 1;
    return found;
  };
}

const remove = count((store, key) => store.delete(key));
const touch = count((store, key) => store.find(key) !== undefined);

/** What TYPE says about a value. */
export function typeOf(value: Value): string {
  return typeof value === 'string' || Buffer.isBuffer(value) ? 'string' : value.type;
}

function type({ store }: Context, args: readonly Argument[]): Reply {
  const entry = store.peek(atom(at(args, 0)));
  return entry === undefined ? 'none' : typeOf(entry.value);
}

function rename({ store }: Context, args: readonly Argument[]): Reply {
  const [from, to] = [atom(at(args, 0)), atom(at(args, 1))];
  const entry = store.find(from);
  if (entry === undefined) throw noSuchKey();
  if (from === to) return 'OK';
  const { value, expiresAt } = entry;
  store.delete(from);
  store.delete(to);
  store.put(to, value, expiresAt);
  return 'OK';
}

function renamenx(context: Context, args: readonly Argument[]): Reply {
  const [from, to] = [atom(at(args, 0)), atom(at(args, 1))];
  if (context.store.find(from) === undefined) throw noSuchKey();
  if (context.store.peek(to) !== undefined) return 0;
  rename(context, args);
  return 1;
}

function copy({ store }: Context, args: readonly Argument[]): Reply {
  const [from, to] = [atom(at(args, 0)), atom(at(args, 1))];
  const options = new Options(args, 2);
  let replace = false;
  while (options.left > 0) {
    const word = options.word();
    if (word === 'REPLACE') replace = true;
    else if (word === 'DB' && options.left > 0) onlyDatabase(options.next());
    else throw syntaxError();
  }
  if (from === to) throw refusal('source and destination objects are the same');
  const entry = store.find(from);
  if (entry === undefined || (!replace && store.peek(to) !== undefined)) return 0;
  const { value, expiresAt } = entry;
  store.delete(to);
  store.put(to, cloneOf(value), expiresAt);
  return 1;
}

function cloneOf(value: Value): Value {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? bytesOf(value) : value.clone();
}

/** There is one database, 0. */
export function onlyDatabase(argument: Argument): void {
  if (integer(argument) === 0) return;
  throw new UnsupportedError('The embedded driver has one database, 0. Use a key prefix to keep data apart.', {
    subject: 'SELECT',
  });
}

function keys({ store }: Context, args: readonly Argument[]): Reply {
  const matches = glob(at(args, 0));
  const found: string[] = [];
  for (const { name } of store.keys()) if (matches(name)) found.push(name);
  return found;
}

/** Keys whatever they hold. */
export const KEYS: CommandTable = {
  DEL: { arity: -2, run: remove },
  UNLINK: { arity: -2, run: remove },
  EXISTS: { arity: -2, run: touch },
  TOUCH: { arity: -2, run: touch },
  TYPE: { arity: 2, run: type },
  RENAME: { arity: 3, run: rename },
  RENAMENX: { arity: 3, run: renamenx },
  COPY: { arity: -3, run: copy },
  KEYS: { arity: 2, run: keys },
  RANDOMKEY: { arity: 1, run: ({ store }) => store.random()?.name ?? null },
};
