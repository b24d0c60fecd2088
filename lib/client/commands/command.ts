import type { Argument } from '../../driver/driver.js';

/**
 * Where the keys of a command stand among its arguments, counted from 0:
 * - `none`: it has no key;
 * - a range: from `first` to `last` (negative counts from the end, -1 is the last argument) in steps of `step`;
 * - `numkeys`: argument `at` says how many keys follow it; `also` names further single positions (a destination);
 * - `streams`: the first half of what follows the word STREAMS (XREAD, XREADGROUP);
 * - a function, for the odd ones.
 */
export type KeyPositions =
  | { readonly kind: 'none' }
  | { readonly kind: 'range'; readonly first: number; readonly last: number; readonly step: number }
  | { readonly kind: 'numkeys'; readonly at: number; readonly also?: readonly number[] }
  | { readonly kind: 'streams' }
  | { readonly kind: 'custom'; readonly find: (args: readonly Argument[]) => readonly number[] };

/** What the client has to know about a command to send it safely. */
export interface CommandDescription {
  /** In upper case. */
  readonly name: string;
  readonly keys: KeyPositions;
  /** Changes nothing, so a replica may answer it. */
  readonly readOnly: boolean;
  /** Twice is the same as once, so a lost reply may be retried. Every reading command is. */
  readonly retrySafe: boolean;
  /** May hold its connection until something happens. */
  readonly blocking: boolean;
}

/** No key at all. */
export const NO_KEYS: KeyPositions = { kind: 'none' };
/** One key, the first argument: by far the most common form. */
export const FIRST_KEY: KeyPositions = { kind: 'range', first: 0, last: 0, step: 1 };
/** Every argument is a key. */
export const ALL_KEYS: KeyPositions = { kind: 'range', first: 0, last: -1, step: 1 };
