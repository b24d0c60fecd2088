import { ArgumentError } from '../core/errors.js';
import type { Argument } from '../driver/driver.js';
import type { Value } from './commands/command-set.js';

/** Keys, channels or patterns as they go over the wire, or an error that says which one is none. */
export function toNames<N extends string | Buffer>(command: string, what: string, names: unknown): readonly N[] {
  if (!Array.isArray(names)) {
    throw new ArgumentError(`${command}: ${what} must be a list of strings.`, { subject: command });
  }
  for (const [index, name] of names.entries()) {
    if (typeof name === 'string' || Buffer.isBuffer(name)) continue;
    throw new ArgumentError(
      `${command}: ${what}[${index}] must be a string or a Buffer, not ${name === null ? 'null' : typeof name}.`,
      { subject: command },
    );
  }
  return names as readonly N[];
}

/** Arguments as they go over the wire, or an error that says which one cannot. */
export function toArguments(command: string, args: readonly Value[]): readonly Argument[] {
  return args.map((arg, index) => {
    if (typeof arg === 'string' || Buffer.isBuffer(arg)) return arg;
    if (typeof arg === 'bigint' || (typeof arg === 'number' && Number.isFinite(arg))) return String(arg);
    throw new ArgumentError(
      `${command}: argument ${index + 1} must be a string, a Buffer, a finite number or a bigint.`,
      { subject: command },
    );
  });
}
