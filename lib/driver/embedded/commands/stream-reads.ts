import type { Argument, Reply } from '../../driver.js';
import { Options, Wait, type CommandTable, type Context } from '../command.js';
import { atom, textOf, type Atom } from '../data/bytes.js';
import { integer, parseInteger } from '../data/numbers.js';
import { Stream, type Consumer, type Group, type StreamEntry } from '../data/stream.js';
import { formatId, LAST_ID, parseId } from '../data/stream-id.js';
import { refusal, syntaxError } from '../refusal.js';
import { distanceFromStart, hasGaps } from './stream-lag.js';
import { firstOf, shownEntry } from './streams.js';

interface ReadRequest {
  readonly keys: readonly Atom[];
  readonly ids: readonly Argument[];
  readonly count: number;
  /** Milliseconds to wait, 0 without end; `undefined` not to wait. */
  readonly block: number | undefined;
  readonly group: readonly [group: Atom, consumer: Atom] | undefined;
  readonly noAck: boolean;
}

function readRequest(name: 'xread' | 'xreadgroup', args: readonly Argument[]): ReadRequest {
  const options = new Options(args, 0);
  let count = Infinity;
  let block: number | undefined;
  let group: ReadRequest['group'];
  let noAck = false;
  for (;;) {
    const word = options.word();
    if (word === 'STREAMS') break;
    else if (word === 'COUNT') count = countOf(options.next());
    else if (word === 'BLOCK') block = blockOf(options.next());
    else if (word === 'GROUP' && options.left >= 2) {
      if (name === 'xread')
        throw refusal('The GROUP option is only supported by XREADGROUP. You called XREAD instead.');
      group = [atom(options.next()), atom(options.next())];
    } else if (word === 'NOACK') {
      if (name === 'xread')
        throw refusal('The NOACK option is only supported by XREADGROUP. You called XREAD instead.');
      noAck = true;
    } else throw syntaxError();
  }
  const rest = options.rest();
  if (rest.length === 0) throw syntaxError();
  if (rest.length % 2 === 1) throw unbalanced(name);
  if (name === 'xreadgroup' && group === undefined) throw refusal('Missing GROUP option for XREADGROUP');
  const half = rest.length / 2;
  return { keys: rest.slice(0, half).map(atom), ids: rest.slice(half), count, block, group, noAck };
}

function unbalanced(name: string): Error {
  const special = name === 'xread' ? '$' : '>';
  return refusal(`Unbalanced '${name}' list of streams: for each stream key an ID or '${special}' must be specified.`);
}

function countOf(argument: Argument): number {
  const count = integer(argument);
  return count <= 0 ? Infinity : count;
}

function blockOf(argument: Argument): number {
  const parsed = parseInteger(textOf(argument));
  if (parsed === undefined) throw refusal('timeout is not an integer or out of range');
  if (parsed < 0) throw refusal('timeout is negative');
  return Number(parsed);
}

function found(replies: readonly Reply[]): Reply | undefined {
  return replies.length === 0 ? undefined : replies;
}

function answer({ keys, block }: ReadRequest, attempt: () => Reply | undefined, failsOnError: boolean): Reply | Wait {
  const reply = attempt();
  if (reply !== undefined) return reply;
  return block === undefined ? null : new Wait(keys, block, attempt, failsOnError);
}

function xread({ store }: Context, args: readonly Argument[]): Reply | Wait {
  const request = readRequest('xread', args);
  const after = request.ids.map((id, index) => {
    const text = textOf(id);
    if (text === '>') {
      throw refusal(
        'The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
      );
    }
    const stream = store.collection(request.keys[index] as Atom, Stream);
    if (text === '$') return stream?.lastId ?? 0n;
    if (text === '+') return (stream?.entries.last?.id ?? (stream?.lastId ?? 0n) + 1n) - 1n;
    return parseId(id);
  });
  const attempt = (): Reply | undefined =>
    found(
      request.keys.flatMap((key, index): Reply[] => {
        const stream = store.collection(key, Stream);
        const last = after[index] as bigint;
        if (stream === undefined || stream.lastId <= last) return [];
        const entries = firstOf(stream.entries.between(last + 1n, LAST_ID), request.count);
        return entries.length === 0 ? [] : [[key, entries.map(shownEntry)]];
      }),
    );
  return answer(request, attempt, false);
}

