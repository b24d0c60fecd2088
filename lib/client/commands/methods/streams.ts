import { toMilliseconds, type Duration } from '../../../core/duration.js';
import { ArgumentError } from '../../../core/errors.js';
import type { Integer, Key, Mode, Shape, Value } from '../command-set.js';
import { toCount, toText, toTextOrNull } from '../reply.js';
import { XADD, XDEL, XINFO, XLEN, XRANGE, XREAD, XREAD_BLOCK, XREVRANGE, XTRIM } from '../table/streams.js';
import { flatten, many, type Many, type Pairs } from './requests.js';
import { SortedSetRangeCommands } from './sorted-set-ranges.js';
import {
  toEntries,
  toStreamInfo,
  toStreams,
  trimWords,
  type StreamEntries,
  type StreamEntry,
  type StreamInfo,
  type Trim,
} from './stream-entries.js';

/** How an entry is added. */
export interface XaddOptions {
  /** Its id. Default `'*'`: the server makes one. */
  readonly id?: string;
  /** Keeps the stream short. Default: not at all. */
  readonly trim?: Trim;
  /** Whether the stream is made if it does not exist. Default true. */
  readonly create?: boolean;
}

/** How much to read, and how long to wait for it. */
export interface ReadOptions {
  /** At most so many entries of each stream. Default: all there are. */
  readonly count?: number;
  /** How long to wait for entries, on a connection of its own; `0` for ever. Default: not at all. */
  readonly block?: Duration;
}

/** Streams with the id after which to read. */
export type StreamIds =
  Readonly<Record<string, string>> | ReadonlyMap<Key, string> | readonly (readonly [stream: Key, id: string])[];

/** Commands on streams, without consumer groups. */
export abstract class StreamCommands<M extends Mode> extends SortedSetRangeCommands<M> {
  /** Adds an entry; answers its id, null when the stream does not exist and was not to be made. */
  xadd(key: Key, fields: Pairs, options: XaddOptions & { readonly create: false }): Shape<M, string | null>;
  /** Adds an entry; answers its id. */
  xadd(key: Key, fields: Pairs, options?: XaddOptions): Shape<M, string>;
  xadd(key: Key, fields: Pairs, options: XaddOptions = {}): Shape<M, string> | Shape<M, string | null> {
    return this.guarded<string | null>(() => {
      const args = flatten(fields, 'XADD');
      if (args.length === 0) {
        throw new ArgumentError('XADD: an entry needs at least one field.', { subject: 'XADD' });
      }
      const words = options.trim ? trimWords('XADD', options.trim) : [];
      const id = options.id ?? '*';
      return options.create === false
        ? this.request<string | null>(XADD, [key, 'NOMKSTREAM', ...words, id, ...args], toTextOrNull)
        : this.request<string | null>(XADD, [key, ...words, id, ...args], toText);
    });
  }

  /** The entries after an id of one or more streams. Streams without any are left out. `'$'` is what comes from now on. */
  xread(streams: StreamIds, options: ReadOptions = {}): Shape<M, StreamEntries[]> {
    return this.guarded(() => {
      const { names, ids } = namesAndIds(streams, 'XREAD');
      if (names.length === 0) return this.answer<StreamEntries[]>([]);
      const args = [...readWords('XREAD', options), 'STREAMS', ...names, ...ids];
      return this.request(options.block === undefined ? XREAD : XREAD_BLOCK, args, (reply, command) =>
        toStreams(reply, command, toEntries, (name) => this.stripPrefix(name)),
      );
    });
  }

  /** The entries from one id to another, both included; `'-'` and `'+'` are the ends, `'(1-0'` leaves the id itself out. */
  xrange(key: Key, start: string, end: string, options: { readonly count?: number } = {}): Shape<M, StreamEntry[]> {
    return this.request(XRANGE, [key, start, end, ...countWords(options)], toEntries);
  }

  /** Like `xrange`, from the last to the first. */
  xrevrange(key: Key, end: string, start: string, options: { readonly count?: number } = {}): Shape<M, StreamEntry[]> {
    return this.request(XREVRANGE, [key, end, start, ...countWords(options)], toEntries);
  }

  /** How many entries there are. */
  xlen(key: Key): Shape<M, number> {
    return this.request(XLEN, [key], toCount);
  }

  /** Removes entries; answers how many there were. */
  xdel(key: Key, ...ids: Many<string>): Shape<M, number> {
    const list = many(ids);
    return list.length === 0 ? this.answer(0) : this.request(XDEL, [key, ...list], toCount);
  }

  /** Removes the oldest entries; answers how many. */
  xtrim(key: Key, trim: Trim): Shape<M, number> {
    return this.guarded(() => this.request(XTRIM, [key, ...trimWords('XTRIM', trim)], toCount));
  }

  /** What the server knows about a stream. */
  xinfoStream(key: Key): Shape<M, StreamInfo> {
    return this.request(XINFO, ['STREAM', key], toStreamInfo);
  }
}

/** Streams and the ids to read from, taken apart. */
export function namesAndIds(streams: StreamIds, command: string): { names: Value[]; ids: Value[] } {
  const flat = flatten(streams, command);
  return { names: flat.filter((_, index) => index % 2 === 0), ids: flat.filter((_, index) => index % 2 === 1) };
}

/** The words for {@link ReadOptions}. */
export function readWords(command: string, options: ReadOptions): (string | Integer)[] {
  const block = options.block === undefined ? [] : ['BLOCK', toMilliseconds(options.block, `${command}: block`)];
  return [...countWords(options), ...block];
}

function countWords({ count }: { readonly count?: number }): (string | number)[] {
  return count === undefined ? [] : ['COUNT', count];
}
