import type { Argument, Reply } from '../../driver/driver.js';
import { wordOf } from './table/refine.js';

/** Takes the prefix off one name that stands in a reply. What does not begin with it is left as it is. */
export function strip(name: Reply, prefix: string): Reply {
  if (typeof name === 'string') return name.startsWith(prefix) ? name.slice(prefix.length) : name;
  if (!Buffer.isBuffer(name)) return name;
  const bytes = Buffer.from(prefix);
  return name.subarray(0, bytes.length).equals(bytes) ? name.subarray(bytes.length) : name;
}

type Strip = (reply: readonly Reply[], prefix: string, args: readonly Argument[]) => Reply;

const every: Strip = (names, prefix) => names.map((name) => strip(name, prefix));
const first: Strip = ([name, ...rest], prefix) => [strip(name ?? null, prefix), ...rest];
/** Names at the even places. */
const alternate: Strip = (items, prefix) => items.map((item, index) => (index % 2 === 0 ? strip(item, prefix) : item));
const firstOfEach: Strip = (streams, prefix) =>
  streams.map((stream) => (Array.isArray(stream) ? first(stream as readonly Reply[], prefix, []) : stream));

/** Commands whose replies name keys or channels. */
const REPLIES: Readonly<Record<string, Strip>> = {
  KEYS: every,
  SCAN: ([cursor, keys], prefix) => [
    cursor ?? null,
    Array.isArray(keys) ? every(keys as readonly Reply[], prefix, []) : (keys ?? null),
  ],
  BLPOP: first,
  BRPOP: first,
  BZPOPMIN: first,
  BZPOPMAX: first,
  LMPOP: first,
  BLMPOP: first,
  ZMPOP: first,
  BZMPOP: first,
  XREAD: firstOfEach,
  XREADGROUP: firstOfEach,
  PUBSUB(items, prefix, args) {
    const subcommand = wordOf(args[0]);
    if (subcommand === 'CHANNELS' || subcommand === 'SHARDCHANNELS') return every(items, prefix, args);
    return subcommand === 'NUMSUB' || subcommand === 'SHARDNUMSUB' ? alternate(items, prefix, args) : items;
  },
};

/**
 * A raw reply with the prefix taken off the keys and channels it names, for `call()`.
 *
 * @param name - The command, in upper case.
 */
export function stripReply(name: string, args: readonly Argument[], reply: Reply, prefix: string): Reply {
  if (prefix === '' || !Array.isArray(reply)) return reply;
  const stripNames = REPLIES[name];
  return stripNames ? stripNames(reply as readonly Reply[], prefix, args) : reply;
}
