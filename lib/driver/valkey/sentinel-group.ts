import { ConnectionError } from '../../core/errors.js';
import type { PoolSize } from './dedicated-pool.js';
import { OneServer } from './one-server.js';
import type { SharedPlan } from './plan.js';
import { Sentinels } from './sentinels.js';
import type { SentinelPlan } from './sentinels.js';

/** A primary that sentinels watch over: one server whose address can change. */
export class SentinelGroup extends OneServer {
  readonly #sentinels: Sentinels;

  constructor(sentinelPlan: SentinelPlan, plan: SharedPlan, pool: PoolSize, onChange: () => void) {
    const sentinels = new Sentinels(sentinelPlan, () => this.node.shared.drop());
    const primaryOnly: SharedPlan = { ...plan, greeting: [['ROLE']], accept: refuseReplica };
    super('primary', () => sentinels.primary(), primaryOnly, pool, onChange);
    this.#sentinels = sentinels;
  }

  override open(): Promise<void> {
    this.#sentinels.watch();
    return super.open();
  }

  override close(): void {
    this.#sentinels.close();
    super.close();
  }
}

/** Sentinels can name a primary that has just become a replica; its answer to ROLE tells. */
function refuseReplica([role]: readonly unknown[]): void {
  const word = Array.isArray(role) ? String(role[0]) : 'master';
  if (word === 'master') return;
  throw new ConnectionError('The server the sentinels named is a replica now. The next attempt asks them again.');
}
