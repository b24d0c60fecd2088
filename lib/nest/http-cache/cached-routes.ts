import 'reflect-metadata';
import { Module, RequestMethod } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { ConfigurationError } from '../../core/errors.js';
import type { CacheService } from '../../features/cache/cache-service.js';
import { disguise, isFunction } from '../decorated-method.js';
import type { Callable, Constructor } from '../decorated-method.js';
import { handlerKind, methodsOf, requestMethodOf } from '../handlers.js';
import { HttpExchange } from '../http/http-exchange.js';
import type { AnyRequest } from '../http/http-exchange.js';
import { disinherit, ownParameters, takeRoute } from '../http/exchange-parameters.js';
import { isSelfAnswering } from '../http/self-answering.js';
import type { HttpCacheRules } from './http-cache-options.js';
import { ResponseCache } from './response-cache.js';

/** Where a decorator's rules stand: on the method, and else on the class. */
export const HTTP_CACHE = Symbol('nestjs-valkey:http-cache');

/** What a decorator says. */
export interface HttpCaching {
  readonly rules: HttpCacheRules;
  /** Of an instance of the class; `undefined` where it was not made by Nest. */
  readonly cachesOf: (self: unknown) => CacheService | undefined;
  readonly hostOf: (self: unknown) => HttpAdapterHost | undefined;
}

/** What stands in place of a route's method. */
interface CachedRoute {
  readonly controller: Constructor;
  readonly method: Callable;
  /** How many arguments the method has of its own. */
  readonly count: number;
}

/** Methods whose responses may be kept. */
const METHODS = new Set<unknown>([RequestMethod.GET, RequestMethod.HEAD, RequestMethod.ALL]);
/** What Nest writes on controllers and routes. */
const VERSION = '__version__';
const INJECTED = 'self:properties_metadata';

const cachedRoutes = new WeakMap<Callable, CachedRoute>();

/** Has no value: what counts is that it is made before Nest makes routes of the controllers, when all of them are known. */
const CACHED_ROUTES = Symbol('cached routes of the application');

/**
 * Stands before the routes of an application that have `@HttpCache()`: innermost, around the method alone. Nest's own
 * place for it, an interceptor, costs as much as a third of a bare route before it does anything.
 */
@Module({ providers: [{ provide: CACHED_ROUTES, inject: [ModulesContainer], useFactory: cacheRoutes }] })
export class CachedRoutesModule {}

function cacheRoutes(container: ModulesContainer): void {
  const controllers = new Set<Constructor>();
  for (const module of container.values()) {
    for (const { metatype } of module.controllers.values()) if (isFunction(metatype)) controllers.add(metatype);
  }
  // Parents first: from them is inherited what is not to be.
  for (const controller of [...controllers].toSorted((one, other) => depthOf(one) - depthOf(other))) {
    cacheRoutesOf(controller);
  }
}

function depthOf(controller: Constructor): number {
  let depth = 0;
  for (let each: unknown = controller; typeof each === 'function'; each = Object.getPrototypeOf(each)) depth += 1;
  return depth;
}

/** Once for each class, however many applications use it. */
function cacheRoutesOf(controller: Constructor): void {
  for (const { name, method: present } of methodsOf(controller)) {
    const known = cachedRoutes.get(present);
    if (known?.controller === controller) continue;
    disinherit(controller, name);
    const caching = cachingOf(present, controller);
    if (!caching || !isCacheable(controller, name, present)) continue;
    checkInjected(controller, name);
    // A class inherits what stands before a route of its parent, but has rules and a name of its own.
    const { method, count } = known ?? { method: present, count: ownParameters(controller, name, present) };
    const wrapper = cached(caching, routeName(controller, name, method), method, count);
    disguise(wrapper, method);
    cachedRoutes.set(wrapper, { controller, method, count });
    takeRoute(controller, name, wrapper, count);
  }
}

/**
 * A mixin copies methods, and not what is injected for them.
 *
 * @throws ConfigurationError where a route would never be cached
 */
function checkInjected(controller: Constructor, name: string): void {
  const injected = Reflect.getMetadata(INJECTED, controller) as readonly { readonly type: unknown }[] | undefined;
  if (injected?.some(({ type }) => type === HttpAdapterHost)) return;
  const place = `${controller.name}.${name}`;
  throw new ConfigurationError(
    `${place} has @HttpCache(), but was copied there from another class, so that Nest injects no cache. Let ${controller.name} extend that class, or put @HttpCache() on ${controller.name}.`,
    { subject: place },
  );
}

/** The rules that hold for a route: a method's own stand before its class's. */
function cachingOf(method: Callable, controller: Constructor): HttpCaching | undefined {
  return (Reflect.getMetadata(HTTP_CACHE, method) ?? Reflect.getMetadata(HTTP_CACHE, controller)) as
    HttpCaching | undefined;
}

function isCacheable(controller: Constructor, name: string, method: Callable): boolean {
  if (handlerKind(method) !== 'http' || !METHODS.has(requestMethodOf(method))) return false;
  return !isSelfAnswering(controller, name, method);
}

/**
 * Tells a route from others that may have the same path: of another version, or of HEAD alone. Quoted: what follows it in a
 * key cannot be taken for a part of it.
 */
function routeName(controller: Constructor, name: string, method: Callable): string {
  const version: unknown = Reflect.getMetadata(VERSION, method) ?? Reflect.getMetadata(VERSION, controller);
  const versions = [version ?? []].flat().map(String).join();
  return JSON.stringify(`${controller.name}.${name}${versions && `@${versions}`}`);
}

function cached({ rules, cachesOf, hostOf }: HttpCaching, route: string, method: Callable, count: number): Callable {
  const applications = new WeakMap<CacheService, ResponseCache>();
  return function (this: unknown, ...args: readonly unknown[]): unknown {
    const request = args[count];
    const response = args[count + 1];
    const caches = cachesOf(this);
    const adapter = hostOf(this)?.httpAdapter;
    // Called by hand, or by something else than HTTP.
    if (!caches || !adapter || args.length !== count + 2 || !isExchange(request, response)) {
      return Reflect.apply(method, this, args);
    }
    const run = (): unknown => Reflect.apply(method, this, args.slice(0, count));
    const exchange = new HttpExchange(adapter, request, response);
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return run();
    let responses = applications.get(caches);
    if (!responses) applications.set(caches, (responses = new ResponseCache(rules, route, caches)));
    return responses.respond(exchange, () => settled(run()));
  };
}

/** Whether they are what a framework has made for each other. */
function isExchange(request: unknown, response: unknown): request is AnyRequest {
  if (typeof request !== 'object' || request === null || !('headers' in request)) return false;
  if (typeof response !== 'object' || response === null) return false;
  const { req, request: its = req } = response as { readonly req?: unknown; readonly request?: unknown };
  return its === undefined || its === request;
}

/** What a method gives in the end. */
async function settled(given: unknown): Promise<unknown> {
  const value = await given;
  return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
}
