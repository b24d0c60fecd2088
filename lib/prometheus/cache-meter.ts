import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metric, Registry } from 'prom-client';
import { events } from '../core/events.js';
import type { CacheEvent } from '../core/events.js';

type Near = Extract<CacheEvent, { kind: 'opened' }>['near'];

/** Kinds of events that are answers to a call. */
const ANSWERS: ReadonlySet<CacheEvent['kind']> = new Set(['near-hit', 'hit', 'stale', 'miss']);

/** The label of what concerns all caches of a client. */
const ALL = '*';

/** Figures of caches, by their names. */
export interface CacheMeter {
  readonly metrics: readonly Metric[];
  /** Stops counting. */
  stop(): void;
}

/** Counts what happens in the caches of clients for which `isOurs` says yes. The metrics are in no registry yet. */
export function meterCaches(prefix: string, isOurs: (clientId: number) => boolean): CacheMeter {
  const registers: Registry[] = [];
  const caches = new Map<string, { readonly client: string; readonly cache: string; readonly near: Near }>();
  const answers = new Counter({
    name: `${prefix}cache_requests_total`,
    help: 'Calls of a cache, by what answered them: near-hit, hit, stale, miss',
    labelNames: ['client', 'cache', 'result'],
    registers,
  });
  const loads = new Histogram({
    name: `${prefix}cache_load_duration_seconds`,
    help: 'Time loaders took',
    labelNames: ['client', 'cache', 'failed'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const others = new Counter({
    name: `${prefix}cache_events_total`,
    help: 'What else happened in a cache: evict, clear, invalidate, near-drop, near-on, near-off, fill-refused, unreadable, background-error',
    labelNames: ['client', 'cache', 'kind'],
    registers,
  });
  const gauge = (name: string, help: string, figure: 'entries' | 'bytes'): Metric =>
    new Gauge({
      name: prefix + name,
      help,
      labelNames: ['client', 'cache'],
      registers,
      collect() {
        this.reset();
        for (const { client, cache, near } of caches.values()) this.set({ client, cache }, near()[figure]);
      },
    });
  const near = [
    gauge('cache_near_entries', 'Entries kept in this process', 'entries'),
    gauge('cache_near_bytes', 'Bytes entries kept in this process are counted with', 'bytes'),
  ];
  const stop = events.cache.subscribe((event) => {
    const { client, clientId, cache = ALL, kind } = event;
    if (!isOurs(clientId)) return;
    if (ANSWERS.has(kind)) answers.inc({ client, cache, result: kind });
    else if (event.kind === 'load') {
      loads.observe({ client, cache, failed: String(event.failed) }, event.durationMs / 1000);
    } else if (event.kind === 'opened') caches.set(`${clientId} ${cache}`, { client, cache, near: event.near });
    else others.inc({ client, cache, kind });
  });
  return {
    metrics: [answers, loads, others, ...near],
    stop: () => {
      stop();
      caches.clear();
    },
  };
}
