import { DecodeError } from '../../core/codec/codec.js';
import { CacheMissError } from '../../core/errors.js';
import type { Reply } from '../../driver/driver.js';
import type { Decoder, Integer } from './command-set.js';

/** Says which command was answered in an unexpected shape; never with the answer itself. */
export function unexpected(command: string, expected: string): never {
  throw new DecodeError(
    `The reply to ${command} is not ${expected}. Something other than a Valkey server of version 7.2 or later may have answered.`,
    { subject: command },
  );
}

/** Text. */
export function toText(reply: Reply, command: string): string {
  return typeof reply === 'string' ? reply : unexpected(command, 'text');
}

/** Text, or null for nil. */
export function toTextOrNull(reply: Reply, command: string): string | null {
  return typeof reply === 'string' || reply === null ? reply : unexpected(command, 'text or nil');
}

/** Text; nil is a {@link CacheMissError}. */
export function toTextOrMiss(reply: Reply, command: string): string {
  if (reply === null) throw new CacheMissError();
  return toText(reply, command);
}

/** Bytes, or null for nil. */
export function toBufferOrNull(reply: Reply, command: string): Buffer | null {
  return Buffer.isBuffer(reply) || reply === null ? reply : unexpected(command, 'bytes or nil');
}

/** A whole number of any size: `number` up to 2^53, `bigint` beyond. */
export function toInteger(reply: Reply, command: string): Integer {
  if (Number.isSafeInteger(reply)) return reply as number;
  if (typeof reply !== 'bigint') return unexpected(command, 'a whole number');
  return Number.isSafeInteger(Number(reply)) ? Number(reply) : reply;
}

/** A whole number that counts or measures something, and so never gets near 2^53. */
export function toCount(reply: Reply, command: string): number {
  return Number.isSafeInteger(reply) ? (reply as number) : unexpected(command, 'a count');
}

/** A count, or null for nil. */
export function toCountOrNull(reply: Reply, command: string): number | null {
  return reply === null ? null : toCount(reply, command);
}

/** A remaining time or an instant: -1 for "never expires", null for "no such key". */
export function toExpiry(reply: Reply, command: string): number | null {
  const count = toCount(reply, command);
  return count === -2 ? null : count;
}

/** A number with a fraction, which the server writes as text; `inf` and `-inf` are infinite. */
export function toNumber(reply: Reply, command: string): number {
  if (typeof reply === 'number') return reply;
  if (typeof reply !== 'string' || reply === '') return unexpected(command, 'a number');
  const number = Number(reply);
  if (!Number.isNaN(number)) return number;
  if (reply === 'inf' || reply === '+inf') return Infinity;
  if (reply === '-inf') return -Infinity;
  return unexpected(command, 'a number');
}

/** A number, or null for nil. */
export function toNumberOrNull(reply: Reply, command: string): number | null {
  return reply === null ? null : toNumber(reply, command);
}

/** 1 or 0. */
export function toBoolean(reply: Reply, command: string): boolean {
  if (reply === 1) return true;
  return reply === 0 ? false : unexpected(command, '0 or 1');
}

/** OK. */
export function toOk(reply: Reply, command: string): 'OK' {
  return reply === 'OK' ? reply : unexpected(command, 'OK');
}

/** OK, or null for nil: a condition did not hold. */
export function toOkOrNull(reply: Reply, command: string): 'OK' | null {
  return reply === 'OK' || reply === null ? reply : unexpected(command, 'OK or nil');
}

/** An array as it is. */
export function toArray(reply: Reply, command: string): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : unexpected(command, 'an array');
}

/** A decoder for arrays whose elements `element` understands. Made once, at module level. */
export function arrayOf<T>(element: Decoder<T>): Decoder<T[]> {
  return (reply, command) => toArray(reply, command).map((item) => element(item, command));
}

/** A decoder that lets nil through as null. Made once, at module level. */
export function orNull<T>(decode: Decoder<T>): Decoder<T | null> {
  return (reply, command) => (reply === null ? null : decode(reply, command));
}

export const toTexts = arrayOf(toText);
export const toTextsOrNulls = arrayOf(toTextOrNull);
export const toBuffersOrNulls = arrayOf(toBufferOrNull);
export const toBooleans = arrayOf(toBoolean);
export const toNumbersOrNulls = arrayOf(toNumberOrNull);
export const toCounts = arrayOf(toCount);

/** A flat list of names and values as pairs. */
export function toPairs(reply: Reply, command: string): (readonly [name: string, value: Reply])[] {
  const items = toArray(reply, command);
  if (items.length % 2 !== 0) return unexpected(command, 'a list of pairs');
  const pairs: (readonly [string, Reply])[] = [];
  for (let index = 0; index < items.length; index += 2) {
    pairs.push([toText(items[index] as Reply, command), items[index + 1] as Reply]);
  }
  return pairs;
}

/**
 * A flat list of names and texts as an object without prototype: a field called `__proto__` or `constructor` is a
 * field like any other.
 */
export function toRecord(reply: Reply, command: string): Record<string, string> {
  const record = Object.create(null) as Record<string, string>;
  const items = toArray(reply, command);
  if (items.length % 2 !== 0) return unexpected(command, 'a list of pairs');
  for (let index = 0; index < items.length; index += 2) {
    record[toText(items[index] as Reply, command)] = toText(items[index + 1] as Reply, command);
  }
  return record;
}
