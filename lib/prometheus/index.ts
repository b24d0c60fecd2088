// `nestjs-valkey/prometheus`: needs the peer prom-client.

export { PrometheusMetrics } from './prometheus-metrics.js';
export type { PrometheusOptions } from './prometheus-metrics.js';
