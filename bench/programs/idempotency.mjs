import { Idempotency } from '@node-idempotency/core';
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis';
import { Body, Controller, Post, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Idempotent, ValkeyModule } from 'nestjs-valkey';
import { from, lastValueFrom, of } from 'rxjs';

import { decorate } from '../caches/ours.mjs';
import { answer } from '../harness/child.mjs';

/**
 * One application with the same route three times: `POST /bare`, `/nestjs-valkey` and `/node-idempotency`. How often each has
 * run can be asked.
 */

const TTL = 3_600_000;

/** @type {Record<string, number>} */
const runs = {};

answer({
  open: async ({ server }) => {
    const storage = new RedisStorageAdapter({ socket: { host: server.host, port: server.port } });
    await storage.connect();
    const options = { cacheTTLMS: TTL, enforceIdempotency: true, cacheKeyPrefix: 'bench:node-idempotency' };
    const peer = new Idempotency(storage, options);
    const module = {
      module: class Bench {},
      imports: [ValkeyModule.forRoot({ ...server, keyPrefix: 'bench:', idempotency: { ttl: TTL } })],
      controllers: [
        controller('bare'),
        controller('nestjs-valkey', Idempotent()),
        controller('node-idempotency', UseInterceptors(interceptorOf(peer))),
      ],
    };
    const application = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
    await application.listen(0, '127.0.0.1');
    return application.getUrl();
  },
  runs: (path) => runs[path] ?? 0,
  cpuUsage: () => process.cpuUsage(),
});

/**
 * @param {string} path
 * @param {readonly MethodDecorator[]} decorators
 */
function controller(path, ...decorators) {
  class OrderController {
    /** @param {{ productId: string, quantity: number }} order */
    create(order) {
      runs[path] = (runs[path] ?? 0) + 1;
      return { orderId: order.productId, quantity: order.quantity, state: 'accepted', lines: [1, 2, 3] };
    }
  }
  Body()(OrderController.prototype, 'create', 0);
  decorate(OrderController, 'create', Post(), ...decorators);
  Controller(path)(OrderController);
  return OrderController;
}

/**
 * As its documentation says: `onRequest` before the handler, `onResponse` behind it.
 *
 * @param {Idempotency} peer
 */
function interceptorOf(peer) {
  return {
    /** @param {import('@nestjs/common').ExecutionContext} context @param {import('@nestjs/common').CallHandler} next */
    async intercept(context, next) {
      const { method, headers, body, url } = context.switchToHttp().getRequest();
      const request = { method, headers, body, path: url };
      const earlier = await peer.onRequest(request);
      if (earlier) {
        context.switchToHttp().getResponse().status(earlier.additional.status);
        return of(earlier.body);
      }
      return from(
        lastValueFrom(next.handle()).then(async (given) => {
          await peer.onResponse(request, { body: given, additional: { status: 201 } });
          return given;
        }),
      );
    },
  };
}
