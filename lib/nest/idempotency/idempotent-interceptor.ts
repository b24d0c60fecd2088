import 'reflect-metadata';
import { Inject, Logger, mixin } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { lastValueFrom, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { IdempotencyService } from '../../features/idempotency/idempotency-service.js';
import type { Performed } from '../../features/idempotency/idempotency-service.js';
import { HttpExchange } from '../http/http-exchange.js';
import type { AnyRequest } from '../http/http-exchange.js';
import { idempotencyServiceToken } from '../tokens.js';
import { refusalOf } from './idempotency-problems.js';
import type { IdempotentRules } from './idempotent-options.js';
import {
  decodeResponse,
  encodeResponse,
  givenOutcome,
  isKnown,
  prepareReplay,
  thrownOutcome,
} from './kept-response.js';
import type { RouteOutcome } from './kept-response.js';
import { fingerprintOf, keyOf, scopeOf } from './request-parts.js';

/** Where a decorator's rules stand: on the method, and else on the class. */
export const IDEMPOTENT = Symbol('nestjs-valkey:idempotent');

/** The interceptor of one `@Idempotent()`. */
export function idempotentInterceptor(rules: IdempotentRules): Type<NestInterceptor> {
  class IdempotentInterceptor implements NestInterceptor {
    readonly #host: HttpAdapterHost;
    readonly #service: IdempotencyService;
    #hasWarned = false;

    constructor(
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
      @Inject(idempotencyServiceToken(rules.client)) service: IdempotencyService,
    ) {
      this.#host = host;
      this.#service = service;
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
      if (context.getType() !== 'http' || rulesFor(context) !== rules) return next.handle();
      const [request, response] = context.getArgs<[AnyRequest, unknown]>();
      const exchange = new HttpExchange(this.#host.httpAdapter, request, response);
      if (!rules.methods.includes(exchange.method)) return next.handle();
      const key = keyOf(exchange, rules);
      if (key === undefined) return next.handle();
      return this.#respond(exchange, key, context, next).then((body) => of(body));
    }

    async #respond(
      exchange: HttpExchange,
      key: string,
      context: ExecutionContext,
      next: CallHandler,
    ): Promise<unknown> {
      const { outcome, isReplay } = await this.#perform(exchange, key, context, next);
      if (isReplay) {
        prepareReplay(exchange, outcome);
        exchange.send('Idempotency-Replayed', 'true');
      }
      if (outcome.kind !== 'given') throw outcome.error;
      return outcome.body;
    }

    async #perform(
      exchange: HttpExchange,
      key: string,
      context: ExecutionContext,
      next: CallHandler,
    ): Promise<Performed<RouteOutcome>> {
      const work = {
        key,
        scope: scopeOf(rules, exchange.request),
        fingerprint: fingerprintOf(exchange, rules),
        operation: `${context.getClass().name}.${context.getHandler().name}`,
      };
      try {
        return await this.#service.perform<RouteOutcome>(
          work,
          {
            run: () => this.#run(exchange, next),
            encode: (outcome) => this.#encode(exchange, outcome),
            decode: decodeResponse,
          },
          rules.service,
        );
      } catch (error) {
        throw refusalOf(error, exchange);
      }
    }

    /** Runs the method. Never rejects, so that what the service rejects with is its own. */
    async #run(exchange: HttpExchange, next: CallHandler): Promise<RouteOutcome> {
      let body: unknown;
      try {
        body = await lastValueFrom(next.handle(), { defaultValue: undefined });
      } catch (error) {
        return thrownOutcome(exchange, error, rules.headers);
      }
      const given = givenOutcome(exchange, body, rules.headers);
      try {
        return rules.toPlain ? { ...given, body: rules.toPlain(body) } : given;
      } catch (error) {
        // The work is done: it must not be done again because its result could not be shown.
        return { ...given, kind: 'spoilt', error };
      }
    }

    #encode(exchange: HttpExchange, outcome: RouteOutcome): string | undefined {
      if (!isKnown(outcome) || !rules.store(outcome.status)) return undefined;
      try {
        if (outcome.kind === 'spoilt') throw outcome.error;
        return encodeResponse(outcome, exchange);
      } catch (error) {
        this.#warn((error as Error).message);
        throw error;
      }
    }

    #warn(advice: string): void {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      new Logger('ValkeyModule').warn(
        `@Idempotent() on ${rules.place} cannot give a response again, and answers repetitions with 409: ${advice}`,
      );
    }
  }

  return mixin(IdempotentInterceptor);
}

/** The rules that hold for a route: a method's own stand before its class's. */
function rulesFor(context: ExecutionContext): unknown {
  return Reflect.getMetadata(IDEMPOTENT, context.getHandler()) ?? Reflect.getMetadata(IDEMPOTENT, context.getClass());
}
