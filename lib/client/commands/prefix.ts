import { UnsupportedError } from '../../core/errors.js';
import type { Argument } from '../../driver/driver.js';
import { FIRST_KEY, type CommandDescription } from './command.js';
import { keyIndexes } from './table.js';
import { wordOf } from './table/refine.js';

/** Puts a prefix before one key, channel or pattern. */
export function prefixed<A extends Argument>(argument: A, prefix: string): A | string | Buffer {
  return typeof argument === 'string' ? prefix + argument : Buffer.concat([Buffer.from(prefix), argument]);
}

/** The prefix as a glob pattern that matches it literally. */
export function escapeGlob(prefix: string): string {
  return prefix.replaceAll(/[*?[\]\\^-]/g, '\\$&');
}

type Rewrite = (args: Argument[], prefix: string) => readonly Argument[];

/**
 * Commands with something beside keys that names keys or channels. All of them have no key or a custom search, so the
 * everyday ones never look here.
 */
const REWRITES: Readonly<Record<string, Rewrite>> = {
  PUBLISH: (args, prefix) => replaceFrom(args, 0, 1, prefix),
  KEYS: (args, prefix) => replaceFrom(args, 0, 1, escapeGlob(prefix)),
  SCAN: prefixScan,
  PUBSUB: prefixPubsub,
  SORT: prefixSort,
  SORT_RO: prefixSort,
  CLUSTER: (args, prefix) => (wordOf(args[0]) === 'KEYSLOT' ? replaceFrom(args, 1, 2, prefix) : args),
};

/**
 * The arguments with the prefix before every key, channel and pattern of keys. Throws an {@link UnsupportedError} for
 * the one thing that cannot be expressed (SORT patterns under a prefix that contains `*`).
 *
 * What reaches beyond the prefix altogether is not looked at here, see `refusalOf`.
 */
export function prefixArguments(
  command: CommandDescription,
  args: readonly Argument[],
  prefix: string,
): readonly Argument[] {
  if (prefix === '' || args.length === 0) return args;
  const copy = args.slice();
  if (command.keys === FIRST_KEY) {
    copy[0] = prefixed(copy[0] as Argument, prefix);
    return copy;
  }
  for (const index of keyIndexes(command, args)) copy[index] = prefixed(copy[index] as Argument, prefix);
  const { kind } = command.keys;
  const rewrite = kind === 'none' || kind === 'custom' ? REWRITES[command.name] : undefined;
  return rewrite ? rewrite(copy, prefix) : copy;
}

function replaceFrom(args: Argument[], from: number, to: number, prefix: string): Argument[] {
  for (let index = from; index < Math.min(to, args.length); index += 1) {
    args[index] = prefixed(args[index] as Argument, prefix);
  }
  return args;
}

/** SCAN cursor [MATCH pattern] [COUNT n] [TYPE t]: without a pattern, all keys of the prefix. */
function prefixScan(args: Argument[], prefix: string): Argument[] {
  let matched = false;
  for (let index = 1; index + 1 < args.length; index += 2) {
    // The server takes the last MATCH; all of them are prefixed, so that it does not matter.
    if (wordOf(args[index]) === 'MATCH') {
      replaceFrom(args, index + 1, index + 2, escapeGlob(prefix));
      matched = true;
    }
  }
  return matched ? args : [...args, 'MATCH', `${escapeGlob(prefix)}*`];
}

/** PUBSUB CHANNELS [pattern], NUMSUB [channel …], and both for shard channels. */
function prefixPubsub(args: Argument[], prefix: string): Argument[] {
  const subcommand = wordOf(args[0]);
  if (subcommand === 'CHANNELS' || subcommand === 'SHARDCHANNELS') {
    if (args.length === 1) return [...args, `${escapeGlob(prefix)}*`];
    return replaceFrom(args, 1, 2, escapeGlob(prefix));
  }
  if (subcommand === 'NUMSUB' || subcommand === 'SHARDNUMSUB') return replaceFrom(args, 1, args.length, prefix);
  return args;
}

/** SORT … BY pattern, GET pattern: keys made by putting an element in place of the first `*`. */
function prefixSort(args: Argument[], prefix: string): Argument[] {
  for (let index = 1; index < args.length; index += 1) {
    const word = wordOf(args[index]);
    if (word === 'LIMIT') index += 2;
    else if (word === 'STORE') index += 1;
    else if (word === 'BY' || word === 'GET') {
      index += 1;
      const pattern = args[index];
      // Without a `*` it names no key: `nosort`, `#`.
      if (pattern === undefined || !pattern.includes('*')) continue;
      if (prefix.includes('*')) {
        throw new UnsupportedError(
          'SORT with BY or GET cannot work under a key prefix that contains "*". Choose another prefix, or use native().',
          { subject: 'SORT' },
        );
      }
      args[index] = prefixed(pattern, prefix);
    }
  }
  return args;
}
