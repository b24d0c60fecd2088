import type { Argument } from '../driver/driver.js';

/**
 * How long the server may hold a blocking command, in milliseconds, which comes on top of the time it may take to
 * answer. 0 means for ever, unless the caller set a limit of its own.
 */
export function blockingTime(command: string, args: readonly Argument[], limit: number | undefined): number {
  const wait = command.startsWith('XREAD')
    ? streamWait(args)
    : Number(args[command.endsWith('MPOP') ? 0 : args.length - 1]) * 1000;
  if (limit !== undefined) return 0;
  return wait > 0 ? wait : Infinity;
}

function streamWait(args: readonly Argument[]): number {
  const at = args.findIndex((arg) => String(arg).toUpperCase() === 'BLOCK');
  return at === -1 ? 0 : Number(args[at + 1]);
}
