import { UnsupportedError } from '../../../core/errors.js';
import type { Argument } from '../../../driver/driver.js';
import { wordOf } from '../table/refine.js';

const SESSION = 'Use transaction() instead.';
const LISTEN = 'Use subscribe() instead.';
const CONFIGURE = 'Set it in the options of the module instead.';
const OWN = 'Use a connection of your own, duplicated from native().';

/** Commands that change what a connection is for; others share it. With what to use instead. */
const CONNECTION_CHANGING: Readonly<Record<string, string>> = {
  ASKING: 'The driver follows redirections itself.',
  AUTH: CONFIGURE,
  DISCARD: SESSION,
  EXEC: SESSION,
  HELLO: CONFIGURE,
  MONITOR: OWN,
  MULTI: SESSION,
  PSUBSCRIBE: 'Use psubscribe() instead.',
  PSYNC: OWN,
  PUNSUBSCRIBE: 'End the subscription that psubscribe() gave instead.',
  QUIT: 'Use close() instead.',
  READONLY: 'Use with({ route }) instead.',
  READWRITE: 'Use with({ route }) instead.',
  REPLCONF: OWN,
  RESET: OWN,
  SELECT: CONFIGURE,
  SSUBSCRIBE: OWN,
  SUBSCRIBE: LISTEN,
  SUNSUBSCRIBE: OWN,
  SYNC: OWN,
  UNSUBSCRIBE: 'End the subscription that subscribe() gave instead.',
  UNWATCH: SESSION,
  WATCH: SESSION,
  'CLIENT CACHING': OWN,
  'CLIENT CAPA': OWN,
  'CLIENT IMPORT-SOURCE': OWN,
  'CLIENT NO-EVICT': OWN,
  'CLIENT NO-TOUCH': OWN,
  'CLIENT REPLY': OWN,
  'CLIENT SETNAME': CONFIGURE,
  'CLIENT TRACKING': OWN,
  'SCRIPT DEBUG': OWN,
};

/** Commands that read, count or change keys without the prefix. */
const BEYOND_PREFIX: ReadonlySet<string> = new Set([
  'CLUSTER COUNTKEYSINSLOT',
  'CLUSTER GETKEYSINSLOT',
  'DBSIZE',
  'DEBUG',
  'FLUSHALL',
  'FLUSHDB',
  'MIGRATE',
  'RANDOMKEY',
  'REPLICAOF',
  'SLAVEOF',
  'SWAPDB',
]);

/**
 * Why a command must not go through `call()`, or `undefined` when it may.
 *
 * @param name - In upper case.
 */
export function refusalOf(name: string, args: readonly Argument[], prefix: string): UnsupportedError | undefined {
  const full = `${name} ${wordOf(args[0])}`;
  for (const command of [name, full]) {
    const instead = CONNECTION_CHANGING[command];
    if (instead !== undefined) {
      return new UnsupportedError(
        `${command} would change a connection that all callers of this client share. ${instead}`,
        { subject: command },
      );
    }
    if (prefix !== '' && BEYOND_PREFIX.has(command)) {
      return new UnsupportedError(
        `${command} reaches beyond the key prefix of this client. Use native() if that is what you want.`,
        { subject: command },
      );
    }
  }
  return undefined;
}
