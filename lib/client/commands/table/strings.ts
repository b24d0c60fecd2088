import type { Argument } from '../../../driver/driver.js';
import { ALL_KEYS, type CommandDescription, type KeyPositions } from '../command.js';
import { KEYS_AND_VALUES, once, reading, repeatable, TWO_KEYS } from './kinds.js';
import { hasOption } from './refine.js';

export const APPEND = once('APPEND');
export const DECR = once('DECR');
export const DECRBY = once('DECRBY');
export const GET = reading('GET');
export const GETDEL = once('GETDEL');
export const GETEX = repeatable('GETEX');
/** GETEX with EXAT or PXAT: an instant that is over makes it a GETDEL. */
export const GETEX_ONCE = once('GETEX');
export const GETRANGE = reading('GETRANGE');
export const INCR = once('INCR');
export const INCRBY = once('INCRBY');
export const INCRBYFLOAT = once('INCRBYFLOAT');
export const MGET = reading('MGET', ALL_KEYS);
export const MSET = repeatable('MSET', KEYS_AND_VALUES);
export const MSETNX = once('MSETNX', KEYS_AND_VALUES);
/** SET that only writes, with XX too: twice is once. */
export const SET = repeatable('SET');
/** SET with NX, GET or IFEQ: its reply tells what *this* execution found, so it is not to be repeated. */
export const SET_ONCE = once('SET');
export const SETNX = once('SETNX');
export const SETRANGE = repeatable('SETRANGE');
export const STRLEN = reading('STRLEN');

/** BITOP operation destination source …: everything but the first. */
const BITOP_KEYS: KeyPositions = { kind: 'range', first: 1, last: -1, step: 1 };

export const STRINGS_FAMILY: readonly CommandDescription[] = [
  APPEND,
  reading('BITCOUNT'),
  once('BITFIELD'),
  reading('BITFIELD_RO'),
  once('BITOP', BITOP_KEYS),
  reading('BITPOS'),
  DECR,
  DECRBY,
  GET,
  reading('GETBIT'),
  GETDEL,
  GETEX_ONCE,
  GETRANGE,
  once('GETSET'),
  INCR,
  INCRBY,
  INCRBYFLOAT,
  reading('LCS', TWO_KEYS),
  MGET,
  MSET,
  MSETNX,
  repeatable('PSETEX'),
  SET_ONCE,
  once('SETBIT'),
  repeatable('SETEX'),
  SETNX,
  SETRANGE,
  STRLEN,
  reading('SUBSTR'),
];

/** What the arguments of one call tell beyond the name. */
export function refineStrings(name: string, args: readonly Argument[]): CommandDescription | undefined {
  if (name === 'SET') return hasOption(args, 2, 'NX', 'GET', 'IFEQ') ? undefined : SET;
  if (name === 'GETEX') return hasOption(args, 1, 'EXAT', 'PXAT') ? undefined : GETEX;
  return undefined;
}
