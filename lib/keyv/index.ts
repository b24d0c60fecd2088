// `nestjs-valkey/keyv`: for Keyv 5, cache-manager 7 and @nestjs/cache-manager.

export { KeyvValkey } from './keyv-valkey.js';
export type { KeyvClient, KeyvEntry, KeyvValkeyOptions } from './keyv-valkey.js';
export { typedValues } from './typed-values.js';
export type { KeyvData, TypedValues } from './typed-values.js';
