import { slotOf } from '../core/slot.js';
import type { Driver, Operation } from '../driver/driver.js';
import { MergedRead } from './merged-read.js';
import type { MergedReadListener } from './merged-read.js';

/** Below this many reads in a row, streaming them singly is faster (measured: bench/client-get). */
const FEWEST = 16;
/** Keys in one MGET at the most: it holds the server for as long as it runs. */
const MOST = 512;
/** Bytes of reply to aim for at the most in one MGET. */
const REPLY_BYTES = 256 * 1024;
/** Milliseconds by which the deadlines of what is merged may differ. */
const DEADLINE_SPREAD = 10;

/**
 * Turns runs of GET into MGETs. Only neighbours are merged, so that operations of one tick keep their order: a GET
 * never overtakes the SET before it.
 */
export class ReadMerger implements MergedReadListener {
  readonly #driver: Driver;
  readonly #send: (operations: readonly Operation[]) => void;
  /** Running average of the bytes of one value, which decides how many keys one MGET may have. */
  #valueBytes = 64;
  #refused = false;

  constructor(driver: Driver, send: (operations: readonly Operation[]) => void) {
    this.#driver = driver;
    this.#send = send;
  }

  /** @returns the operations to send instead of `operations`; the same array if there is nothing to gain */
  merge(operations: readonly Operation[]): readonly Operation[] {
    if (operations.length < FEWEST || this.#refused) return operations;
    const merged: Operation[] = [];
    let start = 0;
    while (start < operations.length) {
      const end = endOfRun(operations, start);
      if (end - start >= FEWEST) this.#mergeRun(operations.slice(start, end), merged);
      else for (let index = start; index < end; index += 1) merged.push(operations[index] as Operation);
      start = end;
    }
    return merged;
  }

  onReplySize(average: number): void {
    this.#valueBytes += (average - this.#valueBytes) / 4;
  }

  onRefused(): void {
    this.#refused = true;
  }

  sendSingly(operations: readonly Operation[]): void {
    this.#send(operations);
  }

  #mergeRun(run: readonly Operation[], merged: Operation[]): void {
    const limit = Math.max(FEWEST, Math.min(MOST, Math.floor(REPLY_BYTES / (this.#valueBytes + 1))));
    for (const reads of this.#groups(run)) {
      for (let start = 0; start < reads.length; start += limit) {
        const part = reads.slice(start, start + limit);
        if (part.length < FEWEST) merged.push(...part);
        else merged.push(new MergedRead(part, this));
      }
    }
  }

  /** In a cluster one MGET can only have keys of one slot; among reads the order is free. */
  #groups(run: readonly Operation[]): Iterable<readonly Operation[]> {
    if (this.#driver.topology !== 'cluster') return [run];
    const groups = new Map<number, Operation[]>();
    for (const read of run) {
      const slot = slotOf(read.key as string | Buffer);
      const group = groups.get(slot);
      if (group) group.push(read);
      else groups.set(slot, [read]);
    }
    return groups.values();
  }
}

/** Where the run of like operations that begins at `start` ends. */
function endOfRun(operations: readonly Operation[], start: number): number {
  const first = operations[start] as Operation;
  if (!isRead(first)) return start + 1;
  let end = start + 1;
  for (; end < operations.length; end += 1) {
    const next = operations[end] as Operation;
    if (!isRead(next) || !isAlike(first, next)) break;
  }
  return end;
}

/** One command has one reply, one reader and one deadline: who is in more of a hurry than the others is not merged. */
function isAlike(first: Operation, next: Operation): boolean {
  return (
    next.binary === first.binary &&
    next.readFrom === first.readFrom &&
    (next.deadline === first.deadline || Math.abs(next.deadline - first.deadline) <= DEADLINE_SPREAD)
  );
}

function isRead(operation: Operation): boolean {
  return (
    operation.command === 'GET' && !operation.settled && operation.target === undefined && operation.key !== undefined
  );
}
