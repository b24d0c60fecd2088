import { Inject, Logger, mixin } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { LRUCache } from 'lru-cache';
import { lastValueFrom, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { CacheService } from '../../features/cache/cache-service.js';
import type { Cache } from '../../features/cache/cache.js';
import type { LoadOptions } from '../../features/cache/load-options.js';
import { isNoRefusal } from '../../features/cache/plan.js';
import { fixedOptions } from '../cache/method-options.js';
import { cacheServiceToken } from '../tokens.js';
import { demandOf } from './cache-control.js';
import { HttpExchange } from '../http/http-exchange.js';
import type { HttpCacheRules } from './http-cache-options.js';
import { CREDENTIALS, isOwned, isPersonal, ownerOf, requestKey } from './request-key.js';
import type { Owner } from './request-key.js';
import { routeOf } from '../http/self-answering.js';
import type { Route } from '../http/self-answering.js';
import { ageOf, isStoredResponse, judge, replay } from './stored-response.js';
import type { Judgement, StoredResponse } from './stored-response.js';

/** Where a decorator's rules stand: on the method, and else on the class. */
export const HTTP_CACHE = Symbol('nestjs-valkey:http-cache');
const DEFAULT_CACHE = 'http';
/** Longer than any request. */
const NEVER = 2 ** 31 - 1;
/** Milliseconds for which nobody waits for a response that was not for others the last time. */
const REMEMBERED = 10_000;

/** What a method did. */
type Answer = Judgement | { readonly kind: 'failed'; readonly error: unknown };

/** A request's own response, which no other may have. */
class NotForOthers extends Error {
  readonly answer: Exclude<Answer, { readonly kind: 'stored' }>;

  constructor(answer: Exclude<Answer, { readonly kind: 'stored' }>) {
    super('This response is for one request alone.');
    this.answer = answer;
  }
}

/** The interceptor of one `@HttpCache()`. */
export function httpCacheInterceptor(rules: HttpCacheRules): Type<NestInterceptor> {
  const options = loadOptionsOf(rules);
  const refreshing: LoadOptions<StoredResponse> = { ...options, mode: 'refresh' };

  class HttpCacheInterceptor implements NestInterceptor {
    readonly #host: HttpAdapterHost;
    readonly #cache: Cache;
    readonly #routes = new WeakMap<object, Map<object, Route | undefined>>();
    readonly #notForOthers = new LRUCache<string, true>({ max: 1_000, ttl: REMEMBERED });
    #hasWarned = false;

    constructor(
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
      @Inject(cacheServiceToken(rules.client)) caches: CacheService,
    ) {
      this.#host = host;
      this.#cache = caches.cache(rules.cache ?? DEFAULT_CACHE);
    }

    intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
      const route = context.getType() === 'http' ? this.#routeOf(context) : undefined;
      if (!route || route.isSelfAnswering) return next.handle();
      const exchange = new HttpExchange(this.#host.httpAdapter, context);
      const { method } = exchange;
      if (method !== 'GET' && method !== 'HEAD') return next.handle();
      return this.#respond(exchange, route, next).then((body) => of(body));
    }

    async #respond(exchange: HttpExchange, route: Route, next: CallHandler): Promise<unknown> {
      const run = (): Promise<unknown> => lastValueFrom(next.handle(), { defaultValue: undefined });
      const demand = demandOf(exchange.header('cache-control'), exchange.header('pragma'));
      const owner = ownerOf(rules, exchange.request);
      if (isPersonal(exchange, rules, owner)) return personal(exchange, run);
      if (demand.isBypass) return run();
      const key = requestKey(exchange, route.name, rules, owner);
      let own: Promise<Answer> | undefined;
      const answer = (): Promise<Answer> => (own ??= this.#answer(exchange, run, key));
      // To wait for another's response that is not for others either would only take longer.
      if (this.#notForOthers.has(key)) return this.#deliver(exchange, await answer(), owner);
      try {
        let stored = await this.#obtain(exchange, key, answer, demand.oldest <= 0);
        const isTooOld = !own && ageOf(stored) > demand.oldest * 1000;
        if (isTooOld) stored = await this.#obtain(exchange, key, answer, true);
        return this.#replay(exchange, stored, owner, own === undefined);
      } catch (error) {
        // Whatever happens to the others, or to the store: this request gets what its own method says.
        if (!(error instanceof NotForOthers)) this.#cache.failed(error);
      }
      return this.#deliver(exchange, await answer(), owner);
    }

    async #obtain(
      { request }: HttpExchange,
      key: string,
      answer: () => Promise<Answer>,
      isRefresh: boolean,
    ): Promise<StoredResponse> {
      const load = async (): Promise<StoredResponse> => {
        const made = await answer();
        if (made.kind !== 'stored') throw new NotForOthers(made);
        return made.response;
      };
      const { tags } = rules;
      const parts = typeof tags === 'function' ? () => ({ tags: () => tags(request) }) : undefined;
      const stored = await this.#cache.obtain(key, load, isRefresh ? refreshing : options, parts);
      if (isStoredResponse(stored)) return stored;
      return this.#cache.obtain(key, load, refreshing, parts);
    }

    /** Runs the method and looks at what it did. Never rejects. */
    async #answer(exchange: HttpExchange, run: () => Promise<unknown>, key: string): Promise<Answer> {
      try {
        const varyBefore = exchange.sent('vary');
        const made = judge(exchange, await run(), rules, varyBefore);
        if (made.kind === 'stored') this.#notForOthers.delete(key);
        else this.#notForOthers.set(key, true);
        return made;
      } catch (error) {
        return { kind: 'failed', error };
      }
    }

    #replay(exchange: HttpExchange, stored: StoredResponse, owner: Owner, isHit: boolean): unknown {
      if (isHit) exchange.send('Age', String(Math.floor(ageOf(stored) / 1000)));
      return replay(exchange, stored, rules, isOwned(exchange, rules, owner));
    }

    #deliver(exchange: HttpExchange, made: Answer, owner: Owner): unknown {
      if (made.kind === 'failed') throw made.error;
      if (made.kind === 'stored') return this.#replay(exchange, made.response, owner, false);
      if (made.advice !== undefined) this.#warn(made.advice);
      return made.body;
    }

    #warn(advice: string): void {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      new Logger('ValkeyModule').warn(`@HttpCache() on ${rules.place} does not store a response: ${advice}`);
    }

    /** The route of a request; `undefined` where other rules hold. */
    #routeOf(context: ExecutionContext): Route | undefined {
      const controller = context.getClass();
      const handler = context.getHandler();
      let routes = this.#routes.get(controller);
      if (!routes) this.#routes.set(controller, (routes = new Map<object, Route | undefined>()));
      if (!routes.has(handler)) routes.set(handler, rulesFor(context) === rules ? routeOf(context) : undefined);
      return routes.get(handler);
    }
  }

  return mixin(HttpCacheInterceptor);
}

