import type { Command } from '../command.js';
import { BITS } from './bits.js';
import { EXPIRY } from './expiry.js';
import { HASHES } from './hashes.js';
import { KEYS } from './keys.js';
import { SCANS } from './scans.js';
import { SERVER } from './server.js';
import { STRINGS } from './strings.js';

const FAMILIES = [SERVER, KEYS, EXPIRY, SCANS, STRINGS, BITS, HASHES];

/** Every command by its name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(FAMILIES.flatMap((table) => Object.entries(table)));
