import type { Atom } from './bytes.js';

/** Something in {@link Members}, which keeps its place up to date. */
export interface Member {
  readonly name: Atom;
  index: number;
}

/** What a page of a scan brings: the cursor to go on with, 0 at the end, and what was found. */
export interface Page<T> {
  readonly cursor: number;
  readonly items: readonly T[];
}

/**
 * A dictionary that can also pick at random and be scanned in pages without a memory of who scans. A dense list
 * stands beside the map; what is removed is replaced by the list's last one. Scans go from the end to the start, and
 * such a move goes towards the start, too: so nothing that stays throughout can slip past a scan.
 */
export class Members<T extends Member> {
  readonly #byName = new Map<Atom, T>();
  readonly #dense: T[] = [];

  get size(): number {
    return this.#dense.length;
  }

  get(name: Atom): T | undefined {
    return this.#byName.get(name);
  }

  has(name: Atom): boolean {
    return this.#byName.has(name);
  }

  /** Adds what is not in yet. */
  add(member: T): void {
    member.index = this.#dense.length;
    this.#dense.push(member);
    this.#byName.set(member.name, member);
  }

  remove(member: T): void {
    const last = this.#dense.pop() as T;
    if (last !== member) {
      this.#dense[member.index] = last;
      last.index = member.index;
    }
    this.#byName.delete(member.name);
  }

  clear(): void {
    this.#byName.clear();
    this.#dense.length = 0;
  }

  /** In the order they were added. */
  values(): IterableIterator<T> {
    return this.#byName.values();
  }

  random(): T | undefined {
    return this.#dense[Math.floor(Math.random() * this.#dense.length)];
  }

  /** `count` different ones by chance, or all. */
  sample(count: number): T[] {
    if (count >= this.size) return [...this.values()];
    if (count * 3 > this.size) return shuffled([...this.#dense]).slice(0, count);
    const chosen = new Set<T>();
    while (chosen.size < count) chosen.add(this.random() as T);
    return [...chosen];
  }

  /** By chance: `count` different ones, or as many as its amount with repetitions when it is negative. */
  draw(count: number): T[] {
    if (count >= 0) return this.sample(count);
    return this.size === 0 ? [] : Array.from({ length: -count }, () => this.random() as T);
  }

  /** The next `count` from `cursor` on; 0 starts. */
  page(cursor: number, count: number): Page<T> {
    const end = cursor === 0 ? this.size : Math.min(cursor, this.size);
    const start = Math.max(end - count, 0);
    return { cursor: start, items: this.#dense.slice(start, end) };
  }
}

function shuffled<T>(items: T[]): T[] {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1));
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}
