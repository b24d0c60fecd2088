import 'reflect-metadata';
import { Req, Res } from '@nestjs/common';
import type { Callable, Constructor } from '../decorated-method.js';
import { PARAMETERS, PASSTHROUGH } from './self-answering.js';

/** Where TypeScript writes the types of a method's parameters. */
const TYPES = 'design:paramtypes';

/** A parameter as Nest's decorators write it. */
interface Parameter {
  readonly index: number;
}
type Parameters = Readonly<Record<string, Parameter>>;

/** Parameters of ours. Classes inherit what is written of a method's parameters, also for methods of their own. */
const ours = new WeakSet<Parameter>();
/** What was written of the response, by class and method, where ours stands now. */
const passthroughs = new WeakMap<Constructor, Map<string, unknown>>();

/**
 * Puts `wrapper` in place of a controller's method, and has Nest hand it the framework's request and response: behind the
 * method's own arguments, so that nothing between Nest and the method is needed to get at them. Nest must not have looked
 * at the controller yet, and nothing of ours be inherited, see {@link disinherit}.
 *
 * @param count how many arguments the method has of its own, see {@link ownParameters}
 */
export function takeRoute(controller: Constructor, name: string, wrapper: Callable, count: number): void {
  const prototype = controller.prototype as object;
  const before = parametersHost(controller, name);
  const parameters = parametersOf(before, name);
  const passthrough: unknown = Reflect.getMetadata(PASSTHROUGH, before, name);
  const types: unknown = Reflect.getMetadata(TYPES, before.prototype as object, name);
  Object.defineProperty(prototype, name, { value: wrapper, configurable: true, writable: true });
  // The wrapper may have Nest look elsewhere: a method that a mixin had copied is now the class's own.
  const host = parametersHost(controller, name);
  if (types !== undefined) Reflect.defineMetadata(TYPES, types, host.prototype as object, name);
  Reflect.defineMetadata(PARAMETERS, parameters, host, name);
  remember(host, name, passthrough);
  const target = { constructor: host };
  Req()(target, name, count);
  Res({ passthrough: true })(target, name, count + 1);
  for (const [key, parameter] of Object.entries(parametersOf(host, name)))
    if (!(key in parameters)) ours.add(parameter);
}

/** Leaves a class what its own decorators and those of its parents have written of a method, without what is ours. */
export function disinherit(controller: Constructor, name: string): void {
  const host = parametersHost(controller, name);
  const parameters = Object.entries(parametersOf(host, name));
  const own = parameters.filter(([, parameter]) => !ours.has(parameter));
  if (own.length < parameters.length) Reflect.defineMetadata(PARAMETERS, Object.fromEntries(own), host, name);
  const passthrough = writtenPassthrough(host, name);
  if (Reflect.getMetadata(PASSTHROUGH, host, name) !== passthrough) {
    Reflect.defineMetadata(PASSTHROUGH, passthrough, host, name);
  }
}

/** How many arguments Nest gives a method, as it is decorated. */
export function ownParameters(controller: Constructor, name: string, method: Callable): number {
  const parameters = Object.values(parametersOf(parametersHost(controller, name), name));
  return Math.max(method.length, ...parameters.map(({ index }) => index + 1));
}

function parametersOf(host: Constructor, name: string): Parameters {
  return Object(Reflect.getMetadata(PARAMETERS, host, name)) as Parameters;
}

function remember(host: Constructor, name: string, passthrough: unknown): void {
  const known = passthroughs.get(host) ?? new Map<string, unknown>();
  passthroughs.set(host, known.set(name, passthrough));
}

function writtenPassthrough(host: Constructor, name: string): unknown {
  for (let each: unknown = host; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    const known = passthroughs.get(each as Constructor);
    if (known?.has(name)) return known.get(name);
    if (Reflect.hasOwnMetadata(PASSTHROUGH, each, name)) return Reflect.getOwnMetadata(PASSTHROUGH, each, name);
  }
  return undefined;
}

/** The class on which Nest looks for the parameters of a method: its prototype's, unless a mixin has left another there. */
function parametersHost(controller: Constructor, name: string): Constructor {
  const prototype = controller.prototype as { readonly constructor: Constructor } & Readonly<Record<string, unknown>>;
  const written = prototype.constructor.prototype as Readonly<Record<string, unknown>> | undefined;
  return written?.[name] === prototype[name] ? prototype.constructor : controller;
}
