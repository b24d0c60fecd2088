import KeyvValkey from '@keyv/valkey';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Param, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Redis } from 'iovalkey';
import { Keyv } from 'keyv';
import { Cacheable, HttpCache } from 'nestjs-valkey';

import { cacheModule, decorate, NEAR_ENTRIES, TTL_MILLIS } from '../caches/ours.mjs';
import { Catalogue } from '../caches/products.mjs';
import { answer } from '../harness/child.mjs';

/**
 * One application with the same route five times: `/bare/:id`, `/interceptor/:id` with an interceptor that does nothing,
 * and three that are cached in different ways.
 */

/** @type {Catalogue} */
let catalogue;

class Products {
  /** @param {string} id */
  async find(id) {
    return catalogue.take(id);
  }
}

class CachedProducts extends Products {
  /** @param {string} id */
  async find(id) {
    return super.find(id);
  }
}
decorate(CachedProducts, 'find', Cacheable({ cache: 'products', key: (id) => id, ttl: TTL_MILLIS }));

class Interceptor {
  /** @param {unknown} _context @param {import('@nestjs/common').CallHandler} next */
  intercept(_context, next) {
    return next.handle();
  }
}

answer({
  open: async ({ server, ids }) => {
    catalogue = new Catalogue(ids);
    const module = {
      module: class Bench {},
      imports: [
        cacheModule(server, { maxEntries: NEAR_ENTRIES, maxBytes: 2 ** 26 }),
        CacheModule.register({ stores: await cacheManagerStores(server), ttl: TTL_MILLIS }),
      ],
      providers: [Products, CachedProducts],
      controllers: [
        controller('bare', Products),
        controller('interceptor', Products, UseInterceptors(Interceptor)),
        controller('cacheable', CachedProducts),
        controller('http-cache', Products, HttpCache({ ttl: TTL_MILLIS })),
        controller('cache-interceptor', Products, UseInterceptors(CacheInterceptor)),
      ],
    };
    const application = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
    await application.listen(0, '127.0.0.1');
    return application.getUrl();
  },
  loads: () => catalogue.loads,
  cpuUsage: () => process.cpuUsage(),
});

/**
 * @param {string} path
 * @param {typeof Products} service
 * @param {readonly MethodDecorator[]} decorators
 */
function controller(path, service, ...decorators) {
  class ProductController {
    /** @param {Products} products */
    constructor(products) {
      this.products = products;
    }

    /** @param {string} id */
    find(id) {
      return this.products.find(id);
    }
  }
  Reflect.defineMetadata('design:paramtypes', [service], ProductController);
  Param('id')(ProductController.prototype, 'find', 0);
  decorate(ProductController, 'find', Get(':id'), ...decorators);
  Controller(path)(ProductController);
  return ProductController;
}

/** As in `peers.mjs`: in the process entries as they are, behind it the server. */
async function cacheManagerStores(server) {
  const redis = new Redis({ ...server, lazyConnect: true });
  await redis.connect();
  const memory = new Keyv();
  memory.serialize = undefined;
  memory.deserialize = undefined;
  return [memory, new Keyv({ store: new KeyvValkey(redis, { useRedisSets: false }), namespace: 'bench' })];
}
