import { Counter } from 'prom-client';
import type { Metric } from 'prom-client';
import { events } from '../core/events.js';

/** Names of limits kept apart; calls by hand may make up any number of them, and the rest is counted as OTHER. */
const MOST_LIMITS = 300;

/** Figures of rate limits, by their names. */
export interface LimitMeter {
  readonly metrics: readonly Metric[];
  /** Stops counting. */
  stop(): void;
}

/** Counts decisions of limiters of clients for which `isOurs` says yes. The metrics are in no registry yet. */
export function meterLimits(prefix: string, isOurs: (clientId: number) => boolean): LimitMeter {
  const known = new Set<string>();
  const decisions = new Counter({
    name: `${prefix}limit_decisions_total`,
    help: 'Decisions of rate limits, by outcome and by who decided: store, memory, local, none',
    labelNames: ['client', 'limit', 'outcome', 'by'],
    registers: [],
  });
  const stop = events.rateLimit.subscribe(({ client, clientId, limit, outcome, by }) => {
    if (!isOurs(clientId)) return;
    if (known.size < MOST_LIMITS) known.add(limit);
    decisions.inc({ client, limit: known.has(limit) ? limit : 'OTHER', outcome, by });
  });
  return { metrics: [decisions], stop };
}
