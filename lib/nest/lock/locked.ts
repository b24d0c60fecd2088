import { ArgumentError, ConfigurationError, isValkeyError } from '../../core/errors.js';
import type { LockService } from '../../features/lock/lock-service.js';
import type { Check } from '../../options/checks.js';
import { checkLock, LOCK_OPTIONS } from '../../options/lock-options.js';
import type { LockOptions } from '../../options/lock-options.js';
import { shown } from '../../options/problem.js';
import { CHOICE, isAFunction, refuseStatic } from '../cache/decorator-checks.js';
import { keyTemplate } from '../cache/key-template.js';
import { decoratedMethod, isFunction, replaceMethod } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import { injectService } from '../injected-service.js';
import { lockServiceToken } from '../tokens.js';
import type { LockedDecorator, LockedOptions } from './locked-options.js';

/**
 * Runs a method of a provider or a controller under a lock that all processes share; `currentLock()` gives it. On an
 * instance made with `new` the method just runs.
 *
 * @example
 * ```ts
 * @Locked({ key: (id: string) => `order:${id}`, wait: '2s' })
 * async ship(id: string): Promise<void> {
 *   await this.carrier.ship(id, { signal: currentLock()?.signal });
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function Locked<S = unknown, A = unknown, B = unknown, C = unknown, D = unknown, E = unknown, F = unknown>(
  options: LockedOptions<S, A, B, C, D, E, F>,
): LockedDecorator<S, [A, B, C, D, E, F]> {
  return (target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorated = decoratedMethod('@Locked()', target, name, descriptor);
    refuseStatic('@Locked()', target, decorated);
    const { place, method } = decorated;
    const terms = checked(place, options as unknown as LockedOptions);
    const namesOf = namesFor(options.key, place);
    const locksOf = injectService<LockService>(target, lockServiceToken(options.client));
    const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
      const run = (): unknown => Reflect.apply(method, this, args);
      const locks = locksOf(this);
      if (!locks) return run();
      return runLocked(locks, () => namesOf(this, args), run, terms, options.error);
    };
    replaceMethod(descriptor, method, wrapper);
  };
}

async function runLocked(
  locks: LockService,
  names: () => string | readonly string[],
  run: () => unknown,
  terms: LockOptions,
  error: LockedOptions['error'],
): Promise<unknown> {
  let failure: { readonly reason: unknown } | undefined;
  const work = async (): Promise<unknown> => {
    try {
      return await run();
    } catch (reason) {
      failure = { reason };
      throw reason;
    }
  };
  try {
    return await locks.using(names(), work, terms);
  } catch (reason) {
    // What the method throws is its own, also when a lock further in was busy.
    throw error && !failure && isValkeyError(reason) ? error(reason) : reason;
  }
}

/** The names one call locks. */
function namesFor(
  key: LockedOptions['key'] | Callable,
  place: string,
): (self: unknown, args: readonly unknown[]) => string | readonly string[] {
  if (isFunction(key)) return (self, args) => textOf(Reflect.apply(key, self, args), place);
  const templates = (typeof key === 'string' ? [key] : key).map((each) => keyTemplate(each, place));
  return (_self, args) => templates.map((fill) => fill(args));
}

function textOf(names: unknown, place: string): string | readonly string[] {
  if (isName(names) || isNames(names)) return names;
  throw new ArgumentError(
    `The key of ${place} has given ${shown(names)}: it must be a name to lock, or a list of them that is not empty.`,
    { subject: place },
  );
}

const KEY = "a template such as 'order:{0}', a list of them, or a function of the arguments";

const CHECKS: Readonly<Record<'key' | 'client' | 'error', Check>> = {
  key: (value) => (isName(value) || isNames(value) || isFunction(value) ? undefined : KEY),
  client: CHOICE.client,
  error: isAFunction,
};

/** The options of the lock among those of the decorator. */
function checked(place: string, options: LockedOptions): LockOptions {
  // Without types options may be anything, so the check comes before the first look into them.
  checkLock(options, CHECKS, place);
  if (options.key !== undefined) {
    return Object.fromEntries(LOCK_OPTIONS.map((name) => [name, options[name]]));
  }
  throw new ConfigurationError(`The lock of ${place} has no key. Say what is locked: ${KEY}.`, { subject: place });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}
