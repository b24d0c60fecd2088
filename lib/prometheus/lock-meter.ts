import { Counter, Histogram } from 'prom-client';
import type { Metric, Registry } from 'prom-client';
import { events } from '../core/events.js';

/** Upper bounds in seconds: a lock nobody holds takes one round trip. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Figures of locks. */
export interface LockMeter {
  readonly metrics: readonly Metric[];
  /** Stops counting. */
  stop(): void;
}

/** Counts what becomes of locks of clients for which `isOurs` says yes. The metrics are in no registry yet. */
export function meterLocks(prefix: string, isOurs: (clientId: number) => boolean): LockMeter {
  const registers: Registry[] = [];
  const counts = new Counter({
    name: `${prefix}lock_events_total`,
    help: 'What became of locks: acquired, not-acquired, failed, released, lost, release-failed',
    labelNames: ['client', 'kind'],
    registers,
  });
  const waits = new Histogram({
    name: `${prefix}lock_wait_seconds`,
    help: 'Time locks were waited for, by how it ended: acquired, not-acquired, failed',
    labelNames: ['client', 'kind'],
    buckets: BUCKETS,
    registers,
  });
  const holds = new Histogram({
    name: `${prefix}lock_hold_seconds`,
    help: 'Time locks were held, by how it ended: released, lost, release-failed',
    labelNames: ['client', 'kind'],
    buckets: BUCKETS,
    registers,
  });
  const stop = events.lock.subscribe((event) => {
    const { client, clientId, kind } = event;
    if (!isOurs(clientId)) return;
    counts.inc({ client, kind });
    if ('waitedMs' in event) waits.observe({ client, kind }, event.waitedMs / 1_000);
    else holds.observe({ client, kind }, event.heldMs / 1_000);
  });
  return { metrics: [counts, waits, holds], stop };
}
