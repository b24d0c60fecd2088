import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext, FactoryProvider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { rateLimiterToken } from '../tokens.js';
import { ApplicationLimits } from './application-limits.js';

/** Before the handler it stands on. */
@Injectable()
export class MethodRateLimitGuard implements CanActivate {
  readonly #limits: ApplicationLimits;

  constructor(@Inject(ApplicationLimits) limits: ApplicationLimits) {
    this.#limits = limits;
  }

  canActivate(context: ExecutionContext): true | Promise<true> {
    return this.#limits.pass(context, 'method');
  }
}

/** Before the handlers of the class it stands on that have no rules of their own. */
@Injectable()
export class ClassRateLimitGuard implements CanActivate {
  readonly #limits: ApplicationLimits;

  constructor(@Inject(ApplicationLimits) limits: ApplicationLimits) {
    this.#limits = limits;
  }

  canActivate(context: ExecutionContext): true | Promise<true> {
    return this.#limits.pass(context, 'class');
  }
}

/** Before all handlers that have no rules, nor has their class. */
export class DefaultRateLimitGuard implements CanActivate {
  readonly #limits: ApplicationLimits;

  constructor(limits: ApplicationLimits) {
    this.#limits = limits;
  }

  canActivate(context: ExecutionContext): true | Promise<true> {
    return this.#limits.pass(context, 'default');
  }
}

/** Registers the guard of the default, if this client's registration has one: otherwise no handler waits for it. */
export function defaultGuard(client: string): FactoryProvider<DefaultRateLimitGuard | undefined> {
  return {
    provide: APP_GUARD,
    inject: [ApplicationLimits, rateLimiterToken(client)],
    useFactory: (limits: ApplicationLimits) =>
      limits.hasDefault(client) ? new DefaultRateLimitGuard(limits) : undefined,
  };
}
