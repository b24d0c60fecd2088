import type { CacheClient } from '../../client/cache-client.js';
import { toMilliseconds } from '../../core/duration.js';
import type { Duration } from '../../core/duration.js';
import { ArgumentError } from '../../core/errors.js';
import { resolveBlacklist } from '../../options/access-options.js';
import type { TokenBlacklistOptions } from '../../options/access-options.js';
import { secretHash } from './secret-hash.js';

/** When a token ends by itself: one of these. */
export type TokenEnd =
  | {
      /** The claim of a JWT: seconds since the epoch. */
      readonly exp: number;
      readonly until?: undefined;
      readonly ttl?: undefined;
    }
  | { readonly until: Date; readonly exp?: undefined; readonly ttl?: undefined }
  | {
      /** From now on. */
      readonly ttl: Duration;
      readonly exp?: undefined;
      readonly until?: undefined;
    };

const ROOT = 'token-blacklist:';
/** As seconds this is the year 5138; whoever gives more means milliseconds. */
const LATEST_EXP = 1e11;
const FORMS = "{ exp: seconds since the epoch }, { until: Date } or { ttl: '1h' }";

/**
 * Tokens that must not be used any more, though they have not ended by themselves. Of a token its hash is stored, no longer
 * than the token lives. An error of the store is an error here: it never says "not listed" when it does not know.
 *
 * @example
 * ```ts
 * const blacklist = new TokenBlacklist(client);
 * await blacklist.add(claims.jti, { exp: claims.exp });
 * if (await blacklist.has(claims.jti)) throw new UnauthorizedException();
 * ```
 */
export class TokenBlacklist {
  readonly #client: CacheClient;
  readonly #leeway: number;

  /** @throws ConfigurationError with everything that is wrong */
  constructor(client: CacheClient, options: TokenBlacklistOptions = {}) {
    this.#leeway = resolveBlacklist(options);
    // A replica may not have heard of it yet.
    this.#client = client.with({ route: 'primary' });
  }

  /**
   * Lists a token, by itself or by its id (`jti`), until it ends; one that has ended is not listed. Resolves once the server
   * has it. Rejects when the store is away: then the token still works.
   */
  async add(token: string, end: TokenEnd): Promise<void> {
    const name = nameOf(token);
    const left = Math.floor(remaining(end) + this.#leeway);
    if (left > 0) await this.#client.set(name, '1', { ttl: left });
  }

  /** Whether a token is listed. Rejects when the store is away: answer 503, and do not let it pass. */
  async has(token: string): Promise<boolean> {
    return (await this.#client.exists(nameOf(token))) > 0;
  }

  /** Of each, whether it is listed, in one trip to each node. Rejects if that cannot be told of one of them. */
  async hasMany(tokens: readonly string[]): Promise<boolean[]> {
    const names = tokens.map(nameOf);
    // Not one command: of a key of another type, and of one node of many, each answer stands for itself.
    return Promise.all(names.map(async (name) => (await this.#client.exists(name)) > 0));
  }

  /** Takes a token off the list: from now on it works again. Whether it was listed. Rejects when the store is away. */
  async remove(token: string): Promise<boolean> {
    return (await this.#client.del(nameOf(token))) > 0;
  }
}

function nameOf(token: string): string {
  if (typeof token === 'string' && token !== '') return ROOT + secretHash(token);
  throw new ArgumentError('A token must be a text of at least one character: the token, or its id.', {
    subject: 'token',
  });
}

/** Milliseconds until a token ends. */
function remaining(end: TokenEnd): number {
  const { exp, until, ttl } = (end ?? {}) as Partial<Record<'exp' | 'until' | 'ttl', unknown>>;
  if ([exp, until, ttl].filter((given) => given !== undefined).length !== 1) throw noEnd(`takes one of ${FORMS}`);
  if (ttl !== undefined) return toMilliseconds(ttl as Duration, 'ttl');
  if (until !== undefined) {
    const time = until instanceof Date ? until.getTime() : Number.NaN;
    if (Number.isNaN(time)) throw noEnd('takes a valid Date as until');
    return time - Date.now();
  }
  if (typeof exp !== 'number' || !(exp >= 0 && exp < LATEST_EXP)) {
    throw noEnd(
      'takes exp in seconds since the epoch, as a JWT has it. Milliseconds are a Date: { until: new Date(…) }',
    );
  }
  return exp * 1_000 - Date.now();
}

function noEnd(what: string): ArgumentError {
  return new ArgumentError(`add() of a token blacklist ${what}.`, { subject: 'end' });
}
