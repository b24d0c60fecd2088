import { ArgumentError } from './errors.js';

/** A span of time: a number of milliseconds, or a number with a unit: `'250ms'`, `'5s'`, `'1m'`, `'24h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/;

/** Milliseconds of `text`, or `undefined` when it is not a duration. A bare number counts as milliseconds. */
export function parseDuration(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text : undefined;
  if (typeof text !== 'string') return undefined;
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}

/** Milliseconds of `duration`, rounded up to a whole one, or an error that names `subject`. */
export function toMilliseconds(duration: Duration, subject: string): number {
  const milliseconds = parseDuration(duration);
  if (milliseconds === undefined) {
    throw new ArgumentError(
      `${subject} must be a duration such as '250ms', '5s', '1m', '24h', or a number of milliseconds.`,
      { subject },
    );
  }
  return Math.ceil(milliseconds);
}
