import type { Group, Stream } from '../data/stream.js';

/** Whether an entry behind `after` was deleted, so that counting is no longer exact. */
export function hasGaps(stream: Stream, after: bigint): boolean {
  return stream.size > 0 && stream.maxDeletedId !== 0n && after <= stream.maxDeletedId;
}

/** How many entries were ever added up to `id`; `undefined` when that cannot be told. */
export function distanceFromStart(stream: Stream, id: bigint): number | undefined {
  if (stream.entriesAdded === 0) return 0;
  if (stream.size === 0 && id <= stream.lastId) return stream.entriesAdded;
  if (id !== 0n && id < stream.maxDeletedId) return undefined;
  if (id === stream.lastId) return stream.entriesAdded;
  if (id > stream.lastId) return undefined;
  if (stream.maxDeletedId === 0n || stream.maxDeletedId < stream.firstId) {
    if (id < stream.firstId) return stream.entriesAdded - stream.size;
    if (id === stream.firstId) return stream.entriesAdded - stream.size + 1;
  }
  return undefined;
}

/** How many entries a group has still to read. */
export function lagOf(stream: Stream, { entriesRead, lastId }: Group): number | null {
  if (stream.entriesAdded === 0) return 0;
  if (entriesRead !== undefined && !hasGaps(stream, lastId)) return stream.entriesAdded - entriesRead;
  const read = distanceFromStart(stream, lastId);
  return read === undefined ? null : stream.entriesAdded - read;
}
