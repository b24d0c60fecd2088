/** How many free places at the start are tolerated before the list is moved up. */
const MOST_FREE = 1024;

/** Something with a place in a {@link Sequence}. */
export interface Numbered {
  readonly id: bigint;
}

/** A list ordered by id: cheap to lengthen at the end and to shorten at the start, as streams are used. */
export class Sequence<T extends Numbered> {
  #items: T[] = [];
  #free = 0;

  get size(): number {
    return this.#items.length - this.#free;
  }

  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#free + index];
  }

  get first(): T | undefined {
    return this.at(0);
  }

  get last(): T | undefined {
    return this.at(this.size - 1);
  }

  get(id: bigint): T | undefined {
    const found = this.at(this.from(id));
    return found?.id === id ? found : undefined;
  }

  /** The index of the first that is not below `id`. */
  from(id: bigint): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle) as T).id >= id) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  insert(item: T): void {
    const { last } = this;
    if (last === undefined || last.id < item.id) this.#items.push(item);
    else this.#items.splice(this.#free + this.from(item.id), 0, item);
  }

  remove(id: bigint): T | undefined {
    const index = this.from(id);
    const found = this.at(index);
    if (found?.id !== id) return undefined;
    if (index === 0) this.shift();
    else this.#items.splice(this.#free + index, 1);
    return found;
  }

  shift(): T | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.#free += 1;
    if (this.#free > MOST_FREE && this.#free * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#free);
      this.#free = 0;
    } else if (this.size === 0) {
      this.#items = [];
      this.#free = 0;
    }
    return first;
  }

  /** Those from `start` to `end`, both included. */
  *between(start: bigint, end: bigint): Generator<T> {
    for (let index = this.from(start); index < this.size; index += 1) {
      const item = this.at(index) as T;
      if (item.id > end) return;
      yield item;
    }
  }

  /** The same from the end. */
  *betweenReversed(start: bigint, end: bigint): Generator<T> {
    for (let index = this.from(end + 1n) - 1; index >= 0; index -= 1) {
      const item = this.at(index) as T;
      if (item.id < start) return;
      yield item;
    }
  }

  values(): Generator<T> {
    return this.between(0n, this.last?.id ?? 0n);
  }
}
