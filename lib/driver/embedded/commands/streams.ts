import type { Argument, Reply } from '../../driver.js';
import { at, Options, upper, type CommandTable, type Context } from '../command.js';
import { atom, datum, textOf, type Datum } from '../data/bytes.js';
import { integer } from '../data/numbers.js';
import { Stream, type StreamEntry } from '../data/stream.js';
import { formatId, LAST_ID, nextId, parseBound, parseId } from '../data/stream-id.js';
import { refusal, syntaxError, wrongArity } from '../refusal.js';

/** An entry as replies show it. */
export function shownEntry({ id, fields }: StreamEntry): Reply {
  return [formatId(id), [...fields]];
}

interface Trim {
  readonly apply: (stream: Stream) => number;
  /** Refuses LIMIT without `~`; on the server that comes after everything else was read. */
  readonly check: () => void;
}

/** Reads `MAXLEN | MINID [= | ~] threshold [LIMIT n]`, the keyword being `word`. */
function trimOf(word: string, options: Options): Trim {
  const approximate = options.accept('~');
  if (!approximate) options.accept('=');
  const threshold = options.next();
  const isSurplus = word === 'MAXLEN' ? overLength(threshold) : belowId(threshold);
  const limit = options.accept('LIMIT') ? integer(options.next()) : undefined;
  if (limit !== undefined && limit < 0) throw refusal('The LIMIT argument must be >= 0.');
  return {
    apply: (stream) => stream.trim((oldest) => isSurplus(stream, oldest), limit === 0 ? Infinity : (limit ?? Infinity)),
    check: () => {
      if (limit === undefined || approximate) return;
      throw refusal('syntax error, LIMIT cannot be used without the special ~ option');
    },
  };
}

function overLength(threshold: Argument) {
  const most = integer(threshold);
  if (most < 0) throw refusal('The MAXLEN argument must be >= 0.');
  return (stream: Stream): boolean => stream.size > most;
}

function belowId(threshold: Argument) {
  const least = parseId(threshold);
  return (_stream: Stream, { id }: StreamEntry): boolean => id < least;
}

interface XaddOptions {
  readonly make: boolean;
  readonly trim: Trim | undefined;
  readonly id: Argument;
  readonly fields: readonly Argument[];
}

function xaddOptions(args: readonly Argument[]): XaddOptions {
  const options = new Options(args, 1);
  let make = true;
  let trim: Trim | undefined;
  for (;;) {
    const argument = options.next();
    const word = upper(argument);
    if (word === 'NOMKSTREAM') make = false;
    else if (word === 'MAXLEN' || word === 'MINID') {
      if (trim !== undefined) throw bothTrims();
      trim = trimOf(word, options);
    } else return { make, trim, id: argument, fields: options.rest() };
  }
}

const bothTrims = () => refusal('syntax error, MAXLEN and MINID options at the same time are not compatible');

function xadd({ store }: Context, args: readonly Argument[]): Reply {
  const { make, trim, id: given, fields } = xaddOptions(args);
  const explicit = /\*$/.test(textOf(given)) ? undefined : parseId(given);
  if (explicit === undefined) nextId(given, 0n, 0);
  trim?.check();
  if (fields.length === 0 || fields.length % 2 === 1) throw wrongArity('xadd');
  if (explicit === 0n) throw refusal('The ID specified in XADD must be greater than 0-0');
  const key = atom(at(args, 0));
  const known = store.collection(key, Stream);
  if (known === undefined && !make) return null;
  const stream = known ?? new Stream();
  if (stream.lastId === LAST_ID) {
    throw refusal('The stream has exhausted the last possible ID, unable to add more items');
  }
  const id = nextId(given, stream.lastId, store.now());
  if (id <= stream.lastId) {
    throw refusal('The ID specified in XADD is equal or smaller than the target stream top item');
  }
  stream.add(
    id === 0n ? 1n : id,
    fields.map((field): Datum => datum(field)),
  );
  trim?.apply(stream);
  store.changed(key, stream);
  return formatId(stream.lastId);
}

function xtrim({ store }: Context, args: readonly Argument[]): Reply {
  const options = new Options(args, 1);
  const word = options.word();
  if (word !== 'MAXLEN' && word !== 'MINID') throw syntaxError();
  const trim = trimOf(word, options);
  if (options.left > 0) throw options.accept('MAXLEN') || options.accept('MINID') ? bothTrims() : syntaxError();
  trim.check();
  const key = atom(at(args, 0));
  const stream = store.collection(key, Stream);
  if (stream === undefined) return 0;
  const gone = trim.apply(stream);
  if (gone > 0) store.changed(key, stream);
  return gone;
}

function xdel({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const ids = args.slice(1);
  const stream = store.collection(key, Stream);
  if (stream === undefined) return 0;
  const gone = ids.map((id) => parseId(id)).filter((id) => stream.delete(id)).length;
  if (gone > 0) store.changed(key, stream);
  return gone;
}

function xrange(reversed: boolean) {
  return ({ store }: Context, args: readonly Argument[]): Reply => {
    const [low, high] = reversed ? [at(args, 2), at(args, 1)] : [at(args, 1), at(args, 2)];
    const [start, end] = [parseBound(low, 'start'), parseBound(high, 'end')];
    const options = new Options(args, 3);
    let count = Infinity;
    while (options.left > 0) {
      if (!options.accept('COUNT')) throw syntaxError();
      count = Math.max(integer(options.next()), 0);
    }
    const stream = store.collection(atom(at(args, 0)), Stream);
    if (stream === undefined) return [];
    if (count === 0) return null;
    const { entries } = stream;
    return firstOf(reversed ? entries.betweenReversed(start, end) : entries.between(start, end), count).map(shownEntry);
  };
}

/** The first `count` of what comes. */
export function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const found: T[] = [];
  if (count <= 0) return found;
  for (const item of items) if (found.push(item) >= count) break;
  return found;
}

/** Streams without their groups. */
export const STREAMS: CommandTable = {
  XADD: { arity: -5, run: xadd, grows: true },
  XLEN: { arity: 2, run: ({ store }, args) => store.collection(atom(at(args, 0)), Stream)?.size ?? 0 },
  XRANGE: { arity: -4, run: xrange(false) },
  XREVRANGE: { arity: -4, run: xrange(true) },
  XDEL: { arity: -3, run: xdel },
  XTRIM: { arity: -4, run: xtrim },
};
