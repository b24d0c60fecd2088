import { parseDuration } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import type { Problems } from './problem.js';
import { shown, unknownName } from './problem.js';

/** Looks at the value of an option: says what it must be where it is wrong. */
export type Check = (value: unknown) => string | undefined;

/** A check for each option. */
export type Checks<T extends object> = { readonly [K in keyof Required<T>]: Check };

/** What Node's timers can wait. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Checks what is given, one option at a time. @returns whether all is well */
export function checkEach<T extends object>(given: T, checks: Checks<T>, path: string, problems: Problems): boolean {
  const bad = Object.entries<Check>(checks).filter(([name, check]) => {
    const value: unknown = given[name as keyof T];
    const expected = value === undefined ? undefined : check(value);
    if (expected !== undefined) problems.add(`${path}.${name}`, `is ${shown(value)}: it must be ${expected}.`);
    return expected !== undefined;
  });
  return bad.length === 0;
}

/** Checks that there is an object with known names only. @returns whether there is an object */
export function checkObject(value: unknown, known: readonly string[], path: string, problems: Problems): boolean {
  if (!isObject(value)) {
    problems.add(path, `is ${shown(value)}: it must be an object with ${known.join(', ')}.`);
    return false;
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) problems.add(`${path}.${name}`, unknownName(name, known));
  }
  return true;
}

/** Checks that options without a default are there. */
export function checkGiven<T extends object>(
  given: T,
  names: readonly (keyof T & string)[],
  path: string,
  problems: Problems,
): void {
  for (const name of names) {
    if (given[name] === undefined) problems.add(`${path}.${name}`, 'is missing: it has no default.');
  }
}

/** A duration from `least` to `most` milliseconds. */
export function duration(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  const limit = most < Number.MAX_SAFE_INTEGER ? `${least} to ${most} ms` : `at least ${least} ms`;
  return (value) =>
    isNumber(parseDuration(value as Duration), least, most) ? undefined : `a duration such as '5m', ${limit}`;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

export function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && isNumber(value, least, most);
}
