import 'reflect-metadata';
import { Req, Res } from '@nestjs/common';
import type { Callable, Constructor } from '../decorated-method.js';

/** Where Nest's decorators write the parameters of methods, and TypeScript their types. The same since Nest 8. */
const PARAMETERS = '__routeArguments__';
const TYPES = 'design:paramtypes';

/**
 * Puts `wrapper` in place of a controller's method, and has Nest hand it the framework's request and response: behind the
 * method's own arguments, so that nothing between Nest and the method is needed to get at them. Nest must not have looked
 * at the controller yet.
 *
 * @param count how many arguments the method has of its own, see {@link ownParameters}
 */
export function takeRoute(controller: Constructor, name: string, wrapper: Callable, count: number): void {
  const prototype = controller.prototype as object;
  const before = parametersHost(controller, name);
  const parameters: unknown = Reflect.getMetadata(PARAMETERS, before, name);
  const types: unknown = Reflect.getMetadata(TYPES, before.prototype as object, name);
  Object.defineProperty(prototype, name, { value: wrapper, configurable: true, writable: true });
  // The wrapper may have Nest look elsewhere: a method that a mixin had copied is now the class's own.
  const host = parametersHost(controller, name);
  if (parameters !== undefined) Reflect.defineMetadata(PARAMETERS, parameters, host, name);
  if (types !== undefined) Reflect.defineMetadata(TYPES, types, host.prototype as object, name);
  const target = { constructor: host };
  Req()(target, name, count);
  Res({ passthrough: true })(target, name, count + 1);
}

/** How many arguments Nest gives a method, as it is decorated. */
export function ownParameters(controller: Constructor, name: string, method: Callable): number {
  const parameters = Object(Reflect.getMetadata(PARAMETERS, parametersHost(controller, name), name)) as Readonly<
    Record<string, { readonly index: number }>
  >;
  return Math.max(method.length, ...Object.values(parameters).map(({ index }) => index + 1));
}

/** The class on which Nest looks for the parameters of a method: its prototype's, unless a mixin has left another there. */
function parametersHost(controller: Constructor, name: string): Constructor {
  const prototype = controller.prototype as { readonly constructor: Constructor } & Readonly<Record<string, unknown>>;
  const written = prototype.constructor.prototype as Readonly<Record<string, unknown>> | undefined;
  return written?.[name] === prototype[name] ? prototype.constructor : controller;
}
