import { lengthOf, type Datum } from './bytes.js';

/** What an element takes beside its own bytes. */
const ELEMENT_OVERHEAD = 40;
const SMALLEST = 8;

/** Which end of a list. */
export type End = 'left' | 'right';

/** A list: a ring, so that both ends and every index are one step away. */
export class List {
  readonly type = 'list';
  bytes = 0;
  size = 0;
  #ring: (Datum | undefined)[] = Array.from({ length: SMALLEST });
  #head = 0;

  at(index: number): Datum | undefined {
    return index < 0 || index >= this.size ? undefined : this.#ring[this.#place(index)];
  }

  set(index: number, value: Datum): void {
    const place = this.#place(index);
    this.bytes += lengthOf(value) - lengthOf(this.#ring[place] as Datum);
    this.#ring[place] = value;
  }

  push(end: End, value: Datum): void {
    if (this.size === this.#ring.length) this.#resize(this.size * 2);
    if (end === 'left') this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.size += 1;
    this.#ring[this.#place(end === 'left' ? 0 : this.size - 1)] = value;
    this.bytes += ELEMENT_OVERHEAD + lengthOf(value);
  }

  pop(end: End): Datum | undefined {
    if (this.size === 0) return undefined;
    const place = this.#place(end === 'left' ? 0 : this.size - 1);
    const value = this.#ring[place] as Datum;
    this.#ring[place] = undefined;
    if (end === 'left') this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.size -= 1;
    this.bytes -= ELEMENT_OVERHEAD + lengthOf(value);
    if (this.size > SMALLEST && this.size * 4 < this.#ring.length) this.#resize(this.#ring.length / 2);
    return value;
  }

  slice(from: number, to: number): Datum[] {
    const values: Datum[] = [];
    for (let index = from; index <= to; index += 1) values.push(this.#ring[this.#place(index)] as Datum);
    return values;
  }

  /** Replaces everything, for what changes the middle. */
  assign(values: readonly Datum[]): void {
    let capacity = SMALLEST;
    while (capacity < values.length) capacity *= 2;
    this.#ring = [...values];
    this.#ring.length = capacity;
    this.#head = 0;
    this.size = values.length;
    this.bytes = values.reduce((sum: number, value) => sum + ELEMENT_OVERHEAD + lengthOf(value), 0);
  }

  toArray(): Datum[] {
    return this.slice(0, this.size - 1);
  }

  clone(): List {
    const copy = new List();
    copy.assign(this.toArray());
    return copy;
  }

  #place(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1);
  }

  #resize(capacity: number): void {
    const values: (Datum | undefined)[] = this.toArray();
    values.length = capacity;
    this.#ring = values;
    this.#head = 0;
  }
}