function xreadgroup({ store }: Context, args: readonly Argument[]): Reply | Wait {
  const request = readRequest('xreadgroup', args);
  const [groupName, consumerName] = request.group as readonly [Atom, Atom];
  for (const [index, id] of request.ids.entries()) {
    groupToRead(store.collection(request.keys[index] as Atom, Stream), groupName);
    if (textOf(id) !== '>') checkHistoryId(id);
  }
  const attempt = (): Reply | undefined => {
    const groups = request.keys.map((key) => groupToRead(store.collection(key, Stream), groupName));
    return found(
      request.keys.flatMap((key, index): Reply[] => {
        const [stream, group] = groups[index] as readonly [Stream, Group];
        const consumer = group.consumers.get(consumerName) ?? stream.addConsumer(group, consumerName, store.now());
        consumer.seenAt = store.now();
        const id = request.ids[index] as Argument;
        const isNew = textOf(id) === '>';
        const entries = isNew
          ? deliverNew(stream, group, consumer, request, store.now())
          : history(stream, consumer, parseId(id), request.count, store.now());
        if (entries.length > 0) store.changed(key, stream);
        return isNew && entries.length === 0 ? [] : [[key, entries]];
      }),
    );
  };
  return answer(request, attempt, true);
}

function checkHistoryId(id: Argument): void {
  const text = textOf(id);
  if (text !== '$' && text !== '+') return void parseId(id);
  throw refusal(
    `The ${text} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The ${text} ID would just return an empty result set.`,
  );
}

function groupToRead(stream: Stream | undefined, name: Atom): readonly [Stream, Group] {
  const group = stream?.groups.get(name);
  if (stream === undefined || group === undefined) {
    throw refusal('No such key or consumer group in XREADGROUP with GROUP option', 'NOGROUP');
  }
  return [stream, group];
}

function deliverNew(stream: Stream, group: Group, consumer: Consumer, request: ReadRequest, now: number): Reply[] {
  if (stream.lastId <= group.lastId) return [];
  const entries = firstOf(stream.entries.between(group.lastId + 1n, LAST_ID), request.count);
  if (entries.length > 0) consumer.activeAt = now;
  for (const { id } of entries) {
    advance(stream, group, id);
    if (request.noAck) continue;
    const pending = stream.deliver(group, consumer, id, now);
    pending.deliveredAt = now;
    pending.deliveries = 1;
  }
  return entries.map(shownEntry);
}

function advance(stream: Stream, group: Group, id: bigint): void {
  const countable = group.entriesRead !== undefined && group.lastId >= stream.firstId && !hasGaps(stream, group.lastId);
  group.entriesRead = countable ? (group.entriesRead ?? 0) + 1 : distanceFromStart(stream, id);
  group.lastId = id;
}

function history(stream: Stream, consumer: Consumer, after: bigint, count: number, now: number): Reply[] {
  if (after === LAST_ID) return [];
  const pending = firstOf(consumer.pending.between(after + 1n, LAST_ID), count);
  return pending.map((delivery): Reply => {
    const entry: StreamEntry | undefined = stream.entries.get(delivery.id);
    if (entry === undefined) return [formatId(delivery.id), null];
    delivery.deliveredAt = now;
    delivery.deliveries += 1;
    return shownEntry(entry);
  });
}

/** Reading on from where one was, and waiting for more. */
export const STREAM_READS: CommandTable = {
  XREAD: { arity: -4, run: xread },
  XREADGROUP: { arity: -7, run: xreadgroup },
};
