// `nestjs-valkey/terminus`: needs the peer @nestjs/terminus.

export { ValkeyHealthIndicator } from './valkey-health-indicator.js';
export type { ValkeyHealthOptions } from './valkey-health-indicator.js';
