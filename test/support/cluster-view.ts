import type { Server } from './server.js';

/** What a cluster node says of one node, itself or another. */
export interface NodeView {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  /** The primary it follows, if it is a replica. */
  readonly primaryId: string | undefined;
  /** The higher epoch wins when two nodes claim a slot. */
  readonly epoch: number;
  /** First and last slot of each range it serves. */
  readonly slots: readonly (readonly [number, number])[];
}

/** All nodes as `server` sees them: CLUSTER NODES. */
export async function viewOf(server: Server): Promise<readonly NodeView[]> {
  const lines = String(await server.command('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  return lines.map(parseLine);
}

/** `server` as it sees itself. */
export async function ownView(server: Server): Promise<NodeView> {
  const own = (await viewOf(server)).find(({ flags }) => flags.includes('myself'));
  if (!own) throw new Error(`the node at ${server.addr} does not list itself`);
  return own;
}

/** Whether a node serves `slot`. */
export function serves({ slots }: NodeView, slot: number): boolean {
  return slots.some(([first, last]) => first <= slot && slot <= last);
}

// <id> <host:port@bus,name> <flags> <primary or -> <ping> <pong> <epoch> <link> <slot> <slot>-<slot> [migrating]
function parseLine(line: string): NodeView {
  const [id = '', address = '', flags = '', primary = '-', , , epoch = '0', , ...ranges] = line.trim().split(' ');
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: flags.split(','),
    primaryId: primary === '-' ? undefined : primary,
    epoch: Number(epoch),
    slots: ranges
      .filter((range) => !range.startsWith('['))
      .map((range) => {
        const [first = 0, last = first] = range.split('-').map(Number);
        return [first, last] as const;
      }),
  };
}
