import { inspect } from 'node:util';

/** What stands in the place of a secret wherever something is printed. */
export const REDACTED = '[redacted]';

/**
 * A frozen copy of `source` that may be logged: the properties named in `secrets` are read as ever (`copy.password`),
 * but `JSON.stringify`, `util.inspect`, `String()` and every loop over its properties do not meet them.
 *
 * Its price: spreading the copy (`{ ...copy }`) loses the secrets. Pass it on whole, or read them by name.
 */
export function guard<T extends object>(source: T, secrets: readonly (keyof T & string)[]): Readonly<T> {
  const held = secrets.filter((name) => source[name] !== undefined);
  const copy: T = { ...source };
  for (const name of held) hide(copy, name, source[name]);
  const printable = (): object => ({ ...copy, ...Object.fromEntries(held.map((name) => [name, REDACTED])) });
  hide(copy, 'toJSON', printable);
  hide(copy, 'toString', () => JSON.stringify(printable()));
  hide(copy, inspect.custom, printable);
  return Object.freeze(copy);
}

/** Freezes `value` and all it holds; functions and bytes are left as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

function hide(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: false, writable: false, configurable: false });
}
