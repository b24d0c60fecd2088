import { isUtf8 } from 'node:buffer';
import type { Argument } from '../../driver.js';

/**
 * Bytes as a JavaScript string, one to one, so that a Map can tell them apart: UTF-8 stands as its text; what is not
 * UTF-8 stands as a lone surrogate followed by one character per byte, which no text can equal.
 */
export type Atom = string;

/** A value that is only kept, not looked up: an {@link Atom}, or bytes that stay bytes. */
export type Datum = Atom | Buffer;

const RAW = '\udc00';
const RAW_CODE = 0xdc00;
const EMPTY = Buffer.alloc(0);

/** What ES2024 adds to strings and every supported Node has; the language level of this project is a year older. */
interface Utf16 {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/** A string as the wire would carry it: halves of a surrogate pair have no UTF-8 and become U+FFFD. */
function wellFormed(text: string): string {
  const utf16 = text as unknown as Utf16;
  return utf16.isWellFormed() ? text : utf16.toWellFormed();
}

/** An argument as key, field or member. */
export function atom(argument: Argument): Atom {
  if (typeof argument === 'string') return wellFormed(argument);
  return isUtf8(argument) ? argument.toString('utf8') : RAW + argument.toString('latin1');
}

/** An argument as value. Bytes are copied: the caller may reuse its buffer. */
export function datum(argument: Argument): Datum {
  return typeof argument === 'string' ? wellFormed(argument) : copyOf(argument);
}

/** An argument as text to parse: a number, a keyword. */
export function textOf(value: Argument): string {
  return typeof value === 'string' ? value : value.toString('latin1');
}

/** A value's bytes, to read only: they may be the stored ones. */
export function viewOf(value: Datum): Buffer {
  if (typeof value !== 'string') return value;
  return isRaw(value) ? Buffer.from(value.slice(1), 'latin1') : Buffer.from(value);
}

/** A value's bytes, to give away. */
export function bytesOf(value: Datum): Buffer {
  return typeof value === 'string' ? viewOf(value) : copyOf(value);
}

/** A value as text; bytes that are no UTF-8 become U+FFFD, as on the way out of any client. */
export function shown(value: Datum): string {
  if (typeof value !== 'string') return value.toString('utf8');
  return isRaw(value) ? viewOf(value).toString('utf8') : value;
}

/** A value in its cheapest form that loses nothing: text where it is UTF-8, else bytes. */
export function lossless(value: Datum): string | Buffer {
  if (typeof value === 'string') return isRaw(value) ? viewOf(value) : value;
  return isUtf8(value) ? value.toString('utf8') : copyOf(value);
}

/** How many bytes a value has. */
export function lengthOf(value: Datum): number {
  if (typeof value !== 'string') return value.length;
  return isRaw(value) ? value.length - 1 : Buffer.byteLength(value);
}

export function sameBytes(left: Datum, right: Datum): boolean {
  if (typeof left === 'string' && typeof right === 'string') return left === right;
  return viewOf(left).equals(viewOf(right));
}

/** One value after the other. Text stays text. */
export function joined(left: Datum, right: Datum): Datum {
  if (typeof left === 'string' && typeof right === 'string' && !isRaw(left) && !isRaw(right)) return left + right;
  return Buffer.concat([viewOf(left), viewOf(right)]);
}

/** Order by bytes, as the server sorts members. UTF-16 orders differently only from the surrogates on. */
export function compareAtoms(left: Atom, right: Atom): number {
  if (left === right) return 0;
  if (isRaw(left) || isRaw(right)) return Buffer.compare(viewOf(left), viewOf(right));
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const one = left.charCodeAt(index);
    const other = right.charCodeAt(index);
    if (one !== other) return byteRank(one) - byteRank(other);
  }
  return left.length - right.length;
}

/** Puts surrogates, which stand for four bytes, behind all units that stand for fewer. */
function byteRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function isRaw(value: string): boolean {
  return value.charCodeAt(0) === RAW_CODE;
}

function copyOf(bytes: Buffer): Buffer {
  return bytes.length === 0 ? EMPTY : Buffer.from(bytes);
}
