import { ArgumentError } from '../core/errors.js';
import type { Argument } from '../driver/driver.js';
import type { Value } from './commands/command-set.js';

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
