import type { PolicyOptions } from '../../options/policy.js';
import type { ResiliencePolicy } from '../../resilience/method/resilience-policy.js';

/** Any function that answers instead of a method: it gets the error, then the method's arguments, and the same `this`. */
export type Fallback = (this: never, error: unknown, ...args: never[]) => unknown;

/** What stands beside a policy. */
export interface FallbackOptions<F extends Fallback> {
  /**
   * Called with the last error and the method's arguments when all has failed; gives a result instead, or throws.
   * Default: none, the error goes to the caller.
   */
  readonly fallback?: F;
}

/** The policies of a method, by their figures. */
export interface OwnPolicyOptions<F extends Fallback> extends PolicyOptions, FallbackOptions<F> {
  /** What errors and events call it. Default: `Class.method`. */
  readonly name?: string;
  readonly policy?: never;
}

/** The policies of a method, shared with others. */
export interface SharedPolicyOptions<F extends Fallback> extends FallbackOptions<F> {
  /** One circuit and one set of slots for everything that uses it. No default. */
  readonly policy: ResiliencePolicy;
  readonly name?: never;
  readonly preset?: never;
  readonly timeout?: never;
  readonly retry?: never;
  readonly breaker?: never;
  readonly bulkhead?: never;
  readonly retryIf?: never;
}

/** What `@Resilient()` takes. */
export type ResilientOptions<F extends Fallback = Fallback> = OwnPolicyOptions<F> | SharedPolicyOptions<F>;

/** A method `@Resilient()` may stand on. */
export type ResilientMethod = (this: never, ...args: never[]) => Promise<unknown>;

/** The method's type if the fallback takes its arguments and gives what it resolves to; else a type nothing has. */
export type Answerable<M extends ResilientMethod, F extends Fallback> = F extends (
  this: never,
  error: never,
  ...args: Parameters<M>
) => Awaited<ReturnType<M>> | PromiseLike<Awaited<ReturnType<M>>>
  ? M
  : M & { readonly 'the fallback must take (error, ...arguments of the method) and give what it resolves to': never };

/** Stands on methods that return a promise and that the fallback `F` can answer for. */
export type ResilientDecorator<F extends Fallback> = <M extends ResilientMethod>(
  target: ThisParameterType<F> & object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Answerable<M, F>> & TypedPropertyDescriptor<M>,
) => void;
