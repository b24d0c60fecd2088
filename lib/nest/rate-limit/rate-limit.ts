import 'reflect-metadata';
import { Inject, UseGuards } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { refuseStatic } from '../cache/decorator-checks.js';
import { decoratedMethod, isFunction, replaceMethod } from '../decorated-method.js';
import type { Callable, DecoratedMethod } from '../decorated-method.js';
import { ApplicationLimits, LIMITS } from './application-limits.js';
import { handlerKind } from '../handlers.js';
import { ClassRateLimitGuard, MethodRateLimitGuard } from './rate-limit-guard.js';
import type { RateLimitOptions, RateLimitRequest } from './rate-limit-options.js';
import { ruleOf } from './rate-limit-rules.js';
import type { Given } from './rate-limit-rules.js';
import { levelOf, ownLevelOf, writeLevel } from './rule.js';
import type { Level } from './rule.js';

const NOTHING: Level = { rules: [], isSkipped: false };

/**
 * Limits how often a handler (HTTP, GraphQL, WebSocket, RPC) or any other async method of a provider runs, over all
 * processes together. On a controller, gateway or resolver it holds for all its handlers together. Nearest wins: method,
 * class, `rateLimit.limits` of the module. Several on one method all have to admit.
 *
 * On HTTP a refusal is a 429 with `Retry-After`; elsewhere a RateLimitExceededError, unless `error` makes another of it.
 *
 * @example
 * ```ts
 * @Post()
 * @RateLimit({ limit: 20, window: '1m', by: (request) => request.user.tenantId })
 * create(@Body() order: CreateOrder): Promise<Order> {
 *   return this.orders.create(order);
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function RateLimit<A = RateLimitRequest, B = ExecutionContext, C = unknown, D = unknown>(
  options: RateLimitOptions<A, B, C, D>,
): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const given = options as unknown as Given;
    if (key === undefined) {
      const { name } = target as Callable;
      const { rules, isSkipped } = ownLevelOf(target) ?? NOTHING;
      const rule = ruleOf(given, name, numbered(name, rules.length));
      guardClass(target);
      writeLevel(target, { rules: [rule, ...rules], isSkipped });
      return;
    }
    const decorated = decoratedMethod('@RateLimit()', target, key, descriptor);
    refuseStatic('@RateLimit()', target, decorated);
    const { method, place } = decorated;
    const level = levelOf(method);
    const rule = ruleOf(given, place, numbered(place, level?.rules.length ?? 0));
    if (!level || level.rules.length === 0) limitMethod(target, key, descriptor, decorated);
    // The one of the wrapper, if there is one by now.
    const limited = (descriptor as PropertyDescriptor).value as Callable;
    writeLevel(limited, { rules: [rule, ...(level?.rules ?? [])], isSkipped: level?.isSkipped ?? false });
  };
}

/**
 * Lets a handler, or all of a controller, gateway or resolver, pass uncounted, whatever the class or the module say. A
 * `@RateLimit()` on a method counts all the same: the nearest wins.
 */
export function SkipRateLimit(): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const marked = key === undefined ? target : decoratedMethod('@SkipRateLimit()', target, key, descriptor).method;
    const level = (key === undefined ? ownLevelOf(marked) : levelOf(marked)) ?? NOTHING;
    writeLevel(marked, { ...level, isSkipped: true });
  };
}

/** The counters of several limits at one place are told apart by their number, from the lowest up. */
function numbered(name: string, before: number): string {
  return before === 0 ? name : `${name}.${before + 1}`;
}

/** One guard, also where a base class has it. */
function guardClass(target: object): void {
  if (!levelOf(target)?.rules.length) UseGuards(ClassRateLimitGuard)(target as Callable);
}

/** Puts a guard before what turns out to be a handler, and a wrapper around what does not. */
function limitMethod(
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
  { method }: DecoratedMethod,
): void {
  Inject(ApplicationLimits)(target, LIMITS);
  let plain: boolean | undefined;
  const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
    // Only now all decorators have spoken, those above this one too.
    plain ??= !isGuarded(target, key);
    const limits = plain ? limitsIn(this) : undefined;
    if (!limits) return Reflect.apply(method, this, args);
    const final: unknown = Reflect.get(target, key);
    const level = (isFunction(final) ? levelOf(final) : undefined) ?? levelOf(wrapper) ?? NOTHING;
    return limits.call(level, this, args).then((): unknown => Reflect.apply(method, this, args));
  };
  replaceMethod(descriptor, method, wrapper);
  UseGuards(MethodRateLimitGuard)(target, key, descriptor as PropertyDescriptor);
}

/** Whether Nest calls a method, and asks the guard before it. */
function isGuarded(target: object, key: string | symbol): boolean {
  const final: unknown = Reflect.get(target, key);
  return isFunction(final) && handlerKind(final) !== undefined && levelOf(final) !== undefined;
}

/** What Nest has injected; an instance made with `new` has nothing. */
function limitsIn(self: unknown): ApplicationLimits | undefined {
  return (self as { readonly [LIMITS]?: ApplicationLimits } | null | undefined)?.[LIMITS];
}
