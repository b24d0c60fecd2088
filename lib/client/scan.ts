import { setTimeout as sleep } from 'node:timers/promises';
import { toNames } from './arguments.js';
import { ArgumentError, isValkeyError, ServerBusyError } from '../core/errors.js';
import type { Argument, Reply, Route } from '../driver/driver.js';
import { NO_KEYS } from './commands/command.js';
import type { CommandDescription } from './commands/command.js';
import { FIRST_KEY } from './commands/command.js';
import type { Key } from './commands/command-set.js';
import { strip } from './commands/strip.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import { DEFAULT_SCOPE } from './scope.js';
import type { Scope } from './scope.js';

/** What a scan looks for. */
export interface ScanOptions {
  /** Glob pattern; with a key prefix it applies to what follows the prefix. Default: everything. */
  readonly match?: string;
  /** About how many elements the server looks at per step. Default 100. */
  readonly count?: number;
}

/** What a scan over keys looks for. */
export interface KeyScanOptions extends ScanOptions {
  /** Only keys of this type: `string`, `hash`, `list`, `set`, `zset`, `stream`. Default: all. */
  readonly type?: string;
  /**
   * Leaves out what was given already. The server repeats keys while it grows its tables, and a failover makes the scan
   * start over; remembering takes memory for each key seen. Default true.
   */
  readonly unique?: boolean;
}

/** How often a scan starts over because the servers changed under it, before it gives up. */
const MOST_RESTARTS = 20;
/** Milliseconds to wait before the first and before a late restart: a failover takes its time. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 1_000;

const ROLE: CommandDescription = { name: 'ROLE', keys: NO_KEYS, readOnly: true, retrySafe: true, blocking: false };
const SCAN: CommandDescription = { name: 'SCAN', keys: NO_KEYS, readOnly: true, retrySafe: true, blocking: false };

/** Every key on every primary. A failover makes it start over, since cursors mean nothing to another server. */
export async function* scanKeys(
  dispatcher: Dispatching,
  scope: Scope,
  options: KeyScanOptions = {},
): AsyncGenerator<string, void, undefined> {
  const words = scanWords(options);
  if (options.type !== undefined) words.push('TYPE', ...toNames<string>('scan()', 'type', [options.type]));
  const seen = options.unique === false ? undefined : new Set<string>();
  const { keyPrefix } = dispatcher.settings;
  const read = async (route: Route, cursor: string): Promise<Page> =>
    dispatcher.request(
      { command: SCAN, args: [cursor, ...words], decode: toPage, binary: false, plan: { target: route } },
      scope,
    );
  for await (const key of restarting(dispatcher, (fresh) => eachPrimary(dispatcher, fresh, read))) {
    if (seen?.has(key)) continue;
    seen?.add(key);
    yield strip(key, keyPrefix) as string;
  }
}

/** The elements of one collection, `width` replies to each: 1 for a set, 2 for a hash or sorted set. */
export async function* scanCollection(
  dispatcher: Dispatching,
  scope: Scope,
  command: 'HSCAN' | 'SSCAN' | 'ZSCAN',
  key: Key,
  options: ScanOptions = {},
): AsyncGenerator<readonly [string, string], void, undefined> {
  const description: CommandDescription = {
    name: command,
    keys: FIRST_KEY,
    readOnly: true,
    retrySafe: true,
    blocking: false,
  };
  const words = scanWords(options);
  toNames(command, 'key', [key]);
  const width = command === 'SSCAN' ? 1 : 2;
  const seen = new Set<string>();
  const pages = (): AsyncGenerator<Page, void, undefined> =>
    follow((cursor) =>
      dispatcher.request({ command: description, args: [key, cursor, ...words], decode: toPage, binary: false }, scope),
    );
  for await (const element of restarting(dispatcher, () => elements(pages(), width))) {
    if (seen.has(element[0])) continue;
    seen.add(element[0]);
    yield element;
  }
}

