import { slotOf } from '../core/slot.js';
import type { Argument, Reply } from '../driver/driver.js';
import type { SplitRule } from './commands/command-set.js';

/** The arguments of one slot, and where their keys stood among all keys. */
export interface Part {
  readonly args: readonly Argument[];
  readonly places: readonly number[];
}

/** Takes the arguments of a many-key command apart by slot; keys keep their order within a part. */
export function splitBySlot(args: readonly Argument[], { step }: SplitRule): readonly Part[] {
  const parts = new Map<number, { args: Argument[]; places: number[] }>();
  for (let index = 0; index < args.length; index += step) {
    const slot = slotOf(args[index] as Argument);
    let part = parts.get(slot);
    if (!part) parts.set(slot, (part = { args: [], places: [] }));
    part.args.push(...args.slice(index, index + step));
    part.places.push(index / step);
  }
  return [...parts.values()];
}

/** Puts the parts' replies together as if one server had answered. */
export function combineReplies(parts: readonly Part[], replies: readonly Reply[], { combine }: SplitRule): Reply {
  switch (combine) {
    case 'same':
      return replies[0] ?? null;
    case 'sum':
      return replies.reduce<number>((sum, reply) => sum + Number(reply), 0);
    case 'order': {
      const whole: Reply[] = [];
      for (const [index, { places }] of parts.entries()) {
        const values = replies[index] as readonly Reply[];
        for (const [at, place] of places.entries()) whole[place] = values[at] ?? null;
      }
      return whole;
    }
  }
}
