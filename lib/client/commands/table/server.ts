import type { Argument } from '../../../driver/driver.js';
import { ALL_KEYS, NO_KEYS, type CommandDescription } from '../command.js';
import { asking, COUNTED_SECOND, once, ordering, reading, repeatable, SECOND_KEY } from './kinds.js';
import { wordOf } from './refine.js';

export const ECHO = asking('ECHO');
export const PING = asking('PING');
export const PUBLISH = ordering('PUBLISH');
/** The channel decides on the shard as a key would. */
export const SPUBLISH = once('SPUBLISH');
export const TIME = asking('TIME');

export const SCRIPTS_FAMILY: readonly CommandDescription[] = [
  once('EVAL', COUNTED_SECOND),
  once('EVALSHA', COUNTED_SECOND),
  reading('EVALSHA_RO', COUNTED_SECOND),
  reading('EVAL_RO', COUNTED_SECOND),
  once('FCALL', COUNTED_SECOND),
  reading('FCALL_RO', COUNTED_SECOND),
  ordering('FUNCTION'),
  ordering('SCRIPT'),
];

/** Of one connection: they change what it is for, see `call/refusals.ts`. */
export const CONNECTION_FAMILY: readonly CommandDescription[] = [
  ordering('ASKING'),
  ordering('AUTH'),
  ordering('CLIENT'),
  ordering('DISCARD'),
  ECHO,
  ordering('EXEC'),
  ordering('HELLO'),
  ordering('MONITOR'),
  ordering('MULTI'),
  PING,
  ordering('PSUBSCRIBE'),
  ordering('PSYNC'),
  PUBLISH,
  asking('PUBSUB'),
  ordering('PUNSUBSCRIBE'),
  ordering('QUIT'),
  ordering('READONLY'),
  ordering('READWRITE'),
  ordering('REPLCONF'),
  ordering('RESET'),
  ordering('SELECT'),
  SPUBLISH,
  once('SSUBSCRIBE', ALL_KEYS),
  ordering('SUBSCRIBE'),
  once('SUNSUBSCRIBE', ALL_KEYS),
  ordering('SYNC'),
  ordering('UNSUBSCRIBE'),
  ordering('UNWATCH'),
  // Not blocking in our sense: they wait for what *this* connection wrote, so a dedicated one would have no answer.
  ordering('WAIT'),
  ordering('WAITAOF'),
  once('WATCH', ALL_KEYS),
];

export const SERVER_FAMILY: readonly CommandDescription[] = [
  ordering('ACL'),
  ordering('BGREWRITEAOF'),
  ordering('BGSAVE'),
  ordering('CLUSTER'),
  asking('COMMAND'),
  ordering('CONFIG'),
  reading('DBSIZE', NO_KEYS),
  ordering('DEBUG'),
  ordering('FAILOVER'),
  ordering('FLUSHALL'),
  ordering('FLUSHDB'),
  asking('INFO'),
  asking('LASTSAVE'),
  ordering('LATENCY'),
  reading('LOLWUT', NO_KEYS),
  ordering('MEMORY'),
  ordering('MODULE'),
  once('PFDEBUG', SECOND_KEY),
  ordering('PFSELFTEST'),
  ordering('REPLICAOF'),
  asking('ROLE'),
  ordering('SAVE'),
  ordering('SHUTDOWN'),
  ordering('SLAVEOF'),
  ordering('SLOWLOG'),
  ordering('SWAPDB'),
  TIME,
];

/** Subcommands that only ask. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  ACL: ['CAT', 'DRYRUN', 'GENPASS', 'GETUSER', 'LIST', 'USERS', 'WHOAMI'],
  CLIENT: ['GETNAME', 'GETREDIR', 'ID', 'INFO', 'LIST', 'TRACKINGINFO'],
  CLUSTER:
    'COUNT-FAILURE-REPORTS COUNTKEYSINSLOT GETKEYSINSLOT INFO KEYSLOT LINKS MYID MYSHARDID NODES REPLICAS SHARDS SLAVES SLOT-STATS SLOTS'.split(
      ' ',
    ),
  CONFIG: ['GET'],
  FUNCTION: ['DUMP', 'LIST', 'STATS'],
  LATENCY: ['DOCTOR', 'GRAPH', 'HISTOGRAM', 'HISTORY', 'LATEST'],
  MEMORY: ['DOCTOR', 'MALLOC-STATS', 'STATS'],
  MODULE: ['LIST'],
  SCRIPT: ['EXISTS', 'LOAD', 'SHOW'],
  SLOWLOG: ['GET', 'LEN'],
};

const MEMORY_USAGE = reading('MEMORY', SECOND_KEY);

const ASKED: ReadonlyMap<string, CommandDescription> = new Map(
  Object.keys(QUESTIONS).map((name) => [name, repeatable(name, NO_KEYS)]),
);

/** What the arguments of one call tell beyond the name. */
export function refineServer(name: string, args: readonly Argument[]): CommandDescription | undefined {
  const subcommand = wordOf(args[0]);
  if (name === 'MEMORY' && subcommand === 'USAGE') return MEMORY_USAGE;
  return QUESTIONS[name]?.includes(subcommand) ? ASKED.get(name) : undefined;
}
