// `nestjs-valkey/throttler`: a storage for @nestjs/throttler 6.

export type { RateLimiterOptions } from '../options/limit-options.js';
export { ValkeyThrottlerStorage } from './throttler-storage.js';
export type { ThrottlerClient, ThrottlerRecord } from './throttler-storage.js';
