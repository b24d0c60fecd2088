import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom } from '../data/bytes.js';
import { integer } from '../data/numbers.js';
import { Stream, type Consumer, type Group, type Pending } from '../data/stream.js';
import { formatId, parseBound, parseId } from '../data/stream-id.js';
import { refusal, syntaxError } from '../refusal.js';
import { byName } from './stream-groups.js';
import { firstOf, shownEntry } from './streams.js';

/** How many XAUTOCLAIM takes when COUNT is not given, and how many it looks at for each. */
const DEFAULT_CLAIMS = 100;
const LOOKS_PER_CLAIM = 10;

const noGroup = () => refusal('No such key or consumer group', 'NOGROUP');

function groupAt({ store }: Context, args: readonly Argument[]): readonly [Stream, Group] | undefined {
  const stream = store.collection(atom(at(args, 0)), Stream);
  const group = stream?.groups.get(atom(at(args, 1)));
  return stream === undefined || group === undefined ? undefined : [stream, group];
}

function existingGroup(context: Context, args: readonly Argument[]): readonly [Stream, Group] {
  const found = groupAt(context, args);
  if (found === undefined) throw noGroup();
  return found;
}

function xack(context: Context, args: readonly Argument[]): Reply {
  const found = groupAt(context, args);
  if (found === undefined) return 0;
  const [stream, group] = found;
  const ids = args.slice(2).map((id) => parseId(id));
  const gone = ids.filter((id) => stream.settle(group, id)).length;
  if (gone > 0) context.store.changed(atom(at(args, 0)), stream);
  return gone;
}

function xpending(context: Context, args: readonly Argument[]): Reply {
  if (args.length === 2) return summary(existingGroup(context, args)[1]);
  const options = new Options(args, 2);
  const minIdle = options.accept('IDLE') ? integer(options.next()) : 0;
  if (options.left < 3 || options.left > 4) throw syntaxError();
  const [first, second, third] = [options.next(), options.next(), options.next()];
  const count = Math.max(integer(third), 0);
  const [start, end] = [parseBound(first, 'start'), parseBound(second, 'end')];
  const [, group] = existingGroup(context, args);
  const readers = options.left > 0 ? group.consumers.get(atom(options.next())) : group;
  if (readers === undefined) return [];
  const now = context.store.now();
  const matching = matchingPending(readers.pending.between(start, end), now - minIdle);
  return firstOf(matching, count).map((pending) => shownPending(pending, now));
}

function* matchingPending(all: Iterable<Pending>, latest: number): Generator<Pending> {
  for (const pending of all) if (pending.deliveredAt <= latest) yield pending;
}

function shownPending({ id, consumer, deliveredAt, deliveries }: Pending, now: number): Reply {
  return [formatId(id), consumer.name, Math.max(now - deliveredAt, 0), deliveries];
}

function summary({ pending, consumers }: Group): Reply {
  const { first, last } = pending;
  if (first === undefined || last === undefined) return [0, null, null, null];
  const busy = byName(consumers).filter((consumer) => consumer.pending.size > 0);
  const counts = busy.map((consumer): Reply => [consumer.name, String(consumer.pending.size)]);
  return [pending.size, formatId(first.id), formatId(last.id), counts];
}

interface ClaimOptions {
  deliveredAt: number | undefined;
  retries: number | undefined;
  force: boolean;
  justId: boolean;
  lastId: bigint;
}

function claimOptions(options: Options, now: number): ClaimOptions {
  const found: ClaimOptions = { deliveredAt: undefined, retries: undefined, force: false, justId: false, lastId: 0n };
  while (options.left > 0) {
    const word = options.word();
    if (word === 'FORCE') found.force = true;
    else if (word === 'JUSTID') found.justId = true;
    else if (options.left === 0) throw refusal(`Unrecognized XCLAIM option`);
    else if (word === 'IDLE') found.deliveredAt = now - integer(options.next(), invalid('IDLE'));
    else if (word === 'TIME') found.deliveredAt = integer(options.next(), invalid('TIME'));
    else if (word === 'RETRYCOUNT') found.retries = integer(options.next(), invalid('RETRYCOUNT'));
    else if (word === 'LASTID') found.lastId = parseId(options.next());
    else throw refusal(`Unrecognized XCLAIM option`);
  }
  return found;
}

function invalid(option: string): () => Error {
  return () => refusal(`Invalid ${option} option argument for XCLAIM`);
}

