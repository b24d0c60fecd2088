import type { Command } from '../command.js';
import { BITS } from './bits.js';
import { EXPIRY } from './expiry.js';
import { HASHES } from './hashes.js';
import { KEYS } from './keys.js';
import { LISTS } from './lists.js';
import { SCANS } from './scans.js';
import { SERVER } from './server.js';
import { SETS } from './sets.js';
import { SORTED_SET_ALGEBRA } from './sorted-set-algebra.js';
import { SORTED_SET_RANGES } from './sorted-set-ranges.js';
import { SORTED_SETS } from './sorted-sets.js';
import { STREAM_GROUPS } from './stream-groups.js';
import { STREAM_PENDING } from './stream-pending.js';
import { STREAM_READS } from './stream-reads.js';
import { STREAMS } from './streams.js';
import { STRINGS } from './strings.js';
import { WAITING } from './waiting.js';

const FAMILIES = [
  SERVER,
  KEYS,
  EXPIRY,
  SCANS,
  STRINGS,
  BITS,
  HASHES,
  LISTS,
  SETS,
  SORTED_SETS,
  SORTED_SET_RANGES,
  SORTED_SET_ALGEBRA,
  STREAMS,
  STREAM_READS,
  STREAM_GROUPS,
  STREAM_PENDING,
  WAITING,
];

/** Every command by its name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(FAMILIES.flatMap((table) => Object.entries(table)));
