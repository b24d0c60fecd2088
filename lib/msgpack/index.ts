// `nestjs-valkey/msgpack`: needs the peer @msgpack/msgpack.

export { messagePack } from './message-pack.js';