function minIdleOf(argument: Argument, command: string): number {
  return Math.max(
    integer(argument, () => refusal(`Invalid min-idle-time argument for ${command}`)),
    0,
  );
}

function claimer({ store }: Context, stream: Stream, group: Group, name: Argument): Consumer {
  const consumer = group.consumers.get(atom(name)) ?? stream.addConsumer(group, atom(name), store.now());
  consumer.seenAt = store.now();
  return consumer;
}

function xclaim(context: Context, args: readonly Argument[]): Reply {
  const now = context.store.now();
  const [stream, group] = existingGroup(context, args);
  const minIdle = minIdleOf(at(args, 3), 'XCLAIM');
  const firstOption = args.findIndex((argument, index) => index > 3 && !/^[\d-]/.test(String(argument)));
  const idsEnd = firstOption === -1 ? args.length : firstOption;
  const ids = args.slice(4, idsEnd).map((id) => parseId(id));
  const wanted = claimOptions(new Options(args, idsEnd), now);
  if (wanted.lastId > group.lastId) group.lastId = wanted.lastId;
  const consumer = claimer(context, stream, group, at(args, 2));
  const reply = ids.flatMap((id): Reply[] => {
    const entry = stream.entries.get(id);
    const known = group.pending.get(id);
    if (entry === undefined) {
      stream.settle(group, id);
      return [];
    }
    if (known === undefined ? !wanted.force : now - known.deliveredAt < minIdle) return [];
    const pending = stream.deliver(group, consumer, id, now);
    if (known === undefined) pending.deliveries = 0;
    pending.deliveredAt = Math.min(wanted.deliveredAt ?? now, now);
    if (wanted.retries !== undefined) pending.deliveries = wanted.retries;
    else if (!wanted.justId) pending.deliveries += 1;
    consumer.activeAt = now;
    return [wanted.justId ? formatId(id) : shownEntry(entry)];
  });
  context.store.changed(atom(at(args, 0)), stream);
  return reply;
}

interface AutoclaimOptions {
  readonly count: number;
  readonly justId: boolean;
}

function autoclaimOptions(args: readonly Argument[]): AutoclaimOptions {
  const options = new Options(args, 5);
  let count = DEFAULT_CLAIMS;
  let justId = false;
  while (options.left > 0) {
    if (options.accept('JUSTID')) justId = true;
    else if (options.left > 1 && options.accept('COUNT')) {
      count = integer(options.next(), () => refusal('COUNT must be > 0'));
      if (count < 1) throw refusal('COUNT must be > 0');
    } else throw syntaxError();
  }
  return { count, justId };
}

function xautoclaim(context: Context, args: readonly Argument[]): Reply {
  const now = context.store.now();
  const minIdle = minIdleOf(at(args, 3), 'XAUTOCLAIM');
  const start = parseBound(at(args, 4), 'start');
  const { count, justId } = autoclaimOptions(args);
  const [stream, group] = existingGroup(context, args);
  const consumer = claimer(context, stream, group, at(args, 2));
  const claimed: Reply[] = [];
  const deleted: Reply[] = [];
  let looks = count * LOOKS_PER_CLAIM;
  let left = count;
  let next = group.pending.at(group.pending.from(start));
  while (next !== undefined && looks > 0 && left > 0) {
    const pending = next;
    looks -= 1;
    const entry = stream.entries.get(pending.id);
    if (entry === undefined) {
      stream.settle(group, pending.id);
      deleted.push(formatId(pending.id));
      left -= 1;
    } else if (now - pending.deliveredAt >= minIdle) {
      stream.deliver(group, consumer, pending.id, now);
      pending.deliveredAt = now;
      if (!justId) pending.deliveries += 1;
      consumer.activeAt = now;
      claimed.push(justId ? formatId(pending.id) : shownEntry(entry));
      left -= 1;
    }
    next = group.pending.at(group.pending.from(pending.id + 1n));
  }
  context.store.changed(atom(at(args, 0)), stream);
  return [formatId(next?.id ?? 0n), claimed, deleted];
}

/** What was delivered and not acknowledged. */
export const STREAM_PENDING: CommandTable = {
  XACK: { arity: -4, run: xack },
  XPENDING: { arity: -3, run: xpending },
  XCLAIM: { arity: -6, run: xclaim },
  XAUTOCLAIM: { arity: -6, run: xautoclaim },
};
