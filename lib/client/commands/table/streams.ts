import type { Argument } from '../../../driver/driver.js';
import type { CommandDescription, KeyPositions } from '../command.js';
import { once, reading, repeatable, SECOND_KEY, waiting } from './kinds.js';
import { hasOption } from './refine.js';

const STREAMS: KeyPositions = { kind: 'streams' };

export const XACK = repeatable('XACK');
export const XADD = once('XADD');
export const XAUTOCLAIM = once('XAUTOCLAIM');
export const XCLAIM = once('XCLAIM');
export const XDEL = repeatable('XDEL');
/** XGROUP CREATE and DELCONSUMER: a repeat fails, or counts what is gone already. */
export const XGROUP = once('XGROUP', SECOND_KEY);
/** XGROUP SETID, CREATECONSUMER, DESTROY. */
export const XGROUP_REPEATABLE = repeatable('XGROUP', SECOND_KEY);
export const XINFO = reading('XINFO', SECOND_KEY);
export const XLEN = reading('XLEN');
export const XPENDING = reading('XPENDING');
export const XRANGE = reading('XRANGE');
/** XREAD without BLOCK. */
export const XREAD = reading('XREAD', STREAMS);
/** XREAD with BLOCK. */
export const XREAD_BLOCK: CommandDescription = { ...XREAD, blocking: true };
/** XREADGROUP without BLOCK. */
export const XREADGROUP = once('XREADGROUP', STREAMS);
/** XREADGROUP with BLOCK. */
export const XREADGROUP_BLOCK = waiting('XREADGROUP', STREAMS);
export const XREVRANGE = reading('XREVRANGE');
export const XTRIM = repeatable('XTRIM');

export const STREAMS_FAMILY: readonly CommandDescription[] = [
  XACK,
  XADD,
  XAUTOCLAIM,
  XCLAIM,
  XDEL,
  XGROUP,
  XINFO,
  XLEN,
  XPENDING,
  XRANGE,
  XREAD_BLOCK,
  XREADGROUP_BLOCK,
  XREVRANGE,
  repeatable('XSETID'),
  XTRIM,
];

/** What the arguments of one call tell beyond the name. */
export function refineStreams(name: string, args: readonly Argument[]): CommandDescription | undefined {
  // A stream may be called "block" too; taking it for the option costs a dedicated connection and nothing else.
  if (name === 'XREAD') return hasOption(args, 0, 'BLOCK') ? undefined : XREAD;
  if (name === 'XREADGROUP') return hasOption(args, 3, 'BLOCK') ? undefined : XREADGROUP;
  if (name === 'XGROUP') {
    return hasOption(args.slice(0, 1), 0, 'SETID', 'CREATECONSUMER', 'DESTROY') ? XGROUP_REPEATABLE : undefined;
  }
  return undefined;
}
