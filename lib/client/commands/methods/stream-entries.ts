import type { Reply } from '../../../driver/driver.js';
import { ArgumentError } from '../../../core/errors.js';
import type { Integer } from '../command-set.js';
import { arrayOf, toArray, toCount, toInteger, toPairs, toRecord, toText, unexpected } from '../reply.js';
import { atMostOne } from './expiry.js';
import { whole } from './requests.js';

/**
 * One entry of a stream. Its fields are an object without prototype; of fields with the same name the last one counts.
 */
export interface StreamEntry {
  readonly id: string;
  readonly fields: Record<string, string>;
}

/** An entry as a consumer gets it: one that was deleted meanwhile has no fields left. */
export interface DeliveredEntry {
  readonly id: string;
  readonly fields: Record<string, string> | null;
}

/** Entries with the stream they are from. */
export interface StreamEntries<E = StreamEntry> {
  readonly stream: string;
  readonly entries: E[];
}

/**
 * How a stream is kept short.
 *
 * - `maxLength`: only so many entries are kept. `minId`: only those from this id on. One of the two.
 * - `exact`: trims to the entry; otherwise the server trims when a whole node can go, which is much cheaper.
 *   Default false.
 * - `limit`: how many entries may go at once; not with `exact`. Default: the server's.
 */
export type Trim =
  | { readonly maxLength: Integer; readonly minId?: undefined; readonly exact?: boolean; readonly limit?: number }
  | { readonly maxLength?: undefined; readonly minId: string; readonly exact?: boolean; readonly limit?: number };

/** The words for a {@link Trim}. */
export function trimWords(command: string, trim: Trim): (string | Integer)[] {
  atMostOne(command, trim, ['maxLength', 'minId']);
  atMostOne(command, trim, ['exact', 'limit']);
  if (trim.maxLength === undefined && trim.minId === undefined) {
    throw new ArgumentError(`${command}: say how to trim, with maxLength or minId.`, { subject: command });
  }
  return [
    trim.maxLength === undefined ? 'MINID' : 'MAXLEN',
    trim.exact === true ? '=' : '~',
    trim.maxLength === undefined ? trim.minId : whole(trim.maxLength, command, 'maxLength'),
    ...(trim.limit === undefined ? [] : ['LIMIT', trim.limit]),
  ];
}

function toEntry(reply: Reply, command: string): StreamEntry {
  const [id = null, fields = null] = toArray(reply, command);
  return { id: toText(id, command), fields: toRecord(fields, command) };
}

function toDeliveredEntry(reply: Reply, command: string): DeliveredEntry {
  const [id = null, fields = null] = toArray(reply, command);
  return { id: toText(id, command), fields: fields === null ? null : toRecord(fields, command) };
}

/** A list of entries. */
export const toEntries = arrayOf(toEntry);
/** A list of entries some of which may be gone. */
export const toDeliveredEntries = arrayOf(toDeliveredEntry);

/** Entries of several streams; nil when there are none. `strip` takes the key prefix off the streams' names. */
export function toStreams<E>(
  reply: Reply,
  command: string,
  toItems: (reply: Reply, command: string) => E[],
  strip: (key: string) => string,
): StreamEntries<E>[] {
  if (reply === null) return [];
  return toArray(reply, command).map((item) => {
    const [stream = null, entries = null] = toArray(item, command);
    return { stream: strip(toText(stream, command)), entries: toItems(entries, command) };
  });
}

/** What is waiting for an acknowledgement. */
export interface PendingSummary {
  readonly count: number;
  /** Lowest and highest id, null when nothing is waiting. */
  readonly first: string | null;
  readonly last: string | null;
  readonly consumers: { readonly name: string; readonly count: number }[];
}

/** One entry that waits for its acknowledgement. */
export interface PendingEntry {
  readonly id: string;
  readonly consumer: string;
  /** Milliseconds since it was last delivered. */
  readonly idle: number;
  /** How often it was delivered. */
  readonly deliveries: number;
}

