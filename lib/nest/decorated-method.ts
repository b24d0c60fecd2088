import 'reflect-metadata';
import { ConfigurationError } from '../core/errors.js';

/** Any method. */
export type Callable = (...args: never[]) => unknown;
export type Constructor = Callable | (new (...args: never[]) => unknown);

/** A method that is being decorated. */
export interface DecoratedMethod {
  /** The class it is written in. */
  readonly owner: Constructor;
  /** `Class.method`, for messages. */
  readonly place: string;
  readonly method: Callable;
}

/**
 * What a decorator stands on.
 *
 * @throws ConfigurationError for what is no method
 */
export function decoratedMethod(
  decorator: string,
  target: object,
  key: string | symbol,
  descriptor: PropertyDescriptor | undefined,
): DecoratedMethod {
  const owner = classOf(target);
  const place = `${owner.name}.${String(key)}`;
  const method: unknown = descriptor?.value;
  if (isFunction(method)) return { owner, place, method };
  throw new ConfigurationError(`${decorator} stands on ${place}, which is no method. Put it on an async method.`, {
    subject: place,
  });
}

/** Makes `wrapper` pass for `method`: what other decorators have written on it and are going to look for. */
export function disguise(wrapper: Callable, method: Callable): void {
  for (const property of ['name', 'length'] as const) {
    Object.defineProperty(wrapper, property, { value: method[property], configurable: true });
  }
  for (const key of Reflect.getOwnMetadataKeys(method) as readonly unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  }
}

/** Puts `wrapper` where `method` was. */
export function replaceMethod(descriptor: PropertyDescriptor | undefined, method: Callable, wrapper: Callable): void {
  disguise(wrapper, method);
  Object.assign(descriptor ?? {}, { value: wrapper });
}

export function isFunction(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** The class a decorated member belongs to: a static one is decorated on the class itself. */
function classOf(target: object): Constructor {
  return isFunction(target) ? target : (target.constructor as Constructor);
}
