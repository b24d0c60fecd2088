import { lengthOf, type Atom, type Datum } from './bytes.js';
import { Sequence, type Numbered } from './sequence.js';

/** What an entry, a pending delivery, a group or a consumer takes beside the bytes in it. */
const ENTRY_OVERHEAD = 136;
const FIELD_OVERHEAD = 24;
const PENDING_OVERHEAD = 160;
const GROUP_OVERHEAD = 320;

/** An entry: fields and values in turn. */
export interface StreamEntry extends Numbered {
  readonly fields: readonly Datum[];
}

/** An entry that was delivered and not yet acknowledged. */
export interface Pending extends Numbered {
  consumer: Consumer;
  /** Milliseconds since the epoch. */
  deliveredAt: number;
  deliveries: number;
}

/** One reader of a group. */
export interface Consumer {
  readonly name: Atom;
  readonly pending: Sequence<Pending>;
  seenAt: number;
  /** When it last got something; `undefined` for never. */
  activeAt: number | undefined;
}

/** Readers that share a stream's entries. */
export interface Group {
  readonly name: Atom;
  readonly pending: Sequence<Pending>;
  readonly consumers: Map<Atom, Consumer>;
  lastId: bigint;
  /** How many entries it has read; `undefined` when that cannot be told. */
  entriesRead: number | undefined;
}

/** A log of entries, and the groups that read it. */
export class Stream {
  readonly type = 'stream';
  readonly entries = new Sequence<StreamEntry>();
  readonly groups = new Map<Atom, Group>();
  bytes = 0;
  lastId = 0n;
  maxDeletedId = 0n;
  entriesAdded = 0;

  get size(): number {
    return this.entries.size;
  }

  get firstId(): bigint {
    return this.entries.first?.id ?? 0n;
  }

  add(id: bigint, fields: readonly Datum[]): void {
    const entry: StreamEntry = { id, fields };
    this.entries.insert(entry);
    this.bytes += weightOf(entry);
    this.lastId = id;
    this.entriesAdded += 1;
  }

  delete(id: bigint): boolean {
    const gone = this.entries.remove(id);
    if (gone === undefined) return false;
    this.bytes -= weightOf(gone);
    if (id > this.maxDeletedId) this.maxDeletedId = id;
    return true;
  }

  /** Drops the oldest while `isSurplus`, at most `limit`. */
  trim(isSurplus: (oldest: StreamEntry) => boolean, limit: number): number {
    let gone = 0;
    for (let oldest = this.entries.first; oldest !== undefined && gone < limit; oldest = this.entries.first) {
      if (!isSurplus(oldest)) break;
      this.entries.shift();
      this.bytes -= weightOf(oldest);
      gone += 1;
    }
    return gone;
  }

  addGroup(name: Atom, lastId: bigint, entriesRead: number | undefined): void {
    this.groups.set(name, { name, pending: new Sequence(), consumers: new Map(), lastId, entriesRead });
    this.bytes += GROUP_OVERHEAD + lengthOf(name);
  }

  removeGroup(group: Group): void {
    for (const consumer of [...group.consumers.values()]) this.removeConsumer(group, consumer);
    this.groups.delete(group.name);
    this.bytes -= GROUP_OVERHEAD + lengthOf(group.name);
  }

  addConsumer(group: Group, name: Atom, now: number): Consumer {
    const consumer: Consumer = { name, pending: new Sequence(), seenAt: now, activeAt: undefined };
    group.consumers.set(name, consumer);
    this.bytes += GROUP_OVERHEAD + lengthOf(name);
    return consumer;
  }

  /** Removes it with what it has pending; tells how much that was. */
  removeConsumer(group: Group, consumer: Consumer): number {
    const pending = [...consumer.pending.values()];
    for (const { id } of pending) this.settle(group, id);
    group.consumers.delete(consumer.name);
    this.bytes -= GROUP_OVERHEAD + lengthOf(consumer.name);
    return pending.length;
  }

  /** Notes a delivery, or hands a pending one over to another consumer. */
  deliver(group: Group, consumer: Consumer, id: bigint, now: number): Pending {
    const known = group.pending.get(id);
    if (known === undefined) {
      const pending: Pending = { id, consumer, deliveredAt: now, deliveries: 1 };
      group.pending.insert(pending);
      consumer.pending.insert(pending);
      this.bytes += PENDING_OVERHEAD;
      return pending;
    }
    if (known.consumer !== consumer) {
      known.consumer.pending.remove(id);
      consumer.pending.insert(known);
      known.consumer = consumer;
    }
    return known;
  }

  /** Takes a delivery off the list of pending ones. */
  settle(group: Group, id: bigint): boolean {
    const pending = group.pending.remove(id);
    if (pending === undefined) return false;
    pending.consumer.pending.remove(id);
    this.bytes -= PENDING_OVERHEAD;
    return true;
  }

  clone(): Stream {
    const copy = new Stream();
    for (const { id, fields } of this.entries.values()) copy.add(id, fields);
    copy.lastId = this.lastId;
    copy.maxDeletedId = this.maxDeletedId;
    copy.entriesAdded = this.entriesAdded;
    for (const group of this.groups.values()) copyGroup(group, copy);
    return copy;
  }
}

function copyGroup(group: Group, into: Stream): void {
  into.addGroup(group.name, group.lastId, group.entriesRead);
  const copy = into.groups.get(group.name) as Group;
  for (const consumer of group.consumers.values()) {
    const twin = into.addConsumer(copy, consumer.name, consumer.seenAt);
    twin.activeAt = consumer.activeAt;
    for (const { id, deliveredAt, deliveries } of consumer.pending.values()) {
      into.deliver(copy, twin, id, deliveredAt).deliveries = deliveries;
    }
  }
}

function weightOf({ fields }: StreamEntry): number {
  return fields.reduce((sum: number, field) => sum + FIELD_OVERHEAD + lengthOf(field), ENTRY_OVERHEAD);
}
