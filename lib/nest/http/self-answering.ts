import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';

/** What of Nest's decorators says that a method's result is not the response. Their names are the same since Nest 8. */
const ANSWERS_OTHERWISE = ['__sse__', '__redirect__', '__renderTemplate__'];
const PARAMETERS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
const VERSION = '__version__';
/** Numbers of `@Res()` and `@Next()` among the kinds of parameters. */
const RESPONSE_OR_NEXT = /^[12]:/;

/** What does not change from one request of a route to the next. */
export interface Route {
  /**
   * Tells it from other routes that may have the same path: of another version, or of HEAD alone. Quoted: what follows
   * it in a key cannot be taken for a part of it.
   */
  readonly name: string;
  /** It streams events, redirects, renders, or has `@Res()` and writes by itself. */
  readonly isSelfAnswering: boolean;
}

/** Looks at the route of a request. */
export function routeOf(context: ExecutionContext): Route {
  const controller = context.getClass();
  const handler = context.getHandler();
  const method = methodName(controller.prototype as object, handler);
  const version: unknown = Reflect.getMetadata(VERSION, handler) ?? Reflect.getMetadata(VERSION, controller);
  const versions = [version ?? []].flat().map(String).join();
  return {
    name: JSON.stringify(`${controller.name}.${method}${versions && `@${versions}`}`),
    isSelfAnswering: isSelfAnswering(controller, method, handler),
  };
}

/** Whether what a method gives is not the response. */
export function isSelfAnswering(controller: object, method: string, handler: object): boolean {
  return (
    ANSWERS_OTHERWISE.some((key) => Reflect.getMetadata(key, handler) !== undefined) || writesItself(controller, method)
  );
}

function writesItself(controller: object, method: string): boolean {
  const parameters = Object(Reflect.getMetadata(PARAMETERS, controller, method)) as object;
  if (!Object.keys(parameters).some((key) => RESPONSE_OR_NEXT.test(key))) return false;
  return Reflect.getMetadata(PASSTHROUGH, controller, method) !== true;
}

/** The name under which Nest knows a method; a decorator may have put a function of another name there. */
function methodName(prototype: object, handler: unknown): string {
  for (let owner: object | null = prototype; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (value === handler) return name;
    }
  }
  return (handler as { readonly name: string }).name;
}
