import { Counter } from 'prom-client';
import type { Metric } from 'prom-client';
import { events } from '../core/events.js';

/** Operations kept apart; calls by hand may make up any number of them, and the rest is counted as OTHER. */
const MOST_OPERATIONS = 300;

/** Figures of idempotent work, by operation. */
export interface IdempotencyMeter {
  readonly metrics: readonly Metric[];
  /** Stops counting. */
  stop(): void;
}

/** Counts what became of idempotent calls of clients for which `isOurs` says yes. The metrics are in no registry yet. */
export function meterIdempotency(prefix: string, isOurs: (clientId: number) => boolean): IdempotencyMeter {
  const known = new Set<string>();
  const outcomes = new Counter({
    name: `${prefix}idempotency_outcomes_total`,
    help: 'Calls with an idempotency key, by operation and by what became of them',
    labelNames: ['client', 'operation', 'outcome'],
    registers: [],
  });
  const stop = events.idempotency.subscribe(({ client, clientId, operation, outcome }) => {
    if (!isOurs(clientId)) return;
    if (known.size < MOST_OPERATIONS) known.add(operation);
    outcomes.inc({ client, operation: known.has(operation) ? operation : 'OTHER', outcome });
  });
  return { metrics: [outcomes], stop };
}
