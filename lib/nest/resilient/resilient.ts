import { ConfigurationError } from '../../core/errors.js';
import { resolvePolicy } from '../../options/policy.js';
import { ResiliencePolicy } from '../../resilience/method/resilience-policy.js';
import { decoratedMethod, isFunction, replaceMethod } from '../decorated-method.js';
import type { Constructor } from '../decorated-method.js';
import type { Fallback, ResilientDecorator, ResilientOptions } from './resilient-options.js';

/**
 * Puts deadline, retry, breaker and bulkhead around a method of yours, and a fallback behind it. Each class has its own
 * circuit, which all its instances share. Nothing is on that is not written.
 *
 * @example
 * ```ts
 * class Catalogue {
 *   @Resilient({
 *     timeout: '2s',
 *     retry: { attempts: 2 },
 *     breaker: { failures: 5, halfOpenAfter: '10s' },
 *     fallback: (_error: unknown, _sku: string) => [],
 *   })
 *   async prices(sku: string): Promise<number[]> {
 *     const response = await fetch(`https://prices.internal/${sku}`, { signal: resilienceSignal() });
 *     return (await response.json()) as number[];
 *   }
 * }
 * ```
 *
 * @throws ConfigurationError, when the class is defined, with everything that is wrong with `options`
 */
export function Resilient<F extends Fallback = (error: unknown, ...args: unknown[]) => never>(
  options: ResilientOptions<F>,
): ResilientDecorator<F> {
  return (target: object, key: string | symbol, descriptor?: PropertyDescriptor) => {
    const { owner, place, method } = decoratedMethod('@Resilient()', target, key, descriptor);
    const policyFor = policies(owner, key, options);
    const { fallback } = options;
    if (fallback !== undefined && !isFunction(fallback)) {
      throw wrong(place, `The fallback of ${place} must be a function (error, ...arguments) => result.`);
    }
    const wrapper = function (this: unknown, ...args: readonly unknown[]): Promise<unknown> {
      return policyFor(this).execute<unknown>(
        () => Reflect.apply(method, this, args),
        fallback && ((error) => Reflect.apply(fallback, this, [error, ...args])),
      );
    };
    replaceMethod(descriptor, method, wrapper);
  };
}

/** Finds the policy for a method's `this`. Subclasses have one of their own: what they call may be another service. */
function policies(
  declaring: Constructor,
  key: string | symbol,
  options: ResilientOptions,
): (self: unknown) => ResiliencePolicy {
  const place = `${declaring.name}.${String(key)}`;
  // Without types options may be anything, so the check comes before the first look into them.
  if (options?.policy !== undefined) {
    checkShared(place, options);
    const { policy } = options;
    return () => policy;
  }
  resolvePolicy(options?.name ?? place, options, ['name', 'fallback', 'policy']);
  const { name, fallback: _fallback, policy: _policy, ...figures } = options;
  const nameIn = (owner: Constructor): string => name ?? `${owner.name}.${String(key)}`;
  const made = new WeakMap([[declaring, new ResiliencePolicy(nameIn(declaring), figures)]]);
  return (self) => {
    const owner = ownerOf(self) ?? declaring;
    let policy = made.get(owner);
    if (!policy) {
      policy = new ResiliencePolicy(nameIn(owner), figures);
      made.set(owner, policy);
    }
    return policy;
  };
}

function checkShared(place: string, options: ResilientOptions): void {
  if (!(options.policy instanceof ResiliencePolicy)) {
    throw wrong(place, `The policy of ${place} must be a ResiliencePolicy: new ResiliencePolicy(name, { … }).`);
  }
  const written = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const beside = written.filter((name) => name !== 'policy' && name !== 'fallback');
  if (beside.length === 0) return;
  throw wrong(
    place,
    `${place} has a policy, and ${beside.join(', ')} beside it. A shared policy has its figures already: give them to it, or leave out policy.`,
  );
}

function ownerOf(self: unknown): Constructor | undefined {
  if (isFunction(self)) return self;
  if (typeof self !== 'object' || self === null) return undefined;
  return isFunction(self.constructor) ? self.constructor : undefined;
}

function wrong(subject: string, message: string): ConfigurationError {
  return new ConfigurationError(message, { subject });
}
