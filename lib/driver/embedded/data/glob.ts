import type { Argument } from '../../driver.js';
import { atom, viewOf, type Atom } from './bytes.js';

/** Compiles a pattern as KEYS, SCAN MATCH and PSUBSCRIBE take it: `*`, `?`, `[a-z]`, `[^a]`, `\` before any of them. */
export function glob(pattern: Argument): (name: Atom) => boolean {
  const text = atom(pattern);
  if (text === '*') return () => true;
  if (!/[*?[\\]/.test(text)) return (name) => name === text;
  const bytes = viewOf(text);
  return (name) => matches(bytes, viewOf(name));
}

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const ESCAPE = 0x5c;

/** Byte by byte, and back to the last star only, so that no pattern takes exponential time. */
function matches(pattern: Buffer, name: Buffer): boolean {
  let at = 0;
  let index = 0;
  let starAt = -1;
  let starIndex = 0;
  while (index < name.length) {
    const step = at < pattern.length ? matchOne(pattern, at, name[index] as number) : -1;
    if (pattern[at] === STAR) {
      starAt = at;
      starIndex = index;
      at += 1;
    } else if (step !== -1) {
      at = step;
      index += 1;
    } else if (starAt !== -1) {
      at = starAt + 1;
      starIndex += 1;
      index = starIndex;
    } else return false;
  }
  while (pattern[at] === STAR) at += 1;
  return at >= pattern.length;
}

/** Matches one byte against the piece of pattern at `at`; where the next piece begins, or -1. */
function matchOne(pattern: Buffer, at: number, byte: number): number {
  const head = pattern[at];
  if (head === QUESTION) return at + 1;
  if (head === OPEN) return matchClass(pattern, at + 1, byte);
  if (head === ESCAPE && at + 1 < pattern.length) return pattern[at + 1] === byte ? at + 2 : -1;
  return head === byte ? at + 1 : -1;
}

function matchClass(pattern: Buffer, start: number, byte: number): number {
  const negated = pattern[start] === CARET;
  let at = negated ? start + 1 : start;
  let found = false;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === ESCAPE && at + 1 < pattern.length) {
      at += 1;
      if (pattern[at] === byte) found = true;
    } else if (pattern[at + 1] === DASH && at + 2 < pattern.length) {
      const low = Math.min(pattern[at] as number, pattern[at + 2] as number);
      const high = Math.max(pattern[at] as number, pattern[at + 2] as number);
      if (byte >= low && byte <= high) found = true;
      at += 2;
    } else if (pattern[at] === byte) found = true;
    at += 1;
  }
  return found === negated ? -1 : at + 1;
}
