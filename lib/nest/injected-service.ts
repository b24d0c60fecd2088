import { Inject } from '@nestjs/common';
import type { Type } from '@nestjs/common';

const PROPERTIES = new Map<unknown, symbol>();

/**
 * Has a service injected into each instance of a class, and finds it there. An instance that was made with `new` has
 * none.
 */
export function injectService<T>(target: object, token: symbol | Type<T>): (self: unknown) => T | undefined {
  const property = propertyOf(token);
  Inject(token)(target, property);
  return (self) => (self as Partial<Record<symbol, T>> | null | undefined)?.[property];
}

function propertyOf(token: symbol | Type): symbol {
  let property = PROPERTIES.get(token);
  if (!property) {
    property = Symbol(typeof token === 'symbol' ? token.description : token.name);
    PROPERTIES.set(token, property);
  }
  return property;
}