/** The rules that hold for a route: a method's own stand before its class's. */
function rulesFor(context: ExecutionContext): unknown {
  return Reflect.getMetadata(HTTP_CACHE, context.getHandler()) ?? Reflect.getMetadata(HTTP_CACHE, context.getClass());
}

/** Always the same object, which the cache knows again. */
function loadOptionsOf(rules: HttpCacheRules): LoadOptions<StoredResponse> {
  const { ttl: _ttl, ...fixed } = fixedOptions(rules);
  return {
    ...(fixed as LoadOptions<StoredResponse>),
    ttl: (response) => response.ttl,
    // A method belongs to its request: it cannot run before there is one, nor after it has been answered.
    refreshAhead: 0,
    softTimeout: NEVER,
    staleOn: (error) =>
      error instanceof NotForOthers && error.answer.kind === 'failed' && isNoRefusal(error.answer.error),
  };
}

/** Not from the cache, nor into it: neither into caches on the way. */
async function personal(exchange: HttpExchange, run: () => Promise<unknown>): Promise<unknown> {
  const body = await run();
  if (exchange.isSent) return body;
  exchange.sendVary(CREDENTIALS);
  if (exchange.sent('cache-control') === undefined) exchange.send('Cache-Control', 'private, no-cache');
  return body;
}
