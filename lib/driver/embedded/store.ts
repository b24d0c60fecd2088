import { lengthOf, type Atom, type Datum } from './data/bytes.js';
import type { Hash } from './data/hash.js';
import type { List } from './data/list.js';
import { Members, type Member, type Page } from './data/members.js';
import type { PlainSet } from './data/plain-set.js';
import type { SortedSet } from './data/sorted-set.js';
import type { Stream } from './data/stream.js';
import { outOfMemory, wrongType } from './refusal.js';
import { Sweeper } from './sweeper.js';

/** What a key takes beside its own bytes and those of its value: an entry, a place in the map, two links. */
export const ENTRY_OVERHEAD = 240;

/** The time of a key that does not expire. */
export const NEVER = Infinity;

/** Values with parts. They count their own bytes as they change. */
export type Collection = Hash | List | PlainSet | SortedSet | Stream;

/** What a key can hold. */
export type Value = Datum | Collection;

/** One key, its value and its place in the order of use. */
export interface Entry extends Member {
  value: Value;
  /** Accounted bytes, overhead included. */
  bytes: number;
  /** Milliseconds since the epoch, or {@link NEVER}. */
  expiresAt: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** A source of time in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** How much a store may hold. */
export interface Bounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Told about every key whose value changed, ended or was replaced. */
export type ChangeListener = (key: Atom) => void;

type CollectionClass<T extends Collection> = new () => T;

/**
 * The keys: values, times to live and the order of use. It knows nothing of commands. What is over the bounds goes by
 * {@link Store.trim}, the least recently used first.
 */
export class Store {
  readonly #entries = new Members<Entry>();
  readonly #expiring = new Set<Entry>();
  readonly #sweeper: Sweeper<Entry>;
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #bytes = 0;
  #steady = false;
  #instant: number | undefined;

  constructor(
    private readonly bounds: Bounds,
    private readonly clock: Clock,
    private readonly onChange: ChangeListener,
  ) {
    this.#sweeper = new Sweeper(this.#expiring, (entry) => this.#endIfOver(entry));
  }

  /** How many keys there are, among them some that are over but not yet noticed. */
  get size(): number {
    return this.#entries.size;
  }

  /** Accounted bytes of all keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many keys have a time to live. */
  get expiring(): number {
    return this.#expiring.size;
  }

