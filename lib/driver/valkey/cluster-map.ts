import { ConnectionError } from '../../core/errors.js';
import { SLOTS, slotOf } from '../../core/slot.js';
import type { Address } from '../../options/settings.js';
import type { NodeInfo, Operation } from '../driver.js';
import type { ValkeyNode } from './node.js';
import { formatAddress } from '../../options/address.js';
import { chooseReplica } from './replicas.js';
import type { SlotRange } from './slot-map.js';

/** A server with its place in the cluster. */
export interface Member {
  readonly node: ValkeyNode;
  readonly address: Address;
  readonly role: NodeInfo['role'];
}

/** Who serves a range of slots. */
interface Shard {
  readonly primary: ValkeyNode;
  readonly replicas: readonly ValkeyNode[];
}

/** Makes the node for an address; `role` tells at any time what it is at the moment. */
export type NodeMaker = (id: string, address: Address, role: () => NodeInfo['role']) => ValkeyNode;

/** Which node serves which slot, as far as is known. */
export class ClusterMap {
  readonly #make: NodeMaker;
  readonly #members = new Map<string, Member>();
  #shards: (Shard | undefined)[] = Array.from({ length: SLOTS });

  constructor(make: NodeMaker) {
    this.#make = make;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  get primaries(): readonly Member[] {
    return this.members.filter(({ role }) => role === 'primary');
  }

  /** Members that can be asked at once. */
  get connected(): readonly Member[] {
    return this.members.filter(({ node }) => node.shared.state.kind === 'ready');
  }

  /** The node an operation has to go to; `undefined` while nobody serves its slot. */
  nodeFor(operation: Operation): ValkeyNode | undefined {
    if (operation.target) return this.#members.get(operation.target.id)?.node;
    if (operation.key === undefined) return this.#anyPrimary();
    const slot = slotOf(operation.key);
    const shard = this.#shards[slot];
    if (!shard || !operation.readOnly || operation.readFrom === 'primary') return shard?.primary;
    const replica = chooseReplica(shard.replicas, slot);
    return replica ?? (operation.readFrom === 'preferReplica' ? shard.primary : undefined);
  }

  /** The node at an address, which may be one that no map has named yet. */
  nodeAt(address: Address): ValkeyNode {
    const id = formatAddress(address);
    return (this.#members.get(id) ?? this.#admit(id, address, 'primary')).node;
  }

  /** A server said that this slot is somewhere else now. */
  moveSlot(slot: number, address: Address): ValkeyNode {
    const primary = this.nodeAt(address);
    this.#place(primary.id, address, 'primary');
    this.#shards[slot] = { primary, replicas: [] };
    return primary;
  }

  /** Takes over a whole map: slots it does not cover and nodes it does not name are dropped. True if anything changed. */
  apply(ranges: readonly SlotRange[]): boolean {
    const shards: (Shard | undefined)[] = Array.from({ length: SLOTS });
    const present = new Set<string>();
    const place = (address: Address, role: NodeInfo['role']): ValkeyNode => {
      const id = formatAddress(address);
      present.add(id);
      return this.#place(id, address, role);
    };
    for (const { from, to, primary, replicas } of ranges) {
      const shard = {
        primary: place(primary, 'primary'),
        replicas: replicas.map((replica) => place(replica, 'replica')),
      };
      shards.fill(shard, from, to + 1);
    }
    const changed = shards.some((shard, slot) => shard?.primary !== this.#shards[slot]?.primary);
    this.#shards = shards;
    for (const [id, { node }] of this.#members) {
      if (present.has(id)) continue;
      this.#members.delete(id);
      node.close(new ConnectionError(`The node ${id} has left the cluster.`, { subject: id }));
    }
    return changed;
  }

  close(): void {
    for (const { node } of this.#members.values()) node.close();
  }

  #anyPrimary(): ValkeyNode | undefined {
    const { primaries } = this;
    return (primaries.find(({ node }) => node.shared.state.kind === 'ready') ?? primaries[0])?.node;
  }

  #place(id: string, address: Address, role: NodeInfo['role']): ValkeyNode {
    const known = this.#members.get(id);
    if (!known) return this.#admit(id, address, role).node;
    if (known.role !== role) {
      this.#members.set(id, { ...known, role });
      known.node.becomes(role);
    }
    return known.node;
  }

  #admit(id: string, address: Address, role: NodeInfo['role']): Member {
    const node = this.#make(id, address, () => this.#members.get(id)?.role ?? role);
    const member: Member = { node, address, role };
    this.#members.set(id, member);
    return member;
  }
}
