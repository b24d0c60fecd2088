import type { Argument } from '../../driver.js';
import { mustBePositive, notAFloat, notAnInteger } from '../refusal.js';
import { textOf } from './bytes.js';

const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** The largest and the smallest integer a server counts with. */
export const INT64 = { min: MIN, max: MAX } as const;

/** A 64-bit integer, exact, or `undefined` when it is none. Small ones come as number because they are faster. */
export function parseInteger(text: string): number | bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  if (text.length < 16) return Number(text);
  const exact = BigInt(text);
  return exact > MAX || exact < MIN ? undefined : exact;
}

/** A 64-bit integer where rounding beyond 2^53 does no harm: an index, a count, a time. */
export function integer(argument: Argument, fail: () => Error = notAnInteger): number {
  const parsed = parseInteger(textOf(argument));
  if (parsed === undefined) throw fail();
  return Number(parsed);
}

/** An integer that counts something. */
export function positive(argument: Argument, fail: () => Error = mustBePositive): number {
  const parsed = integer(argument, fail);
  if (parsed < 0) throw fail();
  return parsed;
}

/** A double as strtod reads it, `inf` included, or `undefined`. */
export function parseDouble(text: string): number | undefined {
  if (FLOAT.test(text)) {
    const parsed = Number(text);
    return Number.isFinite(parsed) ? parsed : undefined;
  }
  const infinite = INFINITE.exec(text);
  if (infinite === null) return undefined;
  return infinite[1] === '-' ? -Infinity : Infinity;
}

export function double(argument: Argument, fail: () => Error = notAFloat): number {
  const parsed = parseDouble(textOf(argument));
  if (parsed === undefined) throw fail();
  return parsed;
}

/** A double as the server writes it: shortest digits that read back the same, exponents from a certain length on. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 62) return BigInt(value).toString();
  const [mantissa = '', power = '0'] = Math.abs(value).toExponential().split('e');
  const sign = value < 0 ? '-' : '';
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  const scale = exponent - digits.length + 1;
  const magnitude = Math.abs(exponent);
  if (scale >= 0 && magnitude < digits.length + 7) return sign + digits + '0'.repeat(scale);
  if (scale < 0 && (scale > -7 || magnitude < 4)) {
    const point = digits.length + scale;
    if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
    return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  }
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits.slice(0, 1)}${rest}e${exponent < 0 ? '-' : '+'}${magnitude}`;
}

/** Start and end of a range as the server counts: from the end when negative; `undefined` when it is empty. */
export function rangeOf(start: number, end: number, length: number): readonly [number, number] | undefined {
  const from = Math.max(start < 0 ? start + length : start, 0);
  const to = Math.min(end < 0 ? end + length : end, length - 1);
  return from > to || from >= length ? undefined : [from, to];
}
