import 'reflect-metadata';
import { UseInterceptors } from '@nestjs/common';
import { decoratedMethod, isFunction } from '../decorated-method.js';
import { IDEMPOTENT, idempotentInterceptor } from './idempotent-interceptor.js';
import { rulesOf } from './idempotent-options.js';
import type { IdempotentOptions, IdempotentRequest } from './idempotent-options.js';

/**
 * Runs a route once for each `Idempotency-Key`, however often its request arrives: a repetition gets the response of the first
 * time, with `Idempotency-Replayed: true`. By draft-ietf-httpapi-idempotency-key-header, on Express and Fastify.
 *
 * On a controller it holds for all its POST and PATCH routes; on a method it stands in place of its class's. Guards run as
 * always. Anywhere but on HTTP routes the start fails: use `IdempotencyService.run` there.
 *
 * @example
 * ```ts
 * @Post()
 * @Idempotent({ ttl: '24h', scope: (request) => request.user.id })
 * create(@Body() order: CreateOrder): Promise<Order> {
 *   return this.orders.create(order);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function Idempotent<R extends object = IdempotentRequest, B = unknown>(
  options: IdempotentOptions<R, B> = {},
): MethodDecorator & ClassDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = name === undefined ? undefined : decoratedMethod('@Idempotent()', target, name, descriptor);
    const place = decorated?.place ?? (isFunction(target) ? target.name : 'a class');
    const rules = rulesOf(options, place);
    Reflect.defineMetadata(IDEMPOTENT, rules, decorated?.method ?? target);
    UseInterceptors(idempotentInterceptor(rules))(target, name as string, descriptor as PropertyDescriptor);
  };
}
