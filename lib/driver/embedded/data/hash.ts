import { lengthOf, type Atom, type Datum } from './bytes.js';
import { Members, type Member } from './members.js';

/** What a field, member or element takes beside its own bytes. */
export const MEMBER_OVERHEAD = 128;

interface Field extends Member {
  value: Datum;
}

/** A hash: fields and their values. */
export class Hash {
  readonly type = 'hash';
  readonly members = new Members<Field>();
  bytes = 0;

  get size(): number {
    return this.members.size;
  }

  get(field: Atom): Datum | undefined {
    return this.members.get(field)?.value;
  }

  /** Whether the field is new. */
  set(field: Atom, value: Datum): boolean {
    const known = this.members.get(field);
    if (known !== undefined) {
      this.bytes += lengthOf(value) - lengthOf(known.value);
      known.value = value;
      return false;
    }
    this.bytes += MEMBER_OVERHEAD + lengthOf(field) + lengthOf(value);
    this.members.add({ name: field, index: 0, value });
    return true;
  }

  remove(field: Atom): boolean {
    const known = this.members.get(field);
    if (known === undefined) return false;
    this.bytes -= MEMBER_OVERHEAD + lengthOf(field) + lengthOf(known.value);
    this.members.remove(known);
    return true;
  }

  clone(): Hash {
    const copy = new Hash();
    for (const { name, value } of this.members.values()) copy.set(name, value);
    return copy;
  }
}
