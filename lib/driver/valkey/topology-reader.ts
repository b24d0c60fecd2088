import { ConnectionError, isValkeyError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { Address } from '../../options/settings.js';
import { toConnectError } from './connect-error.js';
import { Connection } from './connection.js';
import type { Member } from './cluster-map.js';
import { formatAddress } from '../../options/address.js';
import type { SharedPlan } from './plan.js';
import { readSlots } from './slot-map.js';
import type { SlotRange } from './slot-map.js';

/** Milliseconds after which a connected member that does not answer is passed over: another one may. */
const PATIENCE = 1_000;

/**
 * Asks for the cluster's map: connected members first, since that costs no connection, then the seeds. It begins with
 * another member each time, because one that is cut off from the others would tell the old map again and again. Rejects
 * with one reason per node when nobody answers; at refused credentials at once, because every node would refuse them.
 */
export async function readTopology(
  connected: readonly Member[],
  seeds: readonly Address[],
  plan: SharedPlan,
): Promise<readonly SlotRange[]> {
  const reasons: NodeReason[] = [];
  for (const { node, address } of rotated(connected)) {
    try {
      return await askForSlots(node.shared, address, Math.min(PATIENCE, plan.dialTimeout));
    } catch (error) {
      reasons.push({ node: node.id, error: toConnectError(error, node.id) });
    }
  }
  for (const seed of seeds) {
    try {
      return await askSeed(seed, plan);
    } catch (error) {
      if (isValkeyError(error, 'VALKEY_AUTHENTICATION_FAILED')) throw error;
      reasons.push({ node: formatAddress(seed), error: toConnectError(error, formatAddress(seed)) });
    }
  }
  if (events.topologyFailure.active) {
    events.topologyFailure.publish({
      ...plan.identity,
      reasons: reasons.map(({ node, error }) => ({ node, code: error.code })),
    });
  }
  const text = reasons.map(({ node, error }) => `${node}: ${error.message}`).join(' ');
  throw new ConnectionError(`No node tells the cluster's layout. ${text}`, { subject: 'cluster' });
}

/** Why a node did not tell. */
interface NodeReason {
  readonly node: string;
  readonly error: ValkeyError;
}

async function askSeed(seed: Address, plan: SharedPlan): Promise<readonly SlotRange[]> {
  const connection = new Connection({ ...plan, lane: 'topology', address: () => seed, reconnect: false });
  try {
    await connection.open();
    return await askForSlots(connection, seed, plan.dialTimeout);
  } finally {
    connection.close();
  }
}

function rotated<T>(items: readonly T[]): readonly T[] {
  const start = Math.floor(Math.random() * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

async function askForSlots(connection: Connection, address: Address, patience: number): Promise<readonly SlotRange[]> {
  const raw = await bounded(connection.raw('CLUSTER', 'SLOTS'), patience);
  const ranges = readSlots(raw, address);
  if (ranges.length === 0) throw new ConnectionError('It serves no slots; is it part of a cluster?');
  return ranges;
}

/** An answer that does not come within `milliseconds` is an error. */
function bounded<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new ConnectionError(`It did not answer within ${milliseconds} ms.`)),
      milliseconds,
    );
    void promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