  now(): number {
    if (!this.#steady) return this.clock.now();
    this.#instant ??= this.clock.now();
    return this.#instant;
  }

  /** Runs `work` in one instant: in a command, transaction or script no key ends halfway. */
  atOneInstant<T>(work: () => T): T {
    if (this.#steady) return work();
    this.#steady = true;
    try {
      return work();
    } finally {
      this.#steady = false;
      this.#instant = undefined;
    }
  }

  /** The entry of a living key, without counting as use. */
  peek(key: Atom): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#endIfOver(entry) ? undefined : entry;
  }

  /** The entry of a living key, which becomes the most recently used. */
  find(key: Atom): Entry | undefined {
    const entry = this.peek(key);
    if (entry !== undefined && entry !== this.#newest) {
      this.#unlink(entry);
      this.#link(entry);
    }
    return entry;
  }

  /** The string under a key. */
  string(key: Atom): Datum | undefined {
    const value = this.find(key)?.value;
    if (value === undefined || typeof value === 'string' || Buffer.isBuffer(value)) return value;
    throw wrongType();
  }

  /** The collection under a key. After changing it call {@link Store.changed}. */
  collection<T extends Collection>(key: Atom, kind: CollectionClass<T>): T | undefined {
    const value = this.find(key)?.value;
    if (value === undefined || value instanceof kind) return value;
    throw wrongType();
  }

  /** The collection under a key, or a new one that {@link Store.put} has not seen yet. */
  collectionOrNew<T extends Collection>(key: Atom, kind: CollectionClass<T>): T {
    return this.collection(key, kind) ?? new kind();
  }

  /** Writes a whole value. The time to live is the one given, by default none. */
  put(key: Atom, value: Value, expiresAt = NEVER): void {
    const bytes = ENTRY_OVERHEAD + lengthOf(key) + weigh(value);
    if (bytes > this.bounds.maxBytes) throw outOfMemory();
    const known = this.#entries.get(key);
    if (known === undefined) {
      const entry: Entry = { name: key, index: 0, value, bytes, expiresAt: NEVER, older: undefined, newer: undefined };
      this.#entries.add(entry);
      this.#link(entry);
      this.#bytes += bytes;
      if (expiresAt !== NEVER) this.#schedule(entry, expiresAt);
    } else {
      this.#bytes += bytes - known.bytes;
      known.bytes = bytes;
      known.value = value;
      if (known !== this.#newest) {
        this.#unlink(known);
        this.#link(known);
      }
      if (expiresAt !== known.expiresAt) this.#schedule(known, expiresAt);
    }
    this.onChange(key);
  }

  /** Writes a value under a key that keeps its time to live. */
  replace(key: Atom, value: Value): void {
    this.put(key, value, this.peek(key)?.expiresAt);
  }

  /** Accounts for a collection that changed in place; an empty one is no key any more, except for a stream. */
  changed(key: Atom, collection: Collection): void {
    const entry = this.#entries.get(key);
    if (collection.size === 0 && collection.type !== 'stream') {
      if (entry !== undefined) this.#remove(entry);
      return;
    }
    if (entry === undefined) return this.put(key, collection);
    const bytes = ENTRY_OVERHEAD + lengthOf(key) + collection.bytes;
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.onChange(key);
  }

  /** Whether `extra` bytes more under a key could be more than everything may take. */
  refuses(key: Atom, extra: number): boolean {
    if (extra + ENTRY_OVERHEAD > this.bounds.maxBytes) return true;
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.bytes + extra > this.bounds.maxBytes;
  }

  /** Sets or, with {@link NEVER}, removes the time to live. */
  expire(entry: Entry, at: number): void {
    this.#schedule(entry, at);
    this.onChange(entry.name);
  }

  delete(key: Atom): boolean {
    const entry = this.peek(key);
    if (entry !== undefined) this.#remove(entry);
    return entry !== undefined;
  }

  clear(): void {
    const names = [...this.#entries.values()].map(({ name }) => name);
    this.#entries.clear();
    this.#expiring.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#bytes = 0;
    for (const name of names) this.onChange(name);
  }

  /** Drops the least recently used until the rest is within the bounds. */
  trim(): void {
    while (this.#entries.size > this.bounds.maxEntries || this.#bytes > this.bounds.maxBytes) {
      if (this.#oldest === undefined) return;
      this.#remove(this.#oldest);
    }
  }

  /** Every living key. */
  *keys(): Generator<Entry> {
    for (const entry of [...this.#entries.values()]) if (!this.#endIfOver(entry)) yield entry;
  }

  random(): Entry | undefined {
    for (;;) {
      const entry = this.#entries.random();
      if (entry === undefined || !this.#endIfOver(entry)) return entry;
    }
  }

  page(cursor: number, count: number): Page<Entry> {
    const page = this.#entries.page(cursor, count);
    return { cursor: page.cursor, items: page.items.filter((entry) => !this.#endIfOver(entry)) };
  }

  /** Ends the timer. */
  close(): void {
    this.#sweeper.stop();
  }

  #schedule(entry: Entry, at: number): void {
    entry.expiresAt = at;
    if (at === NEVER) this.#expiring.delete(entry);
    else {
      this.#expiring.add(entry);
      this.#sweeper.start();
    }
  }

  #endIfOver(entry: Entry): boolean {
    if (entry.expiresAt === NEVER || this.now() < entry.expiresAt) return false;
    this.#remove(entry);
    return true;
  }

  #remove(entry: Entry): void {
    this.#entries.remove(entry);
    if (entry.expiresAt !== NEVER) this.#expiring.delete(entry);
    this.#unlink(entry);
    this.#bytes -= entry.bytes;
    this.onChange(entry.name);
  }

  #link(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }
}

function weigh(value: Value): number {
  return typeof value === 'string' || Buffer.isBuffer(value) ? lengthOf(value) : value.bytes;
}
