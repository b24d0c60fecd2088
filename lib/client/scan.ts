import { ArgumentError } from '../core/errors.js';
import type { Argument, Reply, Route } from '../driver/driver.js';
import { NO_KEYS } from './commands/command.js';
import type { CommandDescription } from './commands/command.js';
import { FIRST_KEY } from './commands/command.js';
import type { Key } from './commands/command-set.js';
import { strip } from './commands/strip.js';
import type { Dispatcher } from './dispatcher.js';
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

const SCAN: CommandDescription = { name: 'SCAN', keys: NO_KEYS, readOnly: true, retrySafe: true, blocking: false };

/** Every key on every primary. A failover makes it start over, since cursors mean nothing to another server. */
export async function* scanKeys(
  dispatcher: Dispatcher,
  scope: Scope,
  options: KeyScanOptions = {},
): AsyncGenerator<string, void, undefined> {
  const words = scanWords(options);
  if (options.type !== undefined) words.push('TYPE', options.type);
  const seen = options.unique === false ? undefined : new Set<string>();
  const { keyPrefix } = dispatcher.settings;
  const read = async (route: Route, cursor: string): Promise<Page> =>
    dispatcher.request(
      { command: SCAN, args: [cursor, ...words], decode: toPage, binary: false, plan: { target: route } },
      scope,
    );
  for await (const key of restarting(dispatcher, () => eachPrimary(dispatcher, read))) {
    if (seen?.has(key)) continue;
    seen?.add(key);
    yield strip(key, keyPrefix) as string;
  }
}

/** The elements of one collection, `width` replies to each: 1 for a set, 2 for a hash or sorted set. */
export async function* scanCollection(
  dispatcher: Dispatcher,
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
  dispatcher: Dispatcher,
  read: (route: Route, cursor: string) => Promise<Page>,
): AsyncGenerator<string, void, undefined> {
  for (const route of await dispatcher.driver.primaries()) {
    for await (const { items } of follow((cursor) => read(route, cursor))) yield* items;
  }
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
  dispatcher: Dispatcher,
  walk: () => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  let changes = 0;
  const stop = dispatcher.driver.onStatus(() => {
    changes += 1;
  });
  try {
    for (let restart = 0; ; restart += 1) {
      const before = changes;
      const complete = yield* walkWhile(walk(), () => changes === before, restart < MOST_RESTARTS);
      if (complete) return;
    }
  } finally {
    stop();
  }
}

/** Gives what `walk` gives while nothing changes; whether it came to its end. */
async function* walkWhile<T>(
  walk: AsyncGenerator<T, void, undefined>,
  unchanged: () => boolean,
  mayRestart: boolean,
): AsyncGenerator<T, boolean, undefined> {
  try {
    for await (const item of walk) {
      yield item;
      if (!unchanged() && mayRestart) return false;
    }
  } catch (error) {
    if (unchanged() || !mayRestart) throw error;
    return false;
  }
  return unchanged() || !mayRestart;
}
