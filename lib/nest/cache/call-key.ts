import type { CacheService } from '../../features/cache/cache-service.js';
import { ConfigurationError } from '../../core/errors.js';
import type { Callable } from '../decorated-method.js';
import { isFunction } from '../decorated-method.js';
import { canonicalArguments } from './canonical-arguments.js';
import { keyTemplate } from './key-template.js';

/** The key of one call. */
export type CallKey = (self: unknown, args: readonly unknown[], caches: CacheService) => string;

/** A key as a decorator's options say it. */
export function givenKey(key: string | Callable, place: string): CallKey {
  if (isFunction(key)) return (self, args) => Reflect.apply(key, self, args) as string;
  const fill = keyTemplate(key, place);
  return (_self, args) => fill(args);
}

/**
 * The key of a method whose options say none: its class, its name and its arguments. Subclasses have keys of their own:
 * what they load from may be another place.
 */
export function ownKey(method: string): CallKey {
  return (self, args, caches) => {
    const owner = (self as object).constructor as Callable;
    const place = `${owner.name}.${method}`;
    claim(caches, owner, place);
    return `${place}(${canonicalArguments(args, place)})`;
  };
}

/** Which class has which name, among those that make keys of it. */
const OWNERS = new WeakMap<CacheService, Map<string, Callable>>();

/** Two classes of one name would get each other's values. */
function claim(caches: CacheService, owner: Callable, place: string): void {
  let owners = OWNERS.get(caches);
  if (!owners) {
    owners = new Map();
    OWNERS.set(caches, owners);
  }
  const known = owners.get(owner.name);
  if (known === owner) return;
  if (known === undefined && owner.name !== '') {
    owners.set(owner.name, owner);
    return;
  }
  const reason = known ? 'another class has the same name' : 'its class has no name';
  throw new ConfigurationError(`${place} cannot make keys of class, method and arguments: ${reason}. Give it a key.`, {
    subject: place,
  });
}
