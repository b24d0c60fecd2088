import type { Argument } from '../../../driver/driver.js';
import type { CommandDescription, KeyPositions } from '../command.js';
import {
  COUNTED,
  COUNTED_SECOND,
  DESTINATION_AND_COUNTED,
  KEYS_BUT_LAST,
  once,
  reading,
  repeatable,
  TWO_KEYS,
  waiting,
} from './kinds.js';
import { hasOption, wordOf } from './refine.js';

export const BZMPOP = waiting('BZMPOP', COUNTED_SECOND);
export const BZPOPMAX = waiting('BZPOPMAX', KEYS_BUT_LAST);
export const BZPOPMIN = waiting('BZPOPMIN', KEYS_BUT_LAST);
/** ZADD that sets scores: twice is once. */
export const ZADD = repeatable('ZADD');
/** ZADD with INCR. */
export const ZADD_INCR = once('ZADD');
export const ZCARD = reading('ZCARD');
export const ZCOUNT = reading('ZCOUNT');
export const ZDIFF = reading('ZDIFF', COUNTED);
export const ZDIFFSTORE = once('ZDIFFSTORE', DESTINATION_AND_COUNTED);
export const ZINCRBY = once('ZINCRBY');
export const ZINTER = reading('ZINTER', COUNTED);
export const ZINTERCARD = reading('ZINTERCARD', COUNTED);
export const ZINTERSTORE = once('ZINTERSTORE', DESTINATION_AND_COUNTED);
export const ZLEXCOUNT = reading('ZLEXCOUNT');
export const ZMPOP = once('ZMPOP', COUNTED);
export const ZMSCORE = reading('ZMSCORE');
export const ZPOPMAX = once('ZPOPMAX');
export const ZPOPMIN = once('ZPOPMIN');
export const ZRANDMEMBER = reading('ZRANDMEMBER');
export const ZRANGE = reading('ZRANGE');
export const ZRANGESTORE = once('ZRANGESTORE', TWO_KEYS);
export const ZRANK = reading('ZRANK');
export const ZREM = repeatable('ZREM');
export const ZREMRANGEBYLEX = repeatable('ZREMRANGEBYLEX');
export const ZREMRANGEBYRANK = once('ZREMRANGEBYRANK');
export const ZREMRANGEBYSCORE = repeatable('ZREMRANGEBYSCORE');
export const ZREVRANK = reading('ZREVRANK');
export const ZSCORE = reading('ZSCORE');
export const ZUNION = reading('ZUNION', COUNTED);
export const ZUNIONSTORE = once('ZUNIONSTORE', DESTINATION_AND_COUNTED);

/** GEORADIUS: its key, and that of STORE or STOREDIST. The server names all of them, though only the last is written. */
const GEORADIUS_KEYS: KeyPositions = {
  kind: 'custom',
  find(args) {
    const places = args.length > 0 ? [0] : [];
    for (let index = 4; index + 1 < args.length; index += 1) {
      const word = wordOf(args[index]);
      if (word === 'STORE' || word === 'STOREDIST') {
        places.push(index + 1);
        index += 1;
      }
    }
    return places;
  },
};

const GEORADIUS_PURE: Readonly<Record<string, CommandDescription>> = {
  GEORADIUS: repeatable('GEORADIUS', GEORADIUS_KEYS),
  GEORADIUSBYMEMBER: repeatable('GEORADIUSBYMEMBER', GEORADIUS_KEYS),
};

export const SORTED_SETS_FAMILY: readonly CommandDescription[] = [
  BZMPOP,
  BZPOPMAX,
  BZPOPMIN,
  repeatable('GEOADD'),
  reading('GEODIST'),
  reading('GEOHASH'),
  reading('GEOPOS'),
  once('GEORADIUS', GEORADIUS_KEYS),
  once('GEORADIUSBYMEMBER', GEORADIUS_KEYS),
  reading('GEORADIUSBYMEMBER_RO'),
  reading('GEORADIUS_RO'),
  reading('GEOSEARCH'),
  once('GEOSEARCHSTORE', TWO_KEYS),
  ZADD_INCR,
  ZCARD,
  ZCOUNT,
  ZDIFF,
  ZDIFFSTORE,
  ZINCRBY,
  ZINTER,
  ZINTERCARD,
  ZINTERSTORE,
  ZLEXCOUNT,
  ZMPOP,
  ZMSCORE,
  ZPOPMAX,
  ZPOPMIN,
  ZRANDMEMBER,
  ZRANGE,
  reading('ZRANGEBYLEX'),
  reading('ZRANGEBYSCORE'),
  ZRANGESTORE,
  ZRANK,
  ZREM,
  ZREMRANGEBYLEX,
  ZREMRANGEBYRANK,
  ZREMRANGEBYSCORE,
  reading('ZREVRANGE'),
  reading('ZREVRANGEBYLEX'),
  reading('ZREVRANGEBYSCORE'),
  ZREVRANK,
  reading('ZSCAN'),
  ZSCORE,
  ZUNION,
  ZUNIONSTORE,
];

/** What the arguments of one call tell beyond the name. */
export function refineSortedSets(name: string, args: readonly Argument[]): CommandDescription | undefined {
  // A member may be called "INCR" too; taking it for the option errs on the safe side.
  if (name === 'ZADD') return hasOption(args, 1, 'INCR') ? undefined : ZADD;
  const pure = GEORADIUS_PURE[name];
  return pure && !hasOption(args, 4, 'STORE', 'STOREDIST') ? pure : undefined;
}
