import { LRUCache } from 'lru-cache';

/** How much may be kept. */
export interface NearBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A read under way: what it finds may be kept, unless an invalidation takes the reservation away meanwhile. */
export interface Reservation {
  readonly name: string;
}

/**
 * Values in this process, the least recently used make room. It is open only while the server tells about every change;
 * closing it empties it.
 */
export class NearStore<V extends object> {
  readonly #kept: LRUCache<string, V>;
  readonly #reservations = new Map<string, Reservation>();
  #open = false;

  constructor({ maxEntries, maxBytes }: NearBounds, onGone?: (value: V) => void) {
    this.#kept = new LRUCache<string, V>({
      max: maxEntries,
      maxSize: maxBytes,
      ...(onGone ? { dispose: (value: V) => onGone(value) } : {}),
    });
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Bytes, as they were stated. */
  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  open(): void {
    this.#open = true;
  }

  close(): void {
    this.#open = false;
    this.clear();
  }

  get(name: string): V | undefined {
    return this.#kept.get(name);
  }

  /** Before a read is sent. */
  reserve(name: string): Reservation | undefined {
    if (!this.#open) return undefined;
    const known = this.#reservations.get(name);
    if (known) return known;
    const reservation = { name };
    this.#reservations.set(name, reservation);
    return reservation;
  }

  /** Keeps what a read has found, unless the name was dropped since. */
  admit(reservation: Reservation | undefined, value: V, bytes: number): boolean {
    if (!reservation || this.#reservations.get(reservation.name) !== reservation) return false;
    this.#reservations.delete(reservation.name);
    this.#kept.set(reservation.name, value, { size: bytes });
    return true;
  }

  /** The read found nothing to keep. */
  release(reservation: Reservation | undefined): void {
    if (reservation && this.#reservations.get(reservation.name) === reservation) {
      this.#reservations.delete(reservation.name);
    }
  }

  /** The value may have changed: it goes, and so does what a read under way would bring. @returns whether it was kept */
  drop(name: string): boolean {
    this.#reservations.delete(name);
    return this.#kept.delete(name);
  }

  clear(): void {
    this.#reservations.clear();
    this.#kept.clear();
  }
}
