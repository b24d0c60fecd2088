import { COMMAND_NAMES, describeCommand } from '../../../../lib/client/commands/table.js';

/**
 * Whether a command whose reply was lost may be sent again, decided for each by hand. A command without a decision makes
 * this red: put it where its reason is true, not where the test turns green. Commands whose arguments decide stand here
 * in their cautious form, and again under {@link BY_ARGUMENTS}.
 */
const SAFE: Readonly<Record<string, string>> = {
  'changes nothing: strings': 'BITCOUNT BITFIELD_RO BITPOS GET GETBIT GETRANGE LCS MGET STRLEN SUBSTR',
  'changes nothing: keys':
    'DUMP EXISTS EXPIRETIME KEYS OBJECT PEXPIRETIME PTTL RANDOMKEY SCAN SORT_RO TTL TYPE DBSIZE LOLWUT',
  'changes nothing: collections':
    'HEXISTS HGET HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN HVALS LINDEX LLEN LPOS LRANGE PFCOUNT SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SRANDMEMBER SSCAN SUNION',
  'changes nothing: sorted sets':
    'GEODIST GEOHASH GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION',
  'changes nothing: streams': 'XINFO XLEN XPENDING XRANGE XREAD XREVRANGE',
  'changes nothing: the server refuses writes in it': 'EVALSHA_RO EVAL_RO FCALL_RO',
  'asks the server about itself': 'COMMAND ECHO INFO LASTSAVE PING PUBSUB ROLE TIME',
  'writes what it was given, whatever was there': 'HMSET HSET MSET PSETEX SETEX SETRANGE',
  'sets the time to live': 'EXPIRE EXPIREAT PEXPIRE PEXPIREAT',
  'takes it away; the second finds none, and says so': 'PERSIST',
  'adds members, which are there then; the second counts fewer': 'GEOADD PFADD SADD',
  'removes what it names; the second counts fewer':
    'DEL HDEL SREM UNLINK XACK XDEL ZREM ZREMRANGEBYLEX ZREMRANGEBYSCORE',
  'a union or intersection with a destination that is a source stays as it is': 'PFMERGE SINTERSTORE SUNIONSTORE',
  'trims to a length or an id': 'XTRIM',
  'sets the last id': 'XSETID',
  'marks as used': 'TOUCH',
};

const UNSAFE: Readonly<Record<string, string>> = {
  'counts on what was there': 'APPEND BITFIELD DECR DECRBY HINCRBY HINCRBYFLOAT INCR INCRBY INCRBYFLOAT ZINCRBY',
  'adds one more each time': 'LINSERT LPUSH LPUSHX RPUSH RPUSHX XADD',
  'takes what the second cannot take again, and tells it':
    'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN GETDEL LMOVE LMPOP LPOP RPOP RPOPLPUSH SPOP XAUTOCLAIM XCLAIM XREADGROUP ZMPOP ZPOPMAX ZPOPMIN',
  'tells what it replaced, which the second replaces again': 'GETSET SETBIT',
  'takes away if its instant is over, else sets it; the arguments decide': 'GETEX',
  'says who won, and the second has lost': 'COPY HSETNX MOVE MSETNX RENAMENX SETNX SMOVE',
  'fails where the first succeeded': 'RENAME RESTORE RESTORE-ASKING XGROUP MIGRATE',
  'hangs on positions that others move': 'LREM LSET LTRIM ZREMRANGEBYRANK',
  'has a destination that may be a source':
    'BITOP GEOSEARCHSTORE SDIFFSTORE ZDIFFSTORE ZINTERSTORE ZRANGESTORE ZUNIONSTORE',
  'has options that count, win or store; the arguments decide': 'SET ZADD SORT GEORADIUS GEORADIUSBYMEMBER',
  'reaches subscribers twice': 'PUBLISH SPUBLISH',
  'does what somebody wrote': 'EVAL EVALSHA FCALL PFDEBUG',
  'changes a connection':
    'ASKING AUTH CLIENT DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF RESET SELECT SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH WAIT WAITAOF',
  'is an order to the server, for people; some of their subcommands only ask':
    'ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER FLUSHALL FLUSHDB FUNCTION LATENCY MEMORY MODULE PFSELFTEST REPLICAOF SAVE SCRIPT SHUTDOWN SLAVEOF SLOWLOG SWAPDB',
};

