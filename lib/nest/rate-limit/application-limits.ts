import { Global, Inject, Injectable, Module } from '@nestjs/common';
import type { ExecutionContext, OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors.js';
import type { RateLimiter } from '../../features/rate-limit/rate-limiter.js';
import type { Callable, Constructor } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import { admit } from './admission.js';
import { BoundRule } from './bound-rule.js';
import type { ClientLimits } from './bound-rule.js';
import { handlerKind, methodsOf } from '../handlers.js';
import type { HandlerKind } from '../handlers.js';
import type { LimitSettings } from './module-options.js';
import { checkPlaces } from './places.js';
import { requestOf } from './request.js';
import { levelOf } from './rule.js';
import type { Level, Rule } from './rule.js';

/** Where instances have what decides their limits. */
export const LIMITS = Symbol('rate limits of the application');

/** Where the rules of a handler stand: the nearest count, and nothing else. */
export type Nearness = 'method' | 'class' | 'default';

/** What holds for a handler. */
interface Holding {
  readonly nearness: Nearness;
  readonly kind: HandlerKind;
  readonly rules: readonly BoundRule[];
}

/** What the decorators of one application are decided with. */
@Injectable()
export class ApplicationLimits implements OnModuleInit {
  readonly #host: HttpAdapterHost;
  readonly #container: ModulesContainer;
  readonly #settings = new Map<string, LimitSettings>();
  readonly #clients = new Map<string, ClientLimits>();
  readonly #handlers = new WeakMap<object, WeakMap<object, Holding | false>>();
  readonly #methods = new WeakMap<Level, readonly BoundRule[]>();
  #fallback: Rule | undefined;
  #request: LimitSettings['request'];

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost, @Inject(ModulesContainer) container: ModulesContainer) {
    this.#host = host;
    this.#container = container;
  }

  /**
   * Takes the settings of a client that is about to be opened. With the first of them, looks where decorators stand.
   *
   * @throws ConfigurationError for a decorator that would do nothing, or could not be decided
   */
  prepare(client: string, settings: LimitSettings): void {
    if (this.#settings.size === 0) checkPlaces(this.#container, settings.presets);
    this.#settings.set(client, settings);
    const { fallback, request } = settings;
    if (fallback && this.#fallback)
      throw twice(client, 'what handlers without a decorator admit: leave limits and preset');
    if (request && this.#request) throw twice(client, 'where requests are found: leave request');
    this.#fallback ??= fallback;
    this.#request ??= request;
  }

  /** Takes the limiter of a client. */
  add(client: string, limiter: RateLimiter): void {
    const settings = this.#settings.get(client);
    if (settings) this.#clients.set(client, { ...settings, limiter });
  }

  /** What Nest did not make itself it injects nothing into. */
  onModuleInit(): void {
    for (const { providers } of this.#container.values()) {
      for (const { isNotMetatype, instance } of providers.values()) {
        if (isNotMetatype && isLimited(instance)) giveLimits(instance, this);
      }
    }
  }

  /** Whether this client's registration says what holds for handlers without a decorator. */
  hasDefault(client: string): boolean {
    return this.#fallback?.client === client;
  }

  /** Decides on a call of a handler, unless a nearer guard does. */
  pass(context: ExecutionContext, nearness: Nearness): true | Promise<true> {
    const holding = this.#holding(context.getHandler() as Callable, context.getClass());
    if (!holding || holding.nearness !== nearness) return true;
    const { rules, kind } = holding;
    return this.#admit(rules, kind, context);
  }

  /** Decides on a call of a plain method. Rejects with what is to be thrown. */
  async call(level: Level, self: unknown, args: readonly unknown[]): Promise<void> {
    let rules = this.#methods.get(level);
    if (!rules) this.#methods.set(level, (rules = this.#bind(level.rules)));
    await admit(rules, { kind: 'method', self, args, request: undefined });
  }

  async #admit(rules: readonly BoundRule[], kind: HandlerKind, context: ExecutionContext): Promise<true> {
    const { request, seen } = requestOf(context, kind, this.#request);
    const exchange =
      kind === 'http' ? { adapter: this.#host.httpAdapter, response: context.getArgByIndex<unknown>(1) } : undefined;
    await admit(rules, { kind, self: undefined, args: [seen, context], request }, exchange);
    return true;
  }

  #holding(handler: Callable, owner: Constructor): Holding | undefined {
    let owners = this.#handlers.get(handler);
    if (!owners) this.#handlers.set(handler, (owners = new WeakMap()));
    let holding = owners.get(owner);
    if (holding === undefined) owners.set(owner, (holding = this.#find(handler, owner) ?? false));
    return holding || undefined;
  }

  #find(handler: Callable, owner: Constructor): Holding | undefined {
    const kind = handlerKind(handler);
    if (!kind) return undefined;
    const own = levelOf(handler);
    const level = own ?? levelOf(owner);
    if (level) return { kind, nearness: own ? 'method' : 'class', rules: this.#bind(level.rules) };
    return this.#fallback && { kind, nearness: 'default', rules: this.#bind([this.#fallback]) };
  }

  #bind(rules: readonly Rule[]): readonly BoundRule[] {
    return rules.map((rule) => {
      const client = this.#clients.get(rule.client);
      if (client) return new BoundRule(rule, client, rules.length > 1);
      throw new ConfigurationError(
        `The rate limit of ${rule.place} belongs to the client "${rule.client}", which is not there. Register it with ValkeyModule.forRoot({ name }), or name another in client.`,
        { subject: rule.place },
      );
    });
  }
}

/** Gives every registration of the module the same {@link ApplicationLimits}. */
@Global()
@Module({ providers: [ApplicationLimits], exports: [ApplicationLimits] })
export class ApplicationLimitsModule {}

function giveLimits(instance: object, limits: ApplicationLimits): void {
  Object.defineProperty(instance, LIMITS, { value: limits, configurable: true });
}

/** Whether methods of a provider have limits. */
function isLimited(instance: unknown): instance is object {
  if (typeof instance !== 'object' || instance === null || !isFunction(instance.constructor)) return false;
  return methodsOf(instance.constructor).some(({ method }) => levelOf(method) !== undefined);
}

function twice(client: string, what: string): ConfigurationError {
  return new ConfigurationError(
    `rateLimit of the client "${client}" says again ${what} out of one of the registrations.`,
    { subject: 'rateLimit' },
  );
}
