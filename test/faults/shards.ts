import { SLOTS, slotOf } from '../../lib/core/slot.js';
import type { Server } from '../support/index.js';

/** A hash tag whose slot the initial primary number `index` of `count` serves. */
export function tagOf(index: number, count = 3): string {
  const [first, next] = [index, index + 1].map((part) => Math.round((part * SLOTS) / count)) as [number, number];
  for (let attempt = 0; ; attempt += 1) {
    const slot = slotOf(`{t${attempt}}`);
    if (slot >= first && slot < next) return `{t${attempt}}`;
  }
}

/** How often `server` has run `command` (`get`, `client|kill`) since its start or CONFIG RESETSTAT. */
export async function callsOf(server: Server, command: string): Promise<number> {
  const stats = await server.info('commandstats');
  return Number(/calls=(\d+)/.exec(stats[`cmdstat_${command}`] ?? '')?.[1] ?? 0);
}
