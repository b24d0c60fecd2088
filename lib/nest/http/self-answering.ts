import 'reflect-metadata';
import type { Callable, Constructor } from '../decorated-method.js';

/** What of Nest's decorators says that a method's result is not the response. Their names are the same since Nest 8. */
const ANSWERS_OTHERWISE = ['__sse__', '__redirect__', '__renderTemplate__'];
/** Where they write a method's parameters, and that it has the response but does not write it. */
export const PARAMETERS = '__routeArguments__';
export const PASSTHROUGH = '__responsePassthrough__';
/** Numbers of `@Res()` and `@Next()` among the kinds of parameters. */
const RESPONSE_OR_NEXT = /^[12]:/;

/** Whether what a method gives is not the response. */
export function isSelfAnswering(controller: Constructor, method: string, handler: Callable): boolean {
  return (
    ANSWERS_OTHERWISE.some((key) => Reflect.getMetadata(key, handler) !== undefined) || writesItself(controller, method)
  );
}

function writesItself(controller: Constructor, method: string): boolean {
  const parameters = Object(Reflect.getMetadata(PARAMETERS, controller, method)) as object;
  if (!Object.keys(parameters).some((key) => RESPONSE_OR_NEXT.test(key))) return false;
  return Reflect.getMetadata(PASSTHROUGH, controller, method) !== true;
}
