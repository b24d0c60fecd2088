import type { Argument } from '../../driver/driver.js';
import { FIRST_KEY, type CommandDescription } from './command.js';
import { HASHES_FAMILY, LISTS_FAMILY, SETS_FAMILY } from './table/collections.js';
import { KEYS_FAMILY, refineKeys } from './table/keys.js';
import { wordOf } from './table/refine.js';
import { CONNECTION_FAMILY, refineServer, SCRIPTS_FAMILY, SERVER_FAMILY } from './table/server.js';
import { refineSortedSets, SORTED_SETS_FAMILY } from './table/sorted-sets.js';
import { refineStreams, STREAMS_FAMILY } from './table/streams.js';
import { refineStrings, STRINGS_FAMILY } from './table/strings.js';

type Refinement = (name: string, args: readonly Argument[]) => CommandDescription | undefined;

const TABLE: ReadonlyMap<string, CommandDescription> = new Map(
  [
    KEYS_FAMILY,
    STRINGS_FAMILY,
    HASHES_FAMILY,
    LISTS_FAMILY,
    SETS_FAMILY,
    SORTED_SETS_FAMILY,
    STREAMS_FAMILY,
    SCRIPTS_FAMILY,
    CONNECTION_FAMILY,
    SERVER_FAMILY,
  ]
    .flat()
    .map((description) => [description.name, description]),
);

const REFINEMENTS: readonly Refinement[] = [refineStrings, refineKeys, refineSortedSets, refineStreams, refineServer];

/** The names of all commands the table describes, in upper case. */
export const COMMAND_NAMES: readonly string[] = [...TABLE.keys()];

/**
 * What is known about a command of Valkey 8, or `undefined` for one that is not in the table (a module's, a newer
 * server's).
 *
 * @param name - In upper case.
 * @param args - The call's arguments. They tell XREAD with BLOCK from XREAD without, SET from SET NX, CONFIG GET from
 *   CONFIG SET; without them the answer is the cautious one: not retry-safe, blocking if it can.
 */
export function describeCommand(name: string, args?: readonly Argument[]): CommandDescription | undefined {
  const description = TABLE.get(name);
  if (description === undefined || args === undefined) return description;
  for (const refine of REFINEMENTS) {
    const refined = refine(name, args);
    if (refined) return refined;
  }
  return description;
}

const FIRST: readonly number[] = [0];
const NONE: readonly number[] = [];

/** Where the keys stand among these arguments, in ascending order; positions beyond the last argument are left out. */
export function keyIndexes(description: CommandDescription, args: readonly Argument[]): readonly number[] {
  const { keys } = description;
  if (keys === FIRST_KEY) return args.length > 0 ? FIRST : NONE;
  switch (keys.kind) {
    case 'none':
      return NONE;
    case 'range':
      return steps(keys.first, lastOf(keys, args), keys.step);
    case 'numkeys': {
      const count = Number(args[keys.at] ?? 0);
      // A count that is none is for the server to refuse; keys it does not name are not there.
      const last = Number.isInteger(count) ? Math.min(keys.at + count, args.length - 1) : keys.at;
      const counted = steps(keys.at + 1, last, 1);
      return keys.also ? [...keys.also.filter((at) => at < args.length), ...counted] : counted;
    }
    case 'streams': {
      const word = streamsWord(args);
      return word === -1 ? NONE : steps(word + 1, word + Math.floor((args.length - word - 1) / 2), 1);
    }
    case 'custom':
      return keys.find(args);
  }
}

/** The first key among these arguments, which decides on the route; `undefined` when there is none. */
export function firstKey(description: CommandDescription, args: readonly Argument[]): Argument | undefined {
  const { keys } = description;
  if (keys === FIRST_KEY) return args[0];
  // The places of all keys of a large MGET would be made for the first.
  if (keys.kind === 'range') return keys.first <= lastOf(keys, args) ? args[keys.first] : undefined;
  const place = keyIndexes(description, args)[0];
  return place === undefined ? undefined : args[place];
}

/** Where the keys of a range end, among these arguments. */
function lastOf({ last }: { readonly last: number }, { length }: readonly Argument[]): number {
  return Math.min(last < 0 ? length + last : last, length - 1);
}

/** Where STREAMS stands; a group or consumer may have the same name, so what belongs to an option is stepped over. */
function streamsWord(args: readonly Argument[]): number {
  for (let index = 0; index < args.length; index += 1) {
    const word = wordOf(args[index]);
    if (word === 'STREAMS') return index;
    if (word === 'GROUP') index += 2;
    else if (word === 'BLOCK' || word === 'COUNT') index += 1;
  }
  return -1;
}

function steps(first: number, last: number, step: number): number[] {
  const places: number[] = [];
  for (let place = first; place <= last; place += step) places.push(place);
  return places;
}
