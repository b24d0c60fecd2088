import { ALL_KEYS, type CommandDescription } from '../command.js';
import { COUNTED, COUNTED_SECOND, KEYS_BUT_LAST, once, reading, repeatable, TWO_KEYS, waiting } from './kinds.js';

export const HDEL = repeatable('HDEL');
export const HEXISTS = reading('HEXISTS');
export const HGET = reading('HGET');
export const HGETALL = reading('HGETALL');
export const HINCRBY = once('HINCRBY');
export const HINCRBYFLOAT = once('HINCRBYFLOAT');
export const HKEYS = reading('HKEYS');
export const HLEN = reading('HLEN');
export const HMGET = reading('HMGET');
export const HRANDFIELD = reading('HRANDFIELD');
export const HSET = repeatable('HSET');
export const HSETNX = once('HSETNX');
export const HSTRLEN = reading('HSTRLEN');
export const HVALS = reading('HVALS');

export const HASHES_FAMILY: readonly CommandDescription[] = [
  HDEL,
  HEXISTS,
  HGET,
  HGETALL,
  HINCRBY,
  HINCRBYFLOAT,
  HKEYS,
  HLEN,
  HMGET,
  repeatable('HMSET'),
  HRANDFIELD,
  reading('HSCAN'),
  HSET,
  HSETNX,
  HSTRLEN,
  HVALS,
];

export const BLMOVE = waiting('BLMOVE', TWO_KEYS);
export const BLMPOP = waiting('BLMPOP', COUNTED_SECOND);
export const BLPOP = waiting('BLPOP', KEYS_BUT_LAST);
export const BRPOP = waiting('BRPOP', KEYS_BUT_LAST);
export const LINDEX = reading('LINDEX');
export const LINSERT = once('LINSERT');
export const LLEN = reading('LLEN');
export const LMOVE = once('LMOVE', TWO_KEYS);
export const LMPOP = once('LMPOP', COUNTED);
export const LPOP = once('LPOP');
export const LPOS = reading('LPOS');
export const LPUSH = once('LPUSH');
export const LPUSHX = once('LPUSHX');
export const LRANGE = reading('LRANGE');
export const LREM = once('LREM');
export const LSET = once('LSET');
export const LTRIM = once('LTRIM');
export const RPOP = once('RPOP');
export const RPUSH = once('RPUSH');
export const RPUSHX = once('RPUSHX');

export const LISTS_FAMILY: readonly CommandDescription[] = [
  BLMOVE,
  BLMPOP,
  BLPOP,
  BRPOP,
  waiting('BRPOPLPUSH', TWO_KEYS),
  LINDEX,
  LINSERT,
  LLEN,
  LMOVE,
  LMPOP,
  LPOP,
  LPOS,
  LPUSH,
  LPUSHX,
  LRANGE,
  LREM,
  LSET,
  LTRIM,
  RPOP,
  once('RPOPLPUSH', TWO_KEYS),
  RPUSH,
  RPUSHX,
];

export const SADD = repeatable('SADD');
export const SCARD = reading('SCARD');
export const SDIFF = reading('SDIFF', ALL_KEYS);
/** Unlike the other two: what is left over from a destination that is subtracted from another changes each time. */
export const SDIFFSTORE = once('SDIFFSTORE', ALL_KEYS);
export const SINTER = reading('SINTER', ALL_KEYS);
export const SINTERCARD = reading('SINTERCARD', COUNTED);
export const SINTERSTORE = repeatable('SINTERSTORE', ALL_KEYS);
export const SISMEMBER = reading('SISMEMBER');
export const SMEMBERS = reading('SMEMBERS');
export const SMISMEMBER = reading('SMISMEMBER');
export const SMOVE = once('SMOVE', TWO_KEYS);
export const SPOP = once('SPOP');
export const SRANDMEMBER = reading('SRANDMEMBER');
export const SREM = repeatable('SREM');
export const SUNION = reading('SUNION', ALL_KEYS);
export const SUNIONSTORE = repeatable('SUNIONSTORE', ALL_KEYS);

export const SETS_FAMILY: readonly CommandDescription[] = [
  repeatable('PFADD'),
  reading('PFCOUNT', ALL_KEYS),
  repeatable('PFMERGE', ALL_KEYS),
  SADD,
  SCARD,
  SDIFF,
  SDIFFSTORE,
  SINTER,
  SINTERCARD,
  SINTERSTORE,
  SISMEMBER,
  SMEMBERS,
  SMISMEMBER,
  SMOVE,
  SPOP,
  SRANDMEMBER,
  SREM,
  reading('SSCAN'),
  SUNION,
  SUNIONSTORE,
];
