import type { Argument } from '../../driver.js';
import { refusal } from '../refusal.js';
import { textOf } from './bytes.js';

const ID = /^(\d{1,20})(?:-(\d{1,20}))?$/;
const PART = 2n ** 64n - 1n;

/** The last id there can be. */
export const LAST_ID = (PART << 64n) | PART;

const invalidId = () => refusal('Invalid stream ID specified as stream command argument');

/** An id of two parts as one number that orders the same way. */
export function streamId(milliseconds: bigint, sequence: bigint): bigint {
  return (milliseconds << 64n) | sequence;
}

export function millisecondsOf(id: bigint): bigint {
  return id >> 64n;
}

export function sequenceOf(id: bigint): bigint {
  return id & PART;
}

export function formatId(id: bigint): string {
  return `${millisecondsOf(id)}-${sequenceOf(id)}`;
}

/** Reads an id; `sequence` stands in where only milliseconds are given. */
export function parseId(argument: Argument, sequence = 0n): bigint {
  const parts = ID.exec(textOf(argument));
  if (parts === null) throw invalidId();
  const milliseconds = BigInt(parts[1] as string);
  const given = parts[2] === undefined ? sequence : BigInt(parts[2]);
  if (milliseconds > PART || given > PART) throw invalidId();
  return streamId(milliseconds, given);
}

/** Reads one end of an interval: `-`, `+`, an id, or `(` and an id that is not included. */
export function parseBound(argument: Argument, end: 'start' | 'end'): bigint {
  const text = textOf(argument);
  if (text === '-') return 0n;
  if (text === '+') return LAST_ID;
  const sequence = end === 'start' ? 0n : PART;
  if (!text.startsWith('(')) return parseId(text, sequence);
  const id = parseId(text.slice(1), sequence);
  if (end === 'start') {
    if (id === LAST_ID) throw refusal('invalid start ID for the interval');
    return id + 1n;
  }
  if (id === 0n) throw refusal('invalid end ID for the interval');
  return id - 1n;
}

/** Reads the id XADD is given, on a stream whose last one is `last`. */
export function nextId(argument: Argument, last: bigint, now: number): bigint {
  const text = textOf(argument);
  if (text === '*') {
    const id = streamId(BigInt(Math.floor(now)), 0n);
    return id > last ? id : last + 1n;
  }
  if (!text.endsWith('-*')) return parseId(text);
  const milliseconds = millisecondsOf(parseId(text.slice(0, -2)));
  if (milliseconds !== millisecondsOf(last)) return streamId(milliseconds, 0n);
  return sequenceOf(last) === PART ? last : last + 1n;
}