export function toPendingSummary(reply: Reply, command: string): PendingSummary {
  const [count = null, first = null, last = null, consumers = null] = toArray(reply, command);
  return {
    count: toCount(count, command),
    first: first === null ? null : toText(first, command),
    last: last === null ? null : toText(last, command),
    consumers: (consumers === null ? [] : toArray(consumers, command)).map((item) => {
      const [name = null, waiting = null] = toArray(item, command);
      // The one count that the server writes as text.
      return { name: toText(name, command), count: toCount(Number(waiting), command) };
    }),
  };
}

export const toPendingEntries = arrayOf((reply, command): PendingEntry => {
  const [id = null, consumer = null, idle = null, deliveries = null] = toArray(reply, command);
  return {
    id: toText(id, command),
    consumer: toText(consumer, command),
    idle: toCount(idle, command),
    deliveries: toCount(deliveries, command),
  };
});

/** What `xautoclaim` found. */
export interface AutoclaimResult {
  /** Where to go on; `0-0` when all was looked at. */
  readonly next: string;
  readonly entries: StreamEntry[];
  /** Entries that were pending but are not in the stream any more; they are pending no longer. */
  readonly deleted: string[];
}

export function toAutoclaim(reply: Reply, command: string): AutoclaimResult {
  const [next = null, entries = null, deleted = []] = toArray(reply, command);
  return {
    next: toText(next, command),
    entries: toEntries(entries, command),
    deleted: arrayOf(toText)(deleted, command),
  };
}

/** What `xinfoStream` tells. */
export interface StreamInfo {
  readonly length: number;
  readonly groups: number;
  readonly lastGeneratedId: string;
  readonly maxDeletedEntryId: string;
  /** How many entries were ever added. */
  readonly entriesAdded: Integer;
  readonly firstEntry: StreamEntry | null;
  readonly lastEntry: StreamEntry | null;
}

/** What `xinfoGroups` tells about one group. */
export interface GroupInfo {
  readonly name: string;
  readonly consumers: number;
  /** How many entries wait for an acknowledgement. */
  readonly pending: number;
  readonly lastDeliveredId: string;
  /** How many entries were read, and how many are still to be; null when the server cannot tell. */
  readonly entriesRead: Integer | null;
  readonly lag: Integer | null;
}

/** What `xinfoConsumers` tells about one consumer. */
export interface ConsumerInfo {
  readonly name: string;
  readonly pending: number;
  /** Milliseconds since it last asked, and since it last got something; -1 for never. */
  readonly idle: number;
  readonly inactive: number;
}

export function toStreamInfo(reply: Reply, command: string): StreamInfo {
  const info = propertiesOf(reply, command);
  const entry = (name: string): StreamEntry | null => {
    const item = info(name);
    return item === null ? null : toEntry(item, command);
  };
  return {
    length: toCount(info('length'), command),
    groups: toCount(info('groups'), command),
    lastGeneratedId: toText(info('last-generated-id'), command),
    maxDeletedEntryId: toText(info('max-deleted-entry-id'), command),
    entriesAdded: toInteger(info('entries-added'), command),
    firstEntry: entry('first-entry'),
    lastEntry: entry('last-entry'),
  };
}

export const toGroupInfos = arrayOf((reply, command): GroupInfo => {
  const info = propertiesOf(reply, command);
  const count = (name: string): Integer | null => (info(name) === null ? null : toInteger(info(name), command));
  return {
    name: toText(info('name'), command),
    consumers: toCount(info('consumers'), command),
    pending: toCount(info('pending'), command),
    lastDeliveredId: toText(info('last-delivered-id'), command),
    entriesRead: count('entries-read'),
    lag: count('lag'),
  };
});

export const toConsumerInfos = arrayOf((reply, command): ConsumerInfo => {
  const info = propertiesOf(reply, command);
  return {
    name: toText(info('name'), command),
    pending: toCount(info('pending'), command),
    idle: toCount(info('idle'), command),
    inactive: toCount(info('inactive'), command),
  };
});

/** Looks up what a flat list of names and values says; a name that is missing makes the reply unexpected. */
function propertiesOf(reply: Reply, command: string): (name: string) => Reply {
  const properties = new Map(toPairs(reply, command));
  return (name) => properties.get(name) ?? (properties.has(name) ? null : unexpected(command, `a list with "${name}"`));
}
