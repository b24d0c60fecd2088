import { compareAtoms, lengthOf, type Atom } from './bytes.js';
import { MEMBER_OVERHEAD } from './hash.js';
import { Members, type Member } from './members.js';

/** A member of a sorted set. */
export interface Scored extends Member {
  score: number;
}

/** A sorted set: a dictionary, and its members ordered by score, then by bytes. */
export class SortedSet {
  readonly type = 'zset';
  readonly members = new Members<Scored>();
  /** Ascending. To read only. */
  readonly ordered: Scored[] = [];
  bytes = 0;

  get size(): number {
    return this.ordered.length;
  }

  score(name: Atom): number | undefined {
    return this.members.get(name)?.score;
  }

  /** Adds it or moves it to its new score. */
  set(name: Atom, given: number): void {
    // The server does not tell -0 from 0 once it is stored.
    const score = given + 0;
    const known = this.members.get(name);
    if (known === undefined) {
      const scored: Scored = { name, score, index: 0 };
      this.members.add(scored);
      this.#insert(scored);
      this.bytes += MEMBER_OVERHEAD + lengthOf(name);
    } else if (known.score !== score) {
      this.ordered.splice(this.#position(known), 1);
      known.score = score;
      this.#insert(known);
    }
  }

  remove(name: Atom): boolean {
    const known = this.members.get(name);
    if (known === undefined) return false;
    this.ordered.splice(this.#position(known), 1);
    this.#forget(known);
    return true;
  }

  /** Takes out `count` from rank `from` on. */
  removeRange(from: number, count: number): Scored[] {
    const gone = this.ordered.splice(from, count);
    for (const scored of gone) this.#forget(scored);
    return gone;
  }

  rank(name: Atom): number | undefined {
    const known = this.members.get(name);
    return known === undefined ? undefined : this.#position(known);
  }

  /** The first rank for which `reached` holds, which must hold for all after it. */
  firstRank(reached: (scored: Scored) => boolean): number {
    let low = 0;
    let high = this.ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reached(this.ordered[middle] as Scored)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  clone(): SortedSet {
    const copy = new SortedSet();
    for (const { name, score } of this.ordered) copy.set(name, score);
    return copy;
  }

  #insert(scored: Scored): void {
    const last = this.ordered.at(-1);
    if (last === undefined || order(last, scored) < 0) this.ordered.push(scored);
    else this.ordered.splice(this.#position(scored), 0, scored);
  }

  #position(scored: Scored): number {
    return this.firstRank((other) => order(other, scored) >= 0);
  }

  #forget(scored: Scored): void {
    this.bytes -= MEMBER_OVERHEAD + lengthOf(scored.name);
    this.members.remove(scored);
  }
}

function order(left: Scored, right: Scored): number {
  return left.score === right.score ? compareAtoms(left.name, right.name) : left.score < right.score ? -1 : 1;
}
