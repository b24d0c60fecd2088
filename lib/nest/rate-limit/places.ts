import type { ModulesContainer } from '@nestjs/core';
import type { Limit, LimitPreset } from '../../options/limit-options.js';
import { Problems } from '../../options/problem.js';
import type { Constructor } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import { rateLimiterToken } from '../tokens.js';
import { handlerKind, hasHandlers, methodsOf } from '../handlers.js';
import { checkLimits } from './rate-limit-rules.js';
import { levelOf } from './rule.js';
import type { Level, Rule } from './rule.js';

/**
 * Looks at every decorated class and method of an application, before anything is opened: what would do nothing, or could
 * not be decided, fails the start.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkPlaces(container: ModulesContainer, presets: Readonly<Record<LimitPreset, Limit>>): void {
  const problems = new Problems('The rate limits of this application are wrong:');
  const rules = new Set<Rule>();
  for (const target of classesOf(container)) {
    for (const rule of rulesOfClass(target, problems)) rules.add(rule);
    for (const rule of rulesOfMethods(target, problems)) rules.add(rule);
  }
  const owners = new Map<string, Rule>();
  for (const rule of rules) {
    checkLimits(rule, problems, presets);
    if (!isRegistered(rule.client, container)) {
      problems.add(
        rule.place,
        `is limited by the client "${rule.client}", which is not there: register it with ValkeyModule.forRoot({ name }), or name another in client.`,
      );
    }
    const owner = owners.get(rule.name);
    if (!rule.isNamed && owner && !owner.isNamed) {
      problems.add(rule.place, 'has the name of another rate limit, and would share its counters: give it a name.');
    }
    owners.set(rule.name, rule);
  }
  problems.throwIfAny();
}

function classesOf(container: ModulesContainer): ReadonlySet<Constructor> {
  const classes = new Set<Constructor>();
  for (const { controllers, providers } of container.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (isFunction(metatype)) classes.add(metatype);
    }
  }
  return classes;
}

function rulesOfClass(target: Constructor, problems: Problems): readonly Rule[] {
  const level = levelOf(target);
  if (!level) return [];
  checkNotBoth(level, target.name, problems);
  if (!hasHandlers(target)) {
    const decorator = level.isSkipped ? '@SkipRateLimit()' : '@RateLimit()';
    problems.add(
      target.name,
      `is neither a controller, a gateway nor a resolver, so ${decorator} on the class does nothing: put it on its methods.`,
    );
  }
  return level.rules;
}

function rulesOfMethods(target: Constructor, problems: Problems): readonly Rule[] {
  return methodsOf(target).flatMap(({ name, method }) => {
    const level = levelOf(method);
    if (!level) return [];
    const place = `${target.name}.${name}`;
    checkNotBoth(level, place, problems);
    const kind = handlerKind(method);
    if (level.isSkipped && !kind) {
      problems.add(
        place,
        'is no handler, so @SkipRateLimit() does nothing: nothing but its own @RateLimit() limits it.',
      );
    }
    for (const { by } of level.rules) {
      if (kind !== undefined || by === undefined || by === 'global' || isFunction(by)) continue;
      const shown = typeof by === 'string' ? `'${by}'` : `header ${by.header}`;
      problems.add(
        place,
        `is no handler and has no request, so it cannot be limited by ${shown}: give a function of its arguments, or by: 'global'.`,
      );
    }
    return level.rules;
  });
}

function checkNotBoth({ rules, isSkipped }: Level, place: string, problems: Problems): void {
  if (isSkipped && rules.length > 0)
    problems.add(place, 'has @RateLimit() and @SkipRateLimit(): take one of them away.');
}

function isRegistered(client: string, container: ModulesContainer): boolean {
  const token = rateLimiterToken(client);
  return [...container.values()].some(({ providers }) => providers.has(token));
}
