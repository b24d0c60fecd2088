import { UnsupportedError } from '../../../core/errors.js';
import type { Argument, Reply } from '../../driver.js';
import { at, family, Options, type CommandTable, type Context } from '../command.js';
import { atom, compareAtoms, textOf, type Atom } from '../data/bytes.js';
import { integer } from '../data/numbers.js';
import { Stream, type Group } from '../data/stream.js';
import { formatId, parseId } from '../data/stream-id.js';
import { noSuchKey, refusal, syntaxError } from '../refusal.js';
import { lagOf } from './stream-lag.js';
import { shownEntry } from './streams.js';

const noGroup = () => refusal('No such consumer group for this key name', 'NOGROUP');
const noStream = () =>
  refusal(
    'The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  );

interface GroupOptions {
  readonly make: boolean;
  readonly entriesRead: number | undefined;
}

function groupOptions(args: readonly Argument[], mayMake: boolean): GroupOptions {
  const options = new Options(args, 3);
  let make = false;
  let entriesRead: number | undefined;
  while (options.left > 0) {
    const word = options.word();
    if (word === 'MKSTREAM' && mayMake) make = true;
    else if (word === 'ENTRIESREAD' && options.left > 0) {
      const given = integer(options.next());
      if (given < -1) throw refusal('value for ENTRIESREAD must be positive or -1');
      entriesRead = given === -1 ? undefined : given;
    } else throw syntaxError();
  }
  return { make, entriesRead };
}

function startOf(argument: Argument, stream: Stream | undefined): bigint {
  return textOf(argument) === '$' ? (stream?.lastId ?? 0n) : parseId(argument);
}

function create({ store }: Context, args: readonly Argument[]): Reply {
  const { make, entriesRead } = groupOptions(args, true);
  const [key, name] = [atom(at(args, 0)), atom(at(args, 1))];
  const known = store.collection(key, Stream);
  if (known === undefined && !make) throw noStream();
  const start = startOf(at(args, 2), known);
  const stream = known ?? new Stream();
  if (stream.groups.has(name)) throw refusal('Consumer Group name already exists', 'BUSYGROUP');
  stream.addGroup(name, start, entriesRead);
  store.changed(key, stream);
  return 'OK';
}

type GroupChange = (stream: Stream, group: Group, args: readonly Argument[], now: number) => Reply;

function change(apply: GroupChange, options = (_args: readonly Argument[]): void => undefined) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    options(args);
    const key = atom(at(args, 0));
    const stream = store.collection(key, Stream);
    if (stream === undefined) throw noStream();
    const group = stream.groups.get(atom(at(args, 1)));
    if (group === undefined) throw noGroup();
    const reply = apply(stream, group, args, store.now());
    store.changed(key, stream);
    return reply;
  };
}

function destroy({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const stream = store.collection(key, Stream);
  if (stream === undefined) throw noStream();
  const group = stream.groups.get(atom(at(args, 1)));
  if (group === undefined) return 0;
  stream.removeGroup(group);
  store.changed(key, stream);
  return 1;
}

const setId: GroupChange = (stream, group, args) => {
  const { entriesRead } = groupOptions(args, false);
  group.lastId = startOf(at(args, 2), stream);
  group.entriesRead = entriesRead;
  return 'OK';
};

const createConsumer: GroupChange = (stream, group, args, now) => {
  const name = atom(at(args, 2));
  if (group.consumers.has(name)) return 0;
  stream.addConsumer(group, name, now);
  return 1;
};

const deleteConsumer: GroupChange = (stream, group, args) => {
  const consumer = group.consumers.get(atom(at(args, 2)));
  return consumer === undefined ? 0 : stream.removeConsumer(group, consumer);
};

function streamToShow({ store }: Context, args: readonly Argument[]): Stream {
  const stream = store.collection(atom(at(args, 0)), Stream);
  if (stream === undefined) throw noSuchKey();
  return stream;
}

function infoStream(context: Context, args: readonly Argument[]): Reply {
  const stream = streamToShow(context, args);
  if (args.length > 1) {
    throw new UnsupportedError('The embedded driver knows XINFO STREAM without FULL. Use GROUPS and CONSUMERS.', {
      subject: 'XINFO',
    });
  }
  const { entries } = stream;
  return [
    ...['length', stream.size, 'radix-tree-keys', stream.size === 0 ? 0 : 1, 'radix-tree-nodes', 2],
    ...['last-generated-id', formatId(stream.lastId), 'max-deleted-entry-id', formatId(stream.maxDeletedId)],
    ...['entries-added', stream.entriesAdded, 'recorded-first-entry-id', formatId(stream.firstId)],
    ...['groups', stream.groups.size],
    ...['first-entry', entries.first === undefined ? null : shownEntry(entries.first)],
    ...['last-entry', entries.last === undefined ? null : shownEntry(entries.last)],
  ];
}

function infoGroups(context: Context, args: readonly Argument[]): Reply {
  const stream = streamToShow(context, args);
  return byName(stream.groups).map((group): Reply => [
    ...['name', group.name, 'consumers', group.consumers.size, 'pending', group.pending.size],
    ...['last-delivered-id', formatId(group.lastId), 'entries-read', group.entriesRead ?? null],
    ...['lag', lagOf(stream, group)],
  ]);
}

function infoConsumers(context: Context, args: readonly Argument[]): Reply {
  const group = streamToShow(context, args).groups.get(atom(at(args, 1)));
  if (group === undefined) throw noGroup();
  const now = context.store.now();
  return byName(group.consumers).map(({ name, pending, seenAt, activeAt }): Reply => [
    ...['name', name, 'pending', pending.size, 'idle', Math.max(now - seenAt, 0)],
    ...['inactive', activeAt === undefined ? -1 : Math.max(now - activeAt, 0)],
  ]);
}

/** Groups and consumers in the order of their names, as the server keeps them. */
export function byName<T>(named: ReadonlyMap<Atom, T>): T[] {
  return [...named].sort(([left], [right]) => compareAtoms(left, right)).map(([, value]) => value);
}

const XGROUP: CommandTable = {
  CREATE: { arity: -5, run: create },
  DESTROY: { arity: 4, run: destroy },
  SETID: { arity: -5, run: change(setId, (args) => void groupOptions(args, false)) },
  CREATECONSUMER: { arity: 5, run: change(createConsumer) },
  DELCONSUMER: { arity: 5, run: change(deleteConsumer) },
};

const XINFO: CommandTable = {
  STREAM: { arity: -3, run: infoStream },
  GROUPS: { arity: 3, run: infoGroups },
  CONSUMERS: { arity: 4, run: infoConsumers },
};

/** Groups of a stream, and what can be told about them. */
export const STREAM_GROUPS: CommandTable = { XGROUP: family(XGROUP), XINFO: family(XINFO) };
