import { FIRST_KEY, NO_KEYS, type CommandDescription, type KeyPositions } from '../command.js';

/**
 * When is a command retry-safe? When the *state* after two executions is the state after one, and the reply of the
 * second is one the caller can still act on: DEL, SADD or ZADD may then count lower than the first would have, PERSIST
 * may say "nothing to do". It is not when the reply carries something the first execution took or decided: what was
 * popped or replaced (LPOP, GETDEL, SETBIT), who won (SET NX, SETNX, HSETNX, RENAMENX, SMOVE), what was counted
 * (INCR), or where it depends on positions that move (LSET, LTRIM, LREM, ZREMRANGEBYRANK), or on a destination that may
 * be its own source (SDIFFSTORE, ZUNIONSTORE, BITOP).
 */

/** A command that changes nothing: a replica may answer it, and it may be repeated. */
export function reading(name: string, keys: KeyPositions = FIRST_KEY): CommandDescription {
  return { name, keys, readOnly: true, retrySafe: true, blocking: false };
}

/** A change that may be repeated. */
export function repeatable(name: string, keys: KeyPositions = FIRST_KEY): CommandDescription {
  return { name, keys, readOnly: false, retrySafe: true, blocking: false };
}

/** A change that must happen once. */
export function once(name: string, keys: KeyPositions = FIRST_KEY): CommandDescription {
  return { name, keys, readOnly: false, retrySafe: false, blocking: false };
}

/** A change that may wait for something to happen first. */
export function waiting(name: string, keys: KeyPositions): CommandDescription {
  return { name, keys, readOnly: false, retrySafe: false, blocking: true };
}

/** A question to the server itself. Not `readOnly`: what a replica says about itself is no answer for its primary. */
export function asking(name: string): CommandDescription {
  return { name, keys: NO_KEYS, readOnly: false, retrySafe: true, blocking: false };
}

/** An order to the server itself. */
export function ordering(name: string): CommandDescription {
  return { name, keys: NO_KEYS, readOnly: false, retrySafe: false, blocking: false };
}

/** The second argument is the key, after a subcommand. */
export const SECOND_KEY: KeyPositions = { kind: 'range', first: 1, last: 1, step: 1 };
/** The first two arguments are keys. */
export const TWO_KEYS: KeyPositions = { kind: 'range', first: 0, last: 1, step: 1 };
/** Every argument but the last is a key. */
export const KEYS_BUT_LAST: KeyPositions = { kind: 'range', first: 0, last: -2, step: 1 };
/** Keys and values in turn. */
export const KEYS_AND_VALUES: KeyPositions = { kind: 'range', first: 0, last: -1, step: 2 };
/** The first argument counts the keys. */
export const COUNTED: KeyPositions = { kind: 'numkeys', at: 0 };
/** The second argument counts the keys. */
export const COUNTED_SECOND: KeyPositions = { kind: 'numkeys', at: 1 };
/** A destination, then a count of keys, then the keys. */
export const DESTINATION_AND_COUNTED: KeyPositions = { kind: 'numkeys', at: 1, also: [0] };
