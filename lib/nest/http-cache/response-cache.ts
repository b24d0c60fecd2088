import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { CacheService } from '../../features/cache/cache-service.js';
import type { Cache } from '../../features/cache/cache.js';
import type { LoadOptions } from '../../features/cache/load-options.js';
import { isNoRefusal } from '../../features/cache/plan.js';
import { fixedOptions } from '../cache/method-options.js';
import { headerNames } from '../http/http-exchange.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { demandOf } from './cache-control.js';
import { CREDENTIALS } from './http-cache-options.js';
import type { HttpCacheRules } from './http-cache-options.js';
import { isOwned, isPersonal, ownerOf, requestKey } from './request-key.js';
import type { Owner } from './request-key.js';
import { ageOf, isStoredResponse, judge, replay } from './stored-response.js';
import type { Judgement, StoredResponse } from './stored-response.js';

const DEFAULT_CACHE = 'http';
const PERSONAL = headerNames(CREDENTIALS);
/** Longer than any request. */
const NEVER = 2 ** 31 - 1;
/** Milliseconds for which nobody waits for a response that was not for others the last time. */
const REMEMBERED = 10_000;

/** A request that may be answered by another's response. */
interface Asked {
  readonly exchange: HttpExchange;
  readonly run: () => Promise<unknown>;
  readonly owner: Owner;
  readonly key: string;
}

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

/** The responses of one route in one application. */
export class ResponseCache {
  readonly #rules: HttpCacheRules;
  /** See {@link routeName}. */
  readonly #route: string;
  readonly #cache: Cache;
  readonly #options: LoadOptions<StoredResponse>;
  readonly #refreshing: LoadOptions<StoredResponse>;
  readonly #notForOthers = new LRUCache<string, true>({ max: 1_000, ttl: REMEMBERED });
  #hasWarned = false;

  constructor(rules: HttpCacheRules, route: string, caches: CacheService) {
    this.#rules = rules;
    this.#route = route;
    this.#cache = caches.cache(rules.cache ?? DEFAULT_CACHE);
    this.#options = loadOptionsOf(rules);
    this.#refreshing = { ...this.#options, mode: 'refresh' };
  }

  /** What is to be sent, or a promise of it; `run` runs the method. */
  respond(exchange: HttpExchange, run: () => Promise<unknown>): unknown {
    const demand = demandOf(exchange.header('cache-control'), exchange.header('pragma'));
    const owner = ownerOf(this.#rules, exchange.request);
    if (isPersonal(exchange, this.#rules, owner)) return personal(exchange, run);
    if (demand.isBypass) return run();
    const key = requestKey(exchange, this.#route, this.#rules, owner);
    const near = demand.oldest === Infinity ? this.#cache.nearValue(key) : undefined;
    if (isStoredResponse(near)) return this.#replay(exchange, near, owner, true);
    return this.#ask({ exchange, run, owner, key }, demand.oldest);
  }

  async #ask(asked: Asked, oldest: number): Promise<unknown> {
    const { exchange, run, owner, key } = asked;
    let own: Promise<Answer> | undefined;
    const answer = (): Promise<Answer> => (own ??= this.#answer(exchange, run, key));
    // To wait for another's response that is not for others either would only take longer.
    if (this.#notForOthers.has(key)) return this.#deliver(exchange, await answer(), owner);
    try {
      let stored = await this.#obtain(exchange, key, answer, oldest <= 0);
      const isTooOld = !own && ageOf(stored) > oldest * 1000;
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
    const { tags } = this.#rules;
    const parts = typeof tags === 'function' ? () => ({ tags: () => tags(request) }) : undefined;
    const stored = await this.#cache.obtain(key, load, isRefresh ? this.#refreshing : this.#options, parts);
    if (isStoredResponse(stored)) return stored;
    return this.#cache.obtain(key, load, this.#refreshing, parts);
  }

  /** Runs the method and looks at what it did. Never rejects. */
  async #answer(exchange: HttpExchange, run: () => Promise<unknown>, key: string): Promise<Answer> {
    try {
      const varyBefore = exchange.sent('vary');
      const made = judge(exchange, await run(), this.#rules, varyBefore);
      if (made.kind === 'stored') this.#notForOthers.delete(key);
      else this.#notForOthers.set(key, true);
      return made;
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  #replay(exchange: HttpExchange, stored: StoredResponse, owner: Owner, isHit: boolean): unknown {
    if (isHit) exchange.send('Age', String(Math.floor(ageOf(stored) / 1000)));
    return replay(exchange, stored, this.#rules, isOwned(exchange, this.#rules, owner));
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
    new Logger('ValkeyModule').warn(`@HttpCache() on ${this.#rules.place} does not store a response: ${advice}`);
  }
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
  exchange.sendVary(PERSONAL);
  if (exchange.sent('cache-control') === undefined) exchange.send('Cache-Control', 'private, no-cache');
  return body;
}
