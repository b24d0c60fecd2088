import { ConfigurationError } from '../../core/errors.js';
import { CACHE_NAME } from '../../options/cache-options.js';
import type { Check } from '../../options/checks.js';
import type { DecoratedMethod } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import { CACHE_MODES } from './cache-mode.js';
import type { CacheMode } from './cache-mode.js';

/** A function of the options. */
export const isAFunction: Check = (value) => (isFunction(value) ? undefined : 'a function');

export const isKey: Check = (value) =>
  typeof value === 'string' || isFunction(value) ? undefined : "a function or a template such as 'product:{0}'";

export const isFlag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');

export const isMode: Check = (value) =>
  isFunction(value) || CACHE_MODES.includes(value as CacheMode)
    ? undefined
    : "'use', 'bypass', 'refresh' or a function";

/** Tags or keys, or a function that gives them. */
export const isListOfNames: Check = (value) =>
  isFunction(value) || isNames(value) ? undefined : 'a list of texts that are not empty, or a function';

/** Where a method's values are kept. */
export const CHOICE: Readonly<Record<'cache' | 'client', Check>> = {
  cache: (value) =>
    typeof value === 'string' && CACHE_NAME.test(value)
      ? undefined
      : 'a name of 1 to 64 letters, digits, dots, hyphens or underscores',
  client: (value) => (typeof value === 'string' && value !== '' ? undefined : 'the name of a client'),
};

/** What every decorator that stores something takes. */
export const STORING: Readonly<Record<string, Check>> = {
  ...CHOICE,
  key: isKey,
  tags: isListOfNames,
  tagsFrom: isAFunction,
  unless: isAFunction,
  when: isAFunction,
};

/** A static method belongs to no instance, and only instances are given something. */
export function refuseStatic(decorator: string, target: object, { place }: DecoratedMethod): void {
  if (!isFunction(target)) return;
  throw new ConfigurationError(
    `${decorator} stands on ${place}, which is static: nothing can be injected there. Put it on a method of instances, or use the CacheService.`,
    { subject: place },
  );
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}
