import { UnsupportedError } from '../../../core/errors.js';
import type { Argument, Reply } from '../../driver.js';
import { at, family, upper, type CommandTable, type Context } from '../command.js';
import { atom, datum } from '../data/bytes.js';
import { glob } from '../data/glob.js';
import { refusal, syntaxError, wrongArity } from '../refusal.js';
import { onlyDatabase } from './keys.js';

/** What version of Valkey it behaves like. */
const VERSION = '8.0.1';

function ping(_context: Context, args: readonly Argument[]): Reply {
  if (args.length > 1) throw wrongArity('ping');
  return args.length === 0 ? 'PONG' : datum(at(args, 0));
}

function time({ store }: Context): Reply {
  const now = store.now();
  const microseconds = Math.floor((now % 1000) * 1000);
  return [String(Math.floor(now / 1000)), String(microseconds)];
}

function flush({ store }: Context, args: readonly Argument[]): Reply {
  const [mode] = args;
  if (args.length > 1 || (mode !== undefined && upper(mode) !== 'SYNC' && upper(mode) !== 'ASYNC')) throw syntaxError();
  store.clear();
  return 'OK';
}

function info({ store }: Context): Reply {
  return [
    '# Server',
    'server_name:valkey',
    `valkey_version:${VERSION}`,
    'server_mode:embedded',
    '# Memory',
    `used_memory:${store.bytes}`,
    '# Replication',
    'role:master',
    '# Keyspace',
    ...(store.size === 0 ? [] : [`db0:keys=${store.size},expires=${store.expiring},avg_ttl=0`]),
    '',
  ].join('\r\n');
}

function publish({ channels }: Context, args: readonly Argument[]): Reply {
  return channels.publish(atom(at(args, 0)), datum(at(args, 1)));
}

function select(_context: Context, args: readonly Argument[]): Reply {
  onlyDatabase(at(args, 0));
  return 'OK';
}

function memoryUsage({ store }: Context, args: readonly Argument[]): Reply {
  return store.peek(atom(at(args, 0)))?.bytes ?? null;
}

function refused(what: string): () => never {
  return () => {
    throw new UnsupportedError(`The embedded driver has no ${what}. Use a server if you need it.`, { subject: what });
  };
}

const PUBSUB: CommandTable = {
  CHANNELS: {
    arity: -2,
    run: ({ channels }, args) => channels.names(args.length === 0 ? () => true : glob(at(args, 0))),
  },
  NUMSUB: {
    arity: -2,
    run: ({ channels }, args) => args.flatMap((name): Reply[] => [atom(name), channels.listeners(atom(name))]),
  },
  NUMPAT: { arity: 2, run: ({ channels }) => channels.patterns() },
};

const CLIENT: CommandTable = {
  ID: { arity: 2, run: () => 1 },
  GETNAME: { arity: 2, run: () => null },
  SETNAME: { arity: 3, run: setName },
  SETINFO: { arity: 4, run: () => 'OK' },
  'NO-EVICT': { arity: 3, run: () => 'OK' },
};

/** There is no connection to name; the name is checked and forgotten. */
function setName(_context: Context, args: readonly Argument[]): Reply {
  const name = atom(at(args, 0));
  if (/[^!-~]/.test(name)) throw refusal('Client names cannot contain spaces, newlines or special characters.');
  return 'OK';
}

/** What concerns the server as a whole. */
export const SERVER: CommandTable = {
  PING: { arity: -1, run: ping },
  ECHO: { arity: 2, run: (_context, args) => datum(at(args, 0)) },
  TIME: { arity: 1, run: time },
  DBSIZE: { arity: 1, run: ({ store }) => store.size },
  FLUSHDB: { arity: -1, run: flush },
  FLUSHALL: { arity: -1, run: flush },
  INFO: { arity: -1, run: info },
  SELECT: { arity: 2, run: select },
  PUBLISH: { arity: 3, run: publish },
  SPUBLISH: { arity: 3, run: refused('SPUBLISH') },
  PUBSUB: family(PUBSUB),
  CLIENT: family(CLIENT),
  COMMAND: { arity: -1, run: refused('COMMAND') },
  OBJECT: { arity: -2, run: refused('OBJECT') },
  MEMORY: family({ USAGE: { arity: -3, run: memoryUsage } }),
};
