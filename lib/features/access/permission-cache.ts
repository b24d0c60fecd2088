import { ArgumentError } from '../../core/errors.js';
import { resolvePermissions } from '../../options/access-options.js';
import type { PermissionOptions } from '../../options/access-options.js';
import type { AccessCache, Keeping } from './access-cache.js';

const NONE: readonly never[] = Object.freeze([]);

/**
 * What subjects (users, services, roles) may do, read through a cache. When the store is away it asks the source, once for
 * each subject at a time; what ran out is never used, so when the source fails too, so does the call.
 *
 * @example
 * ```ts
 * const permissions = new PermissionCache(caching.cache('permissions'), {
 *   load: (user) => repository.permissionsOf(user),
 * });
 * if (!(await permissions.allows(user, 'orders:write'))) throw new ForbiddenException();
 * ```
 */
export class PermissionCache<P extends string = string> {
  readonly #cache: AccessCache;
  readonly #load: PermissionOptions<P>['load'];
  readonly #keeping: Keeping;

  /**
   * `cache`: one it does not share, such as `caching.cache('permissions')`.
   *
   * @throws ConfigurationError with everything that is wrong
   */
  constructor(cache: AccessCache, options: PermissionOptions<P>) {
    const { ttl, unknownTtl } = resolvePermissions(options);
    this.#cache = cache;
    this.#load = options.load;
    this.#keeping = { ttl, nullTtl: unknownTtl, staleFor: 0 };
  }

  /** The permissions of a subject, each once; none for a subject that does not exist. Rejects when the source fails. */
  async of(subject: string): Promise<readonly P[]> {
    const found = await this.#cache.getOrLoad<readonly P[] | null>(
      subject,
      async (context) => permissionsIn(await this.#load(subject, context)),
      this.#keeping,
    );
    return found ?? NONE;
  }

  /** Whether a subject has all of these permissions. Rejects when the source fails. */
  async allows(subject: string, ...wanted: readonly [P, ...P[]]): Promise<boolean> {
    // Every one of nothing is always there.
    if (wanted.length === 0) throw nothingWanted();
    const has = new Set<string>(await this.of(subject));
    return wanted.every((permission) => has.has(permission));
  }

  /**
   * Forgets the permissions of subjects, in all processes. Call it when they have changed at their source. Rejects when the
   * store is away: then they hold until their ttl is over.
   */
  evict(...subjects: readonly string[]): Promise<void> {
    return this.#cache.evict(...subjects);
  }

  /** Forgets all permissions, in all processes; for when a role has changed. Rejects when the store is away. */
  clear(): Promise<void> {
    return this.#cache.clear();
  }
}

function permissionsIn<P extends string>(loaded: Iterable<P> | null | undefined): readonly P[] | null {
  if (loaded === null || loaded === undefined) return null;
  // Text is a list of characters too, and 'admin' no list of permissions.
  const isList = typeof loaded !== 'string' && typeof (loaded as Partial<Iterable<P>>)[Symbol.iterator] === 'function';
  const permissions = isList ? [...new Set(loaded)] : undefined;
  if (permissions?.every((permission) => typeof permission === 'string')) return permissions;
  throw new ArgumentError(
    'load of a permission cache must give a list or set of texts, or null for a subject that does not exist.',
    { subject: 'load' },
  );
}

function nothingWanted(): ArgumentError {
  return new ArgumentError('allows(): name at least one permission.', { subject: 'permission' });
}
