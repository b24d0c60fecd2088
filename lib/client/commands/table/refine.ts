import type { Argument } from '../../../driver/driver.js';

/** Whether one of the options from position `from` on is `word` (given in upper case). */
export function hasOption(args: readonly Argument[], from: number, ...words: readonly string[]): boolean {
  for (let index = from; index < args.length; index += 1) {
    if (words.includes(wordOf(args[index]))) return true;
  }
  return false;
}

/** An argument as an upper-case word; whatever is too long to be one is not looked at. */
export function wordOf(argument: Argument | undefined): string {
  if (argument === undefined || argument.length > 32) return '';
  return (typeof argument === 'string' ? argument : argument.toString('latin1')).toUpperCase();
}
