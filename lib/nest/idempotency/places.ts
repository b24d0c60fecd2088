import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { Problems } from '../../options/problem.js';
import type { Callable, Constructor } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import { isSelfAnswering } from '../http/self-answering.js';
import { handlerKind, methodsOf, requestMethodOf } from '../handlers.js';
import { IDEMPOTENT } from './idempotent-interceptor.js';
import type { IdempotentRules } from './idempotent-options.js';

/** What Nest writes on controllers. */
const CONTROLLER = '__controller__';

const INSTEAD = 'inject the IdempotencyService and call run(key, payload, work) there.';

/**
 * Looks where `@Idempotent()` stands in an application, before anything is opened: where it would do nothing, or could give no
 * response again, the start fails.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function checkIdempotentPlaces(container: ModulesContainer): void {
  const problems = new Problems('@Idempotent() cannot work everywhere it stands in this application:');
  for (const { controllers, providers } of container.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (isFunction(metatype)) checkClass(metatype, problems);
    }
  }
  problems.throwIfAny();
}

function checkClass(target: Constructor, problems: Problems): void {
  const ofClass = rulesOn(target);
  const isController = Reflect.getMetadata(CONTROLLER, target) !== undefined;
  if (ofClass && !isController) problems.add(target.name, `is no controller: ${INSTEAD}`);
  for (const { name, method } of methodsOf(target)) {
    const own = rulesOn(method);
    const rules = own ?? (isController ? ofClass : undefined);
    if (rules) checkMethod(target, name, method, rules, own !== undefined, problems);
  }
}

function checkMethod(
  target: Constructor,
  name: string,
  method: Callable,
  { methods }: IdempotentRules,
  isOwn: boolean,
  problems: Problems,
): void {
  const place = `${target.name}.${name}`;
  const kind = handlerKind(method);
  if (kind === undefined && !isOwn) return;
  if (kind !== 'http') {
    problems.add(place, `is no HTTP route${kind ? ` (it is called by ${KINDS[kind]})` : ''}: ${INSTEAD}`);
    return;
  }
  const verb = RequestMethod[requestMethodOf(method) as RequestMethod];
  if (verb !== 'ALL' && !methods.includes(verb)) {
    if (isOwn) problems.add(place, `is a ${verb} route, and methods has ${methods.join(', ')}: it would do nothing.`);
  } else if (isSelfAnswering(target, name, method)) {
    problems.add(
      place,
      'writes its response by itself (@Res() or @Next() without passthrough, @Sse(), @Redirect(), @Render()), so that it cannot be given again: return it.',
    );
  }
}

const KINDS = { graphql: 'GraphQL', ws: 'WebSocket messages', rpc: 'messages' } as const;

function rulesOn(target: object): IdempotentRules | undefined {
  return Reflect.getMetadata(IDEMPOTENT, target) as IdempotentRules | undefined;
}
