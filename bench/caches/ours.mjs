import { NestFactory } from '@nestjs/core';
import { Cacheable, CACHE_SERVICE, ValkeyModule } from 'nestjs-valkey';

/** @typedef {import('../harness/server.mjs').ServerAddress} ServerAddress */
/** @typedef {import('./products.mjs').Product} Product */

/**
 * A cache as it is: a hit, or what the loader gives.
 *
 * @typedef {object} BenchCache
 * @property {(id: string) => Promise<Product>} find
 */

/**
 * @typedef {object} OpenCache
 * @property {string} name
 * @property {BenchCache} client
 * @property {() => Promise<void>} close
 */

/**
 * What a cache is opened for.
 *
 * @typedef {object} CacheTask
 * @property {ServerAddress} server
 * @property {boolean} near Whether it keeps entries in the process too.
 * @property {(id: string) => Promise<Product> | Product} load Where the values come from.
 */

/** Nothing ends while it is measured. */
export const TTL_MILLIS = 3_600_000;
/** Entries in the process: more than any question has keys. */
export const NEAR_ENTRIES = 20_000;

/**
 * A service of a Nest application with a method under `@Cacheable()`, which is how it is used. The id is the key, as it is
 * for the others: strings put together for each call would cost more than the rest of a hit in the process.
 *
 * @param {CacheTask} task
 * @returns {Promise<OpenCache>}
 */
export async function openOurs({ server, near, load }) {
  class Products {
    /** @param {string} id */
    async find(id) {
      return load(id);
    }
  }
  decorate(Products, 'find', Cacheable({ cache: 'products', key: (id) => id, ttl: TTL_MILLIS }));
  const application = await NestFactory.createApplicationContext(
    {
      module: class Bench {},
      imports: [cacheModule(server, near && { maxEntries: NEAR_ENTRIES, maxBytes: 2 ** 26 })],
      providers: [Products],
    },
    { logger: false },
  );
  return { name: 'nestjs-valkey', client: application.get(Products), close: () => application.close() };
}

/**
 * @param {ServerAddress} server
 * @param {import('nestjs-valkey').CachingOptions['near']} near
 */
export function cacheModule(server, near) {
  return ValkeyModule.forRoot({ ...server, keyPrefix: 'bench:', cache: { near } });
}

/**
 * The cache service alone, for questions about what is in it.
 *
 * @param {ServerAddress} server
 * @param {import('nestjs-valkey').NearOptions} near
 * @returns {Promise<{ caching: import('nestjs-valkey').CacheService, close: () => Promise<void> }>}
 */
export async function openCaching(server, near) {
  const module = { module: class Bench {}, imports: [cacheModule(server, near)] };
  const application = await NestFactory.createApplicationContext(module, { logger: false });
  return { caching: application.get(CACHE_SERVICE, { strict: false }), close: () => application.close() };
}

/**
 * What TypeScript makes of a decorator on a method.
 *
 * @param {abstract new (...args: never[]) => object} owner
 * @param {string} method
 * @param {readonly MethodDecorator[]} decorators
 */
export function decorate(owner, method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(owner.prototype, method);
  for (const decorator of decorators.toReversed()) decorator(owner.prototype, method, descriptor);
  Object.defineProperty(owner.prototype, method, descriptor);
}
