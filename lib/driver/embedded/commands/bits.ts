import type { Argument, Reply } from '../../driver.js';
import { at, Options, type CommandTable, type Context } from '../command.js';
import { atom, viewOf } from '../data/bytes.js';
import { integer, parseInteger, rangeOf } from '../data/numbers.js';
import { textOf } from '../data/bytes.js';
import { refusal, syntaxError } from '../refusal.js';
import { MOST_BYTES, widened } from './strings.js';

function bitOffset(argument: Argument): number {
  const offset = parseInteger(textOf(argument));
  if (offset === undefined || offset < 0 || offset >= MOST_BYTES * 8) {
    throw refusal('bit offset is not an integer or out of range');
  }
  return Number(offset);
}

function setbit({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const offset = bitOffset(at(args, 1));
  const bit = parseInteger(textOf(at(args, 2)));
  if (bit !== 0 && bit !== 1) throw refusal('bit is not an integer or out of range');
  const place = Math.floor(offset / 8);
  const bytes = widened(store.string(key), place + 1);
  const mask = 0x80 >> (offset % 8);
  const byte = bytes[place] as number;
  bytes[place] = bit === 1 ? byte | mask : byte & ~mask;
  store.replace(key, bytes);
  return (byte & mask) === 0 ? 0 : 1;
}

function getbit({ store }: Context, args: readonly Argument[]): Reply {
  const offset = bitOffset(at(args, 1));
  const byte = viewOf(store.string(atom(at(args, 0))) ?? '')[Math.floor(offset / 8)] ?? 0;
  return (byte & (0x80 >> (offset % 8))) === 0 ? 0 : 1;
}

function bitcount({ store }: Context, args: readonly Argument[]): Reply {
  const key = atom(at(args, 0));
  const options = new Options(args, 1);
  if (options.left === 0) return countBits(viewOf(store.string(key) ?? ''));
  const start = integer(options.next());
  const end = options.left > 0 ? integer(options.next()) : -1;
  const unit = options.left > 0 ? options.word() : 'BYTE';
  if (options.left > 0 || (unit !== 'BYTE' && unit !== 'BIT')) throw syntaxError();
  const bytes = viewOf(store.string(key) ?? '');
  if (start < 0 && end < 0 && start > end) return 0;
  const length = unit === 'BIT' ? bytes.length * 8 : bytes.length;
  const range = rangeOf(start, Math.max(end < 0 ? end + length : end, 0), length);
  if (range === undefined) return 0;
  if (unit === 'BYTE') return countBits(bytes.subarray(range[0], range[1] + 1));
  return countBitRange(bytes, range[0], range[1]);
}

function countBits(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) count += onesIn(byte);
  return count;
}

function countBitRange(bytes: Buffer, from: number, to: number): number {
  const piece = Buffer.from(bytes.subarray(from >> 3, (to >> 3) + 1));
  const last = piece.length - 1;
  piece[0] = (piece[0] as number) & (0xff >> (from % 8));
  piece[last] = (piece[last] as number) & (0xff << (7 - (to % 8)));
  return countBits(piece);
}

function onesIn(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones += 1;
  return ones;
}

/** Single bits of a string. */
export const BITS: CommandTable = {
  SETBIT: { arity: 4, run: setbit },
  GETBIT: { arity: 3, run: getbit },
  BITCOUNT: { arity: -2, run: bitcount },
};