interface Page {
  readonly cursor: string;
  readonly items: readonly string[];
}

function scanWords({ match, count = 100 }: ScanOptions): Argument[] {
  if (match !== undefined) toNames('scan()', 'match', [match]);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ArgumentError('scan: count must be a whole number of at least 1.', { subject: 'count' });
  }
  return [...(match === undefined ? [] : ['MATCH', match]), 'COUNT', String(count)];
}

function toPage(reply: Reply): Page {
  const [cursor, items] = reply as readonly [Reply, readonly Reply[]];
  return { cursor: String(cursor), items: items.map(String) };
}

async function* follow(read: (cursor: string) => Promise<Page>): AsyncGenerator<Page, void, undefined> {
  let cursor = '0';
  do {
    const page = await read(cursor);
    yield page;
    cursor = page.cursor;
  } while (cursor !== '0');
}

async function* eachPrimary(
  dispatcher: Dispatching,
  fresh: boolean,
  read: (route: Route, cursor: string) => Promise<Page>,
): AsyncGenerator<string, void, undefined> {
  for (const route of await dispatcher.driver.primaries(fresh)) {
    for await (const { items } of follow((cursor) => read(route, cursor))) yield* items;
    await refuseDemoted(dispatcher, route);
  }
}

/** A server can have been demoted in the middle, before anybody noticed; then its last pages mean nothing. */
async function refuseDemoted(dispatcher: Dispatching, target: Route): Promise<void> {
  if (dispatcher.driver.topology === 'embedded') return;
  const request = { command: ROLE, args: [], decode: toRole, binary: false, plan: { target } };
  // Who may not ask, or cannot be asked, is taken for what it was.
  const role = await dispatcher.request(request, DEFAULT_SCOPE).catch(() => 'master');
  if (role !== 'master') throw new Demoted();
}

function toRole(reply: Reply): string {
  return Array.isArray(reply) ? String(reply[0]) : '';
}

async function* elements(
  pages: AsyncGenerator<Page>,
  width: number,
): AsyncGenerator<readonly [string, string], void, undefined> {
  for await (const { items } of pages) {
    for (let index = 0; index < items.length; index += width) {
      yield [items[index] as string, items[index + width - 1] as string];
    }
  }
}

/** Runs `walk` until it comes through without any change of servers in between. */
async function* restarting<T>(
  dispatcher: Dispatching,
  walk: (fresh: boolean) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  let changes = 0;
  // An attempt that fails changes nothing; being connected again can mean another server.
  const stop = dispatcher.driver.onStatus(({ state }) => {
    if (state === 'ready' || state === 'degraded') changes += 1;
  });
  try {
    for (let restart = 0; restart <= MOST_RESTARTS; restart += 1) {
      const before = changes;
      const complete = yield* walkWhile(walk(restart > 0), () => changes === before);
      if (complete) return;
      await sleep(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** restart));
    }
  } finally {
    stop();
  }
  throw new ServerBusyError(
    'SCAN',
    `The servers changed during each of ${MOST_RESTARTS + 1} attempts to scan them. Try again when the failover is over.`,
    { subject: 'SCAN' },
  );
}

/** Gives what `walk` gives while nothing changes; whether it came to its end. */
async function* walkWhile<T>(
  walk: AsyncGenerator<T, void, undefined>,
  unchanged: () => boolean,
): AsyncGenerator<T, boolean, undefined> {
  try {
    for await (const item of walk) {
      yield item;
      if (!unchanged()) return false;
    }
  } catch (error) {
    const final = isValkeyError(error, 'VALKEY_DEADLINE_EXCEEDED') || isValkeyError(error, 'VALKEY_CLIENT_CLOSED');
    if (final || (unchanged() && !(error instanceof Demoted))) throw error;
    return false;
  }
  return unchanged();
}

/** The server that was scanned is no primary any more: it may have been emptied to be filled by the new one. */
class Demoted extends Error {}
