import { toMilliseconds, type Duration } from '../../../core/duration.js';
import type { Key, Mode, Shape } from '../command-set.js';
import { toBoolean, toCount, toOk } from '../reply.js';
import {
  XACK,
  XAUTOCLAIM,
  XCLAIM,
  XGROUP,
  XGROUP_REPEATABLE,
  XINFO,
  XPENDING,
  XREADGROUP,
  XREADGROUP_BLOCK,
} from '../table/streams.js';
import { many, type Many } from './requests.js';
import {
  toAutoclaim,
  toConsumerInfos,
  toDeliveredEntries,
  toEntries,
  toGroupInfos,
  toPendingEntries,
  toPendingSummary,
  toStreams,
  type AutoclaimResult,
  type ConsumerInfo,
  type DeliveredEntry,
  type GroupInfo,
  type PendingEntry,
  type PendingSummary,
  type StreamEntries,
  type StreamEntry,
} from './stream-entries.js';
import { namesAndIds, readWords, StreamCommands, type ReadOptions, type StreamIds } from './streams.js';

/** A consumer, and the group it reads for. */
export interface Consumer {
  readonly group: Key;
  readonly consumer: Key;
}

/** Which pending entries are listed. */
export interface PendingOptions {
  /** First id. Default `'-'`. */
  readonly start?: string;
  /** Last id. Default `'+'`. */
  readonly end?: string;
  /** At most so many. */
  readonly count: number;
  /** Only those of this consumer. Default: of all. */
  readonly consumer?: Key;
  /** Only those that were not delivered for so long. Default: all. */
  readonly minIdle?: Duration;
}

/** Commands on the consumer groups of streams. */
export abstract class StreamGroupCommands<M extends Mode> extends StreamCommands<M> {
  /**
   * Makes a group that begins after `id`: `'$'` (default) for what comes from now on, `'0'` for all. `create` (default
   * false) makes the stream too. A group that exists already is the server's error BUSYGROUP.
   */
  xgroupCreate(
    key: Key,
    group: Key,
    options: { readonly id?: string; readonly create?: boolean } = {},
  ): Shape<M, 'OK'> {
    const words = options.create === true ? ['MKSTREAM'] : [];
    return this.request(XGROUP, ['CREATE', key, group, options.id ?? '$', ...words], toOk);
  }

  /** Lets a group go on after another id. */
  xgroupSetid(key: Key, group: Key, id: string): Shape<M, 'OK'> {
    return this.request(XGROUP_REPEATABLE, ['SETID', key, group, id], toOk);
  }

  /** Removes a group; answers whether there was one. */
  xgroupDestroy(key: Key, group: Key): Shape<M, boolean> {
    return this.request(XGROUP_REPEATABLE, ['DESTROY', key, group], toBoolean);
  }

  /** Makes a consumer; answers whether it is new. Reading makes one too. */
  xgroupCreateconsumer(key: Key, group: Key, consumer: Key): Shape<M, boolean> {
    return this.request(XGROUP_REPEATABLE, ['CREATECONSUMER', key, group, consumer], toBoolean);
  }

  /** Removes a consumer; answers how many entries were waiting for its acknowledgement, which are lost to the group. */
  xgroupDelconsumer(key: Key, group: Key, consumer: Key): Shape<M, number> {
    return this.request(XGROUP, ['DELCONSUMER', key, group, consumer], toCount);
  }

  /**
   * Reads for a group: with the id `'>'` what no consumer got yet, with another one what this consumer got and did not
   * acknowledge. `noAck` (default false) needs no acknowledgement.
   */
  xreadgroup(
    { group, consumer }: Consumer,
    streams: StreamIds,
    options: ReadOptions & { readonly noAck?: boolean } = {},
  ): Shape<M, StreamEntries<DeliveredEntry>[]> {
    return this.guarded(() => {
      const { names, ids } = namesAndIds(streams, 'XREADGROUP');
      if (names.length === 0) return this.answer<StreamEntries<DeliveredEntry>[]>([]);
      const noAck = options.noAck === true ? ['NOACK'] : [];
      const words = [...readWords('XREADGROUP', options), ...noAck];
      return this.request(
        options.block === undefined ? XREADGROUP : XREADGROUP_BLOCK,
        ['GROUP', group, consumer, ...words, 'STREAMS', ...names, ...ids],
        (reply, command) => toStreams(reply, command, toDeliveredEntries, (name) => this.stripPrefix(name)),
      );
    });
  }

  /** Acknowledges entries; answers how many were waiting for it. */
  xack(key: Key, group: Key, ...ids: Many<string>): Shape<M, number> {
    const list = many(ids);
    return list.length === 0 ? this.answer(0) : this.request(XACK, [key, group, ...list], toCount);
  }

  /** How many entries wait for an acknowledgement, and whose. */
  xpending(key: Key, group: Key): Shape<M, PendingSummary> {
    return this.request(XPENDING, [key, group], toPendingSummary);
  }

  /** The entries that wait for an acknowledgement. */
  xpendingEntries(key: Key, group: Key, options: PendingOptions): Shape<M, PendingEntry[]> {
    return this.guarded(() => {
      const { start = '-', end = '+', count, consumer, minIdle } = options;
      const idle = minIdle === undefined ? [] : ['IDLE', toMilliseconds(minIdle, 'XPENDING: minIdle')];
      const of = consumer === undefined ? [] : [consumer];
      return this.request(XPENDING, [key, group, ...idle, start, end, count, ...of], toPendingEntries);
    });
  }

  /**
   * Takes over entries that nobody acknowledged for `minIdle`, from `start` (default `'0-0'`) on, up to `count`
   * (default 100).
   */
  xautoclaim(
    key: Key,
    { group, consumer }: Consumer,
    options: { readonly minIdle: Duration; readonly start?: string; readonly count?: number },
  ): Shape<M, AutoclaimResult> {
    return this.guarded(() => {
      const idle = toMilliseconds(options.minIdle, 'XAUTOCLAIM: minIdle');
      const args = [key, group, consumer, idle, options.start ?? '0-0', 'COUNT', options.count ?? 100];
      return this.request(XAUTOCLAIM, args, toAutoclaim);
    });
  }

  /** Takes over the named entries, those that nobody acknowledged for `minIdle`; answers the ones it got. */
  xclaim(
    key: Key,
    { group, consumer }: Consumer,
    ids: readonly string[],
    options: { readonly minIdle: Duration },
  ): Shape<M, StreamEntry[]> {
    return this.guarded(() => {
      if (ids.length === 0) return this.answer<StreamEntry[]>([]);
      const idle = toMilliseconds(options.minIdle, 'XCLAIM: minIdle');
      return this.request(XCLAIM, [key, group, consumer, idle, ...ids], toEntries);
    });
  }

  /** The groups of a stream. */
  xinfoGroups(key: Key): Shape<M, GroupInfo[]> {
    return this.request(XINFO, ['GROUPS', key], toGroupInfos);
  }

  /** The consumers of a group. */
  xinfoConsumers(key: Key, group: Key): Shape<M, ConsumerInfo[]> {
    return this.request(XINFO, ['CONSUMERS', key, group], toConsumerInfos);
  }
}
