import { Inject, Optional } from '@nestjs/common';
import type { InjectionToken, Type } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Interceptor, InterceptorFactory } from '../client/interceptors.js';
import { ConfigurationError } from '../core/errors.js';

/**
 * An interceptor, or what leads to one through Nest: the class or token of a provider of any module. A class that is no
 * provider is instantiated, with what its constructor asks for.
 */
export type InterceptorSource =
  Interceptor | InterceptorFactory | Type<Interceptor | InterceptorFactory> | string | symbol;

/** Milliseconds a provider may take to be made. */
const MADE_WITHIN = 10_000;

/** Finds the interceptors of one client, in the order given. */
export async function resolveInterceptors(
  sources: readonly InterceptorSource[],
  modules: ModuleRef,
  container: ModulesContainer,
): Promise<readonly (Interceptor | InterceptorFactory)[]> {
  // Anything else than an array is refused by the client itself, in the same words for everybody.
  if (!Array.isArray(sources)) return sources as never;
  return Promise.all(
    sources.map(async (source: InterceptorSource, index) =>
      isToken(source) ? inTime(resolveToken(source, index, modules, container), index) : source,
    ),
  );
}

function isToken(source: InterceptorSource): source is Type<Interceptor | InterceptorFactory> | string | symbol {
  return ['function', 'string', 'symbol'].includes(typeof source);
}

async function resolveToken(
  token: Type<Interceptor | InterceptorFactory> | string | symbol,
  index: number,
  modules: ModuleRef,
  container: ModulesContainer,
): Promise<Interceptor | InterceptorFactory> {
  const host = [...container.values()].find((module) => module.providers.has(token));
  const hosts = [modules, host?.providers.get(ModuleRef)?.instance as ModuleRef | undefined];
  for (const each of hosts) {
    const found = each && (await provided(each, token));
    if (found) return found;
  }
  if (typeof token === 'function') return modules.create(token);
  throw new ConfigurationError(
    `interceptors[${index}] names ${String(token)}, which no module provides. Add a provider with this token, or give the interceptor itself.`,
    { subject: 'interceptors' },
  );
}

/** Asks through a constructor: Nest hands out by `get()` what is not made yet, and waits for it here. */
async function provided(modules: ModuleRef, token: InjectionToken): Promise<Interceptor | undefined> {
  class Wanted {
    constructor(readonly interceptor: Interceptor | undefined) {}
  }
  Inject(token)(Wanted, undefined, 0);
  Optional()(Wanted, undefined as never, 0);
  return (await modules.create(Wanted)).interceptor;
}

/** An interceptor that injects its own client would wait for it for ever. */
async function inTime<T>(resolved: Promise<T>, index: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooSlow(index)), MADE_WITHIN);
  });
  try {
    return await Promise.race([resolved, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(index: number): ConfigurationError {
  return new ConfigurationError(
    `interceptors[${index}] could not be made within ${MADE_WITHIN} ms. An interceptor cannot inject the client it belongs to, not even through other providers: the client waits for it.`,
    { subject: 'interceptors' },
  );
}
