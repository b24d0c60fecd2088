import 'reflect-metadata';
import { HttpAdapterHost } from '@nestjs/core';
import { injectCaches } from '../cache/injected-caches.js';
import { decoratedMethod, isFunction } from '../decorated-method.js';
import { injectService } from '../injected-service.js';
import { HTTP_CACHE } from './cached-routes.js';
import type { HttpCaching } from './cached-routes.js';
import type { HttpCacheOptions, HttpCacheRequest } from './http-cache-options.js';
import { rulesOf } from './http-cache-options.js';

/**
 * Keeps the responses of a controller's GET routes, or of one of them, and answers with them: with ETag, 304, Age and
 * Cache-Control, HEAD included. Many who ask for the same at once wait for one run of the method. What a request with
 * credentials gets is kept only where `key` says whose it is, or `public` that it is everybody's.
 *
 * On a method it stands in place of its class's. Guards, pipes and interceptors run as always, around the cache; beside
 * HTTP (GraphQL, WebSocket, RPC) it does nothing.
 *
 * @example
 * ```ts
 * @HttpCache({ ttl: '1m', tags: (request: Request) => [`product:${request.params.id}`] })
 * @Get(':id')
 * find(@Param('id') id: string): Promise<Product> {
 *   return this.products.find(id);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function HttpCache<R extends object = HttpCacheRequest, B = unknown>(
  options: HttpCacheOptions<R, B>,
): MethodDecorator & ClassDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = name === undefined ? undefined : decoratedMethod('@HttpCache()', target, name, descriptor);
    const place = decorated?.place ?? (isFunction(target) ? target.name : 'a class');
    const rules = rulesOf(options, place);
    // Not its prototype: that may have been given another class's constructor.
    const instances = isFunction(target) ? { constructor: target } : target;
    const caching: HttpCaching = {
      rules,
      cachesOf: injectCaches(instances, rules.client),
      hostOf: injectService(instances, HttpAdapterHost),
    };
    Reflect.defineMetadata(HTTP_CACHE, caching, decorated?.method ?? target);
  };
}
