import { lengthOf, type Atom } from './bytes.js';
import { MEMBER_OVERHEAD } from './hash.js';
import { Members, type Member } from './members.js';

/** A set of members without order. */
export class PlainSet {
  readonly type = 'set';
  readonly members = new Members<Member>();
  bytes = 0;

  get size(): number {
    return this.members.size;
  }

  has(name: Atom): boolean {
    return this.members.has(name);
  }

  add(name: Atom): boolean {
    if (this.members.has(name)) return false;
    this.bytes += MEMBER_OVERHEAD + lengthOf(name);
    this.members.add({ name, index: 0 });
    return true;
  }

  remove(name: Atom): boolean {
    const known = this.members.get(name);
    if (known === undefined) return false;
    this.bytes -= MEMBER_OVERHEAD + lengthOf(name);
    this.members.remove(known);
    return true;
  }

  *names(): Generator<Atom> {
    for (const { name } of this.members.values()) yield name;
  }

  clone(): PlainSet {
    const copy = new PlainSet();
    for (const name of this.names()) copy.add(name);
    return copy;
  }
}
