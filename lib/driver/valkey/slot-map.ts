import { SLOTS } from '../../core/slot.js';
import type { Address } from '../../options/settings.js';

/** One row of CLUSTER SLOTS: a range and who serves it. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly primary: Address;
  readonly replicas: readonly Address[];
}

/**
 * Reads the answer of CLUSTER SLOTS. A node that does not know its own host leaves it empty: then it is the one that
 * answered. Rows that make no sense are left out.
 */
export function readSlots(raw: unknown, answeredBy: Address): readonly SlotRange[] {
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((row: unknown) => {
    if (!Array.isArray(row)) return [];
    const [from, to, ...nodes] = row as [unknown, unknown, ...unknown[]];
    const [primary, ...replicas] = nodes.flatMap((node) => readNode(node, answeredBy));
    const range = { from: Number(from), to: Number(to) };
    const sane = primary && range.from >= 0 && range.from <= range.to && range.to < SLOTS;
    return sane ? [{ ...range, primary, replicas }] : [];
  });
}

function readNode(raw: unknown, answeredBy: Address): readonly Address[] {
  if (!Array.isArray(raw)) return [];
  const host = raw[0] === null ? '' : String(raw[0]);
  const port = Number(raw[1]);
  if (!(port > 0)) return [];
  return [{ host: host === '' || host === '?' ? answeredBy.host : host, port }];
}
