import { COMMAND_NAMES, describeCommand } from '../../lib/client/commands/table.js';
import { describeWithServers, leftovers, type Server, startServer } from '../support/index.js';

/** What is there before: every name of these calls, of the type they need. */
const BEFORE = [
  'MSET s 1 t 2',
  'HSET h a 1 b 2',
  'RPUSH l a b c d',
  'SADD set1 a b c',
  'SADD set2 b c d',
  'ZADD z 1 a 2 b 3 c',
  'ZADD z2 2 b 3 c 9 d',
  'PFADD hll1 a b',
  'PFADD hll2 c d',
  'XADD x 1-0 f v',
  'XADD x 2-0 f v',
  'XADD x 3-0 f v',
  'XGROUP CREATE x g 0',
  'XREADGROUP GROUP g c STREAMS x >',
  'SET old 1 EX 100',
];

/** Calls of every changing command that is sent again when its reply was lost, in the forms that could be dangerous. */
const REPEATED = [
  'SET s v',
  'SET s v XX',
  'SET s v KEEPTTL',
  'SET new v PX 60000',
  'GETEX old PERSIST',
  'GETEX s EX 50',
  'SETEX s 50 v',
  'PSETEX s 50000 v',
  'SETRANGE s 3 abc',
  'MSET s 5 new 6',
  'HSET h a 5 c 6',
  'HMSET h a 5 c 6',
  'HDEL h a',
  'SADD set1 d e',
  'SREM set1 a x',
  'SINTERSTORE set1 set1 set2',
  'SINTERSTORE set1 set2 set1',
  'SUNIONSTORE set1 set2 set1',
  'PFADD hll1 x y',
  'PFMERGE hll1 hll1 hll2',
  'ZADD z 7 a 8 n',
  'ZADD z NX 7 a 8 n',
  'ZADD z GT CH 7 a 0 b',
  'ZADD z XX LT 0 a',
  'ZREM z a',
  'ZREMRANGEBYSCORE z 1 2',
  'ZREMRANGEBYLEX z - [b',
  'GEOADD geo 13 38 a',
  'DEL s h',
  'UNLINK s h',
  'TOUCH s h',
  'EXPIRE s 100',
  'PEXPIRE s 100000',
  'EXPIREAT s 99999999999',
  'PEXPIREAT s 1',
  'PERSIST old',
  'XACK x g 1-0',
  'XDEL x 1-0',
  'XTRIM x MAXLEN 1',
  'XTRIM x MINID 2-0',
  'XSETID x 9-0',
  'XGROUP SETID x g $',
  'XGROUP CREATECONSUMER x g new',
  'XGROUP DESTROY x g',
  'SORT l ALPHA',
  'GEORADIUS geo 13 38 5 m',
  'GEORADIUSBYMEMBER z2 b 5 m',
] as const;

/** Those that showed a difference when they were tried: the test can tell. */
const HARMED: readonly string[] = [
  'INCR s',
  'SDIFFSTORE set1 set2 set1',
  'LTRIM l 1 -1',
  'ZINTERSTORE z 2 z z2',
  'APPEND s x',
];

describeWithServers('a command that was executed twice', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each(REPEATED)('[RES-1] left what one execution leaves: %s', async (call) => {
    expect(await after(call, call)).toBe(await after(call));
  });

  it.each(HARMED)('leaves something else, if it is never repeated: %s', async (call) => {
    expect(await after(call, call)).not.toBe(await after(call));
  });

  it('[RES-1] is tried above in every kind that changes something and is repeated', () => {
    const tried = new Set(REPEATED.map((call) => call.split(' ')[0]));
    const repeated = COMMAND_NAMES.filter((name) => {
      const { keys, readOnly, retrySafe } = describeCommand(name) as NonNullable<ReturnType<typeof describeCommand>>;
      return retrySafe && !readOnly && keys.kind !== 'none';
    });
    expect(repeated.filter((name) => !tried.has(name))).toEqual([]);
    for (const call of [...REPEATED, ...HARMED]) {
      const [name = '', ...args] = call.split(' ');
      expect([call, describeCommand(name, args)?.retrySafe]).toEqual([call, !HARMED.includes(call)]);
    }
  });

  /** A digest of all data after these calls. */
  async function after(...calls: readonly string[]): Promise<unknown> {
    for (const call of ['FLUSHALL', ...BEFORE, ...calls]) {
      // Some refuse the second time, which changes nothing.
      await server.command(...call.split(' ')).catch(() => undefined);
    }
    return server.command('DEBUG', 'DIGEST');
  }
});
