import 'reflect-metadata';
import type { Limits, LimitPreset } from '../../options/limit-options.js';
import type { Callable } from '../decorated-method.js';
import type { RateLimitHeaders, RateLimitRefusal } from './rate-limit-options.js';

/** Who is limited, whatever the types of the function. */
export type By = 'ip' | 'user' | 'tenant' | 'global' | { readonly header: string } | Callable;

/** Where the limits of a call come from. */
export type LimitSource =
  | { readonly kind: 'fixed'; readonly limits: Limits }
  | { readonly kind: 'preset'; readonly preset: LimitPreset }
  | { readonly kind: 'plans'; readonly plans: Readonly<Record<string, Limits>>; readonly plan: Callable }
  | { readonly kind: 'asked'; readonly limits: Callable }
  | { readonly kind: 'loaded'; readonly load: Callable; readonly key: Callable | undefined; readonly ttl: number };

/** One `@RateLimit()`, checked. */
export interface Rule {
  /** `Class.method` or `Class`, for messages. */
  readonly place: string;
  /** Whose counters. */
  readonly name: string;
  /** Whether the name was given: then two rules may share it. */
  readonly isNamed: boolean;
  readonly client: string;
  readonly by: By | undefined;
  readonly source: LimitSource;
  readonly cost: number | Callable;
  readonly skip: Callable | undefined;
  readonly headers: RateLimitHeaders | false | undefined;
  readonly error: ((refusal: RateLimitRefusal) => Error) | undefined;
}

/** What the decorators say of a method or a class. */
export interface Level {
  /** In the order they are written. */
  readonly rules: readonly Rule[];
  readonly isSkipped: boolean;
}

/** Under which both decorators write. */
const LEVEL = Symbol('nestjs-valkey:rate-limit');

/** What is said of a method or a class; by a base class too. */
export function levelOf(target: object): Level | undefined {
  return Reflect.getMetadata(LEVEL, target) as Level | undefined;
}

/** What is said of it itself. */
export function ownLevelOf(target: object): Level | undefined {
  return Reflect.getOwnMetadata(LEVEL, target) as Level | undefined;
}

export function writeLevel(target: object, level: Level): void {
  Reflect.defineMetadata(LEVEL, level, target);
}
