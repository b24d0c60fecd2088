import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom } from '../data/bytes.js';
import { integer } from '../data/numbers.js';
import { invalidExpiry, refusal } from '../refusal.js';
import { NEVER, type Entry } from '../store.js';

/** The last time a server can count to, in milliseconds. */
const LATEST = 2 ** 63;

interface Unit {
  readonly factor: number;
  readonly absolute: boolean;
}

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['EX', { factor: 1000, absolute: false }],
  ['PX', { factor: 1, absolute: false }],
  ['EXAT', { factor: 1000, absolute: true }],
  ['PXAT', { factor: 1, absolute: true }],
]);

/** Whether this is the keyword of an option that sets a time to live. */
export function isExpiryWord(word: string): boolean {
  return UNITS.has(word);
}

/** The time an option of SET or GETEX stands for, in milliseconds since the epoch. */
export function expiryOption(context: Context, command: string, word: string, given: Argument): number {
  const value = integer(given);
  if (value <= 0) throw invalidExpiry(command);
  return endOf(context, command, UNITS.get(word) as Unit, value);
}

function endOf({ store }: Context, command: string, unit: Unit, value: number): number {
  const end = value * unit.factor + (unit.absolute ? 0 : store.now());
  if (Math.abs(value * unit.factor) > LATEST || end > LATEST) throw invalidExpiry(command);
  return end;
}

type Condition = 'NX' | 'XX' | 'GT' | 'LT';

function conditions(args: readonly Argument[]): Set<Condition> {
  const found = new Set<Condition>();
  const options = new Options(args, 2);
  while (options.left > 0) {
    const word = options.word();
    if (word !== 'NX' && word !== 'XX' && word !== 'GT' && word !== 'LT') throw refusal('Unsupported option');
    found.add(word);
  }
  if (found.has('NX') && found.size > 1) {
    throw refusal('NX and XX, GT or LT options at the same time are not compatible');
  }
  if (found.has('GT') && found.has('LT')) throw refusal('GT and LT options at the same time are not compatible');
  return found;
}

function isMet(condition: Condition, entry: Entry, end: number): boolean {
  if (condition === 'NX') return entry.expiresAt === NEVER;
  if (condition === 'XX') return entry.expiresAt !== NEVER;
  return condition === 'GT' ? end > entry.expiresAt : end < entry.expiresAt;
}

function expire(name: string, word: string) {
  return (context: Context, args: readonly Argument[]): Reply => {
    const { store } = context;
    const wanted = conditions(args);
    const end = endOf(context, name, UNITS.get(word) as Unit, integer(at(args, 1)));
    const entry = store.find(atom(at(args, 0)));
    if (entry === undefined || ![...wanted].every((condition) => isMet(condition, entry, end))) return 0;
    if (end <= store.now()) store.delete(entry.name);
    else store.expire(entry, end);
    return 1;
  };
}

function left(factor: number, absolute: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const entry = store.peek(atom(at(args, 0)));
    if (entry === undefined) return -2;
    if (entry.expiresAt === NEVER) return -1;
    const milliseconds = absolute ? entry.expiresAt : Math.max(entry.expiresAt - store.now(), 0);
    return factor === 1 ? milliseconds : Math.floor((milliseconds + factor / 2) / factor);
  };
}

function persist({ store }: Context, args: readonly Argument[]): Reply {
  const entry = store.find(atom(at(args, 0)));
  if (entry === undefined || entry.expiresAt === NEVER) return 0;
  store.expire(entry, NEVER);
  return 1;
}

/** Times to live. */
export const EXPIRY: CommandTable = {
  EXPIRE: { arity: -3, run: expire('expire', 'EX') },
  PEXPIRE: { arity: -3, run: expire('pexpire', 'PX') },
  EXPIREAT: { arity: -3, run: expire('expireat', 'EXAT') },
  PEXPIREAT: { arity: -3, run: expire('pexpireat', 'PXAT') },
  TTL: { arity: 2, run: left(1000, false) },
  PTTL: { arity: 2, run: left(1, false) },
  EXPIRETIME: { arity: 2, run: left(1000, true) },
  PEXPIRETIME: { arity: 2, run: left(1, true) },
  PERSIST: { arity: 2, run: persist },
};