/** Calls of the commands whose arguments decide. */
const BY_ARGUMENTS: readonly (readonly [call: string, isSafe: boolean, why: string])[] = [
  ['SET k v', true, 'writes what it was given'],
  ['SET k v XX', true, 'after the first, the key is there'],
  ['SET k v PX 5', true, 'writes what it was given'],
  ['SET k v NX', false, 'says who won'],
  ['SET k v GET', false, 'tells what it replaced, and that is its own now'],
  ['SET k v IFEQ w', false, 'the second compares with what the first wrote'],
  ['GETEX k', true, 'reads'],
  ['GETEX k EX 5', true, 'sets the time to live'],
  ['GETEX k PX 5', true, 'sets the time to live'],
  ['GETEX k PERSIST', true, 'takes it away'],
  ['GETEX k EXAT 1', false, 'takes the value, if the instant is over'],
  ['GETEX k pxat 1', false, 'takes the value, if the instant is over'],
  ...['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT'].flatMap((name) =>
    ['NX', 'XX', 'GT', 'LT'].map((word) => [`${name} k 5 ${word}`, false, 'says whether it was this one'] as const),
  ),
  ['SORT k', true, 'reads'],
  ['SORT k STORE d', false, 'may be its own source'],
  ['GEORADIUS k 1 2 3 m', true, 'reads'],
  ['GEORADIUS k 1 2 3 m STORE d', false, 'may be its own source'],
  ['GEORADIUS k 1 2 3 m STOREDIST d', false, 'may be its own source'],
  ['GEORADIUSBYMEMBER k a 3 m', true, 'reads'],
  ['GEORADIUSBYMEMBER k a 3 m STORE d', false, 'may be its own source'],
  ['ZADD k 1 a', true, 'sets the score'],
  ['ZADD k NX 1 a', true, 'adds a member; the second counts fewer, as SADD'],
  ['ZADD k GT CH 1 a', true, 'sets the score; the second counts fewer'],
  ['ZADD k INCR 1 a', false, 'counts on what was there'],
  ['XREAD STREAMS k 0', true, 'reads'],
  ['XREAD BLOCK 5 STREAMS k 0', true, 'reads'],
  ['XREADGROUP GROUP g c STREAMS k >', false, 'takes'],
  ['XREADGROUP GROUP g c BLOCK 5 STREAMS k >', false, 'takes'],
  ['XGROUP SETID k g 0', true, 'sets the last id'],
  ['XGROUP CREATECONSUMER k g c', true, 'adds a member; the second counts fewer'],
  ['XGROUP DESTROY k g', true, 'removes what it names'],
  ['XGROUP CREATE k g 0', false, 'fails where the first succeeded'],
  ['XGROUP DELCONSUMER k g c', false, 'tells how much was pending, which is gone then'],
  ...(
    [
      ['ACL', 'CAT DRYRUN GENPASS GETUSER LIST USERS WHOAMI', 'DELUSER LOAD LOG SAVE SETUSER'],
      ['CLIENT', 'GETNAME GETREDIR ID INFO LIST TRACKINGINFO', 'KILL NO-EVICT PAUSE REPLY SETNAME TRACKING UNBLOCK'],
      [
        'CLUSTER',
        'COUNT-FAILURE-REPORTS COUNTKEYSINSLOT GETKEYSINSLOT INFO KEYSLOT LINKS MYID MYSHARDID NODES REPLICAS SHARDS SLAVES SLOT-STATS SLOTS',
        'ADDSLOTS BUMPEPOCH DELSLOTS FAILOVER FORGET MEET REPLICATE RESET SETSLOT',
      ],
      ['CONFIG', 'GET', 'RESETSTAT REWRITE SET'],
      ['FUNCTION', 'DUMP LIST STATS', 'DELETE FLUSH KILL LOAD RESTORE'],
      ['LATENCY', 'DOCTOR GRAPH HISTOGRAM HISTORY LATEST', 'RESET'],
      ['MEMORY', 'DOCTOR MALLOC-STATS STATS USAGE', 'PURGE'],
      ['MODULE', 'LIST', 'LOAD LOADEX UNLOAD'],
      ['SCRIPT', 'EXISTS LOAD SHOW', 'DEBUG FLUSH KILL'],
      ['SLOWLOG', 'GET LEN', 'RESET'],
    ] as const
  ).flatMap(([name, asking, ordering]) => [
    ...asking.split(' ').map((word) => [`${name} ${word}`, true, 'asks'] as const),
    ...ordering.split(' ').map((word) => [`${name} ${word}`, false, 'is an order'] as const),
  ]),
];

/** The reasons' own commands, one by one. */
function decided(reasons: Readonly<Record<string, string>>): string[] {
  return Object.values(reasons).flatMap((names) => names.split(' '));
}

describe('[RES-1] which commands are sent again when their reply was lost', () => {
  it('is decided for every command of the table, and once', () => {
    const names = [...decided(SAFE), ...decided(UNSAFE)];
    expect(names.toSorted()).toEqual([...COMMAND_NAMES].toSorted());
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(decided(SAFE))('%s may be', (name) => expect(describeCommand(name)?.retrySafe).toBe(true));

  it.each(decided(UNSAFE))('%s may not', (name) => expect(describeCommand(name)?.retrySafe).toBe(false));

  it.each(BY_ARGUMENTS)('%s: %s, it %s', (call, isSafe) => {
    const [name = '', ...args] = call.split(' ');
    expect(describeCommand(name, args)?.retrySafe).toBe(isSafe);
  });

  it('is decided above wherever arguments change it', () => {
    const words = new Set(BY_ARGUMENTS.flatMap(([call]) => call.split(' ').slice(1)));
    const listed = new Set(BY_ARGUMENTS.map(([call]) => call.split(' ')[0]));
    const changing = COMMAND_NAMES.filter((name) =>
      [[], ['k'], ['k', 'v'], ['k', '1', '2', '3', 'm']].some((before) =>
        ['k', ...words].some(
          (word) => describeCommand(name, [...before, word])?.retrySafe !== describeCommand(name)?.retrySafe,
        ),
      ),
    );
    expect(changing.filter((name) => !listed.has(name))).toEqual([]);
    expect(changing.length).toBeGreaterThan(20);
  });
});
