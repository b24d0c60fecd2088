import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import { ArgumentError } from './errors.js';

/** Longer names are stored under their hash. */
const LONGEST = 512;

/**
 * A name somebody gave, as it may stand in a key: itself, or its hash when it is long. `what` it is, is for the message.
 *
 * @throws ArgumentError for what is no name, or not well-formed
 */
export function storedName(name: string, what: string): string {
  return wellFormed(shortName(name, what), what);
}

/**
 * The same for who looks at short names himself, or must not be slowed down by it.
 *
 * @throws ArgumentError for what is no name, or long and not well-formed
 */
export function shortName(name: string, what: string): string {
  if (typeof name !== 'string' || name === '') throw badName(what, 'is not a string, or empty');
  if (name.length <= LONGEST) return name;
  return `sha256:${createHash('sha256').update(wellFormed(name, what)).digest('base64url')}`;
}

/**
 * Refuses half a surrogate pair: it would become the same bytes as any other half, and two names would be one.
 *
 * @throws ArgumentError
 */
export function wellFormed(name: string, what: string): string {
  if (toUSVString(name) !== name) {
    throw badName(what, 'holds half a surrogate pair, which cannot be told from another half');
  }
  return name;
}

function badName(what: string, problem: string): ArgumentError {
  return new ArgumentError(`${what} ${problem}. Give a text of at least one character.`, { subject: 'key' });
}
