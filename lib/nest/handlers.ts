import 'reflect-metadata';
import type { RequestMethod } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import type { Callable, Constructor } from './decorated-method.js';
import { isFunction } from './decorated-method.js';

/** Who calls a method. */
export type HandlerKind = 'http' | 'graphql' | 'ws' | 'rpc';

/** What Nest writes on routes: the HTTP method. */
const METHOD = 'method';

/**
 * What Nest's decorators write on the methods they make handlers of: all of the names, and their values where they matter.
 * They are the same since Nest 8. This is the only place that knows them; the tests hold it to the real packages.
 */
const MARKS: Readonly<Record<HandlerKind, readonly { readonly key: string; readonly values?: readonly string[] }[]>> = {
  http: [{ key: 'path' }, { key: METHOD }],
  // Fields and references have other values: no guard stands before them, unless it is asked for.
  graphql: [{ key: 'graphql:resolver_type', values: ['Query', 'Mutation', 'Subscription'] }],
  ws: [{ key: 'websockets:message_mapping' }],
  rpc: [{ key: 'microservices:pattern' }],
};

/** On classes. */
const CONTROLLER = '__controller__';
const GATEWAY = 'websockets:is_gateway';

const KINDS = Object.keys(MARKS) as readonly HandlerKind[];
const scanner = new MetadataScanner();

/** How a method is called by Nest; `undefined`: a plain one. */
export function handlerKind(method: unknown): HandlerKind | undefined {
  if (!isFunction(method)) return undefined;
  return KINDS.find((kind) =>
    MARKS[kind].every(({ key, values }) => {
      const value: unknown = Reflect.getMetadata(key, method);
      return value !== undefined && (values === undefined || values.some((each) => each === value));
    }),
  );
}

/** The HTTP method of a route; `undefined` for what is none. */
export function requestMethodOf(method: Callable): RequestMethod | undefined {
  return Reflect.getMetadata(METHOD, method) as RequestMethod | undefined;
}

/** Whether Nest calls methods of a class, so that a guard on the class has something to do. */
export function hasHandlers(target: Constructor): boolean {
  if ([CONTROLLER, GATEWAY].some((key) => Reflect.getMetadata(key, target) !== undefined)) return true;
  return methodsOf(target).some(({ method }) => handlerKind(method) !== undefined);
}

/** The methods of a class, inherited ones included, as they are in the end. */
export function methodsOf(target: Constructor): readonly { readonly name: string; readonly method: Callable }[] {
  const prototype: unknown = target.prototype;
  if (typeof prototype !== 'object' || prototype === null) return [];
  return scanner.getAllMethodNames(prototype).flatMap((name) => {
    const method: unknown = (prototype as Readonly<Record<string, unknown>>)[name];
    return isFunction(method) ? [{ name, method }] : [];
  });
}
