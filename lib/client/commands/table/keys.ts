import type { Argument } from '../../../driver/driver.js';
import { ALL_KEYS, NO_KEYS, type CommandDescription, type KeyPositions } from '../command.js';
import { once, reading, repeatable, SECOND_KEY, TWO_KEYS } from './kinds.js';
import { hasOption, wordOf } from './refine.js';

export const COPY = once('COPY', TWO_KEYS);
export const DEL = repeatable('DEL', ALL_KEYS);
export const EXISTS = reading('EXISTS', ALL_KEYS);
export const EXPIRE = repeatable('EXPIRE');
export const EXPIREAT = repeatable('EXPIREAT');
export const EXPIRETIME = reading('EXPIRETIME');
export const PERSIST = repeatable('PERSIST');
export const PEXPIRE = repeatable('PEXPIRE');
export const PEXPIREAT = repeatable('PEXPIREAT');
export const PEXPIRETIME = reading('PEXPIRETIME');
export const PTTL = reading('PTTL');
export const RENAME = once('RENAME', TWO_KEYS);
export const RENAMENX = once('RENAMENX', TWO_KEYS);
export const TOUCH = repeatable('TOUCH', ALL_KEYS);
export const TTL = reading('TTL');
export const TYPE = reading('TYPE');
export const UNLINK = repeatable('UNLINK', ALL_KEYS);

/** EXPIRE and its kin with NX, XX, GT or LT: the reply says whether *this* execution set it. */
export const CONDITIONAL_EXPIRES = {
  EXPIRE: once('EXPIRE'),
  EXPIREAT: once('EXPIREAT'),
  PEXPIRE: once('PEXPIRE'),
  PEXPIREAT: once('PEXPIREAT'),
} as const;

/** SORT: its key, and that of STORE. The last STORE counts, as on the server. */
const SORT_KEYS: KeyPositions = {
  kind: 'custom',
  find(args) {
    const places = args.length > 0 ? [0] : [];
    for (let index = 1; index < args.length; index += 1) {
      const word = wordOf(args[index]);
      if (word === 'LIMIT') index += 2;
      else if (word === 'BY' || word === 'GET') index += 1;
      else if (word === 'STORE' && index + 1 < args.length) {
        places[1] = index + 1;
        index += 1;
      }
    }
    return places;
  },
};

/** MIGRATE host port key|"" …: one key in its place, or an empty one there and all of them after KEYS. */
const MIGRATE_KEYS: KeyPositions = {
  kind: 'custom',
  find(args) {
    if (args.length < 3) return [];
    if (args[2]?.length) return [2];
    for (let index = 5; index < args.length; index += 1) {
      const word = wordOf(args[index]);
      if (word === 'AUTH') index += 1;
      else if (word === 'AUTH2') index += 2;
      else if (word === 'KEYS') return Array.from({ length: args.length - index - 1 }, (_, at) => index + 1 + at);
    }
    return [];
  },
};

/** Without STORE it may be repeated, though the server counts it as writing and no replica takes it. */
const SORT_PURE = repeatable('SORT', SORT_KEYS);

export const KEYS_FAMILY: readonly CommandDescription[] = [
  COPY,
  DEL,
  reading('DUMP'),
  EXISTS,
  EXPIRE,
  EXPIREAT,
  EXPIRETIME,
  reading('KEYS', NO_KEYS),
  once('MIGRATE', MIGRATE_KEYS),
  once('MOVE'),
  reading('OBJECT', SECOND_KEY),
  PERSIST,
  PEXPIRE,
  PEXPIREAT,
  PEXPIRETIME,
  PTTL,
  reading('RANDOMKEY', NO_KEYS),
  RENAME,
  RENAMENX,
  once('RESTORE'),
  once('RESTORE-ASKING'),
  reading('SCAN', NO_KEYS),
  once('SORT', SORT_KEYS),
  reading('SORT_RO', SORT_KEYS),
  // The server calls it readonly; but touching a replica's copy would not keep the primary's from being evicted.
  TOUCH,
  TTL,
  TYPE,
  UNLINK,
];

/** What the arguments of one call tell beyond the name. */
export function refineKeys(name: string, args: readonly Argument[]): CommandDescription | undefined {
  if (name === 'SORT') return hasOption(args, 1, 'STORE') ? undefined : SORT_PURE;
  if (name in CONDITIONAL_EXPIRES) {
    return args.length > 2 ? CONDITIONAL_EXPIRES[name as keyof typeof CONDITIONAL_EXPIRES] : undefined;
  }
  return undefined;
}
