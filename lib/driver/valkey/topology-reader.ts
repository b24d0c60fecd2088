import { ConnectionError, isValkeyError } from '../../core/errors.js';
import type { Address } from '../../options/settings.js';
import { toConnectError } from './connect-error.js';
import { Connection } from './connection.js';
import type { Member } from './cluster-map.js';
import { addressName } from './plan.js';
import type { SharedPlan } from './plan.js';
import { readSlots } from './slot-map.js';
import type { SlotRange } from './slot-map.js';

/**
 * Asks for the cluster's map: connected members first, since that costs no connection, then the seeds. Rejects with one
 * reason per node when nobody answers; at refused credentials at once, because every node would refuse them.
 */
export async function readTopology(
  connected: readonly Member[],
  seeds: readonly Address[],
  plan: SharedPlan,
): Promise<readonly SlotRange[]> {
  const reasons: string[] = [];
  for (const { node, address } of connected) {
    try {
      return await askForSlots(node.shared, address, plan);
    } catch (error) {
      reasons.push(reasonOf(error, node.id));
    }
  }
  for (const seed of seeds) {
    try {
      return await askSeed(seed, plan);
    } catch (error) {
      if (isValkeyError(error, 'VALKEY_AUTHENTICATION_FAILED')) throw error;
      reasons.push(reasonOf(error, addressName(seed)));
    }
  }
  throw new ConnectionError(`No node tells the cluster's layout. ${reasons.join(' ')}`, { subject: 'cluster' });
}

async function askSeed(seed: Address, plan: SharedPlan): Promise<readonly SlotRange[]> {
  const connection = new Connection({ ...plan, address: () => seed, reconnect: false });
  try {
    await connection.open();
    return await askForSlots(connection, seed, plan);
  } finally {
    connection.close();
  }
}

async function askForSlots(connection: Connection, address: Address, plan: SharedPlan): Promise<readonly SlotRange[]> {
  const raw = await bounded(connection.raw('CLUSTER', 'SLOTS'), plan.dialTimeout);
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

function reasonOf(error: unknown, where: string): string {
  return `${where}: ${toConnectError(error, where).message}`;
}
