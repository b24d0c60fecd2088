// `nestjs-valkey/opentelemetry`: needs the peer @opentelemetry/api.

export { Telemetry } from './telemetry.js';
export type { TelemetryOptions } from './telemetry.js';
