import type { IncomingHttpHeaders } from 'node:http';
import type { Duration } from '../../core/duration.js';
import { ConfigurationError } from '../../core/errors.js';
import { checkMethodOptions } from '../../options/cache-options.js';
import type { Check } from '../../options/checks.js';
import { CHOICE, isAFunction, isFlag, isListOfNames } from '../cache/decorator-checks.js';
import { headerNames } from '../http/http-exchange.js';
import type { HeaderNames } from '../http/http-exchange.js';
import { isHeaderNames, isKeptHeaders, keptHeaders, lowered } from '../http/header-names.js';

/** What Express's and Fastify's requests have in common. Write your own type in its place: `(request: Request) => …`. */
export interface HttpCacheRequest {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingHttpHeaders;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly user?: unknown;
}

/** What `@HttpCache()` takes. `R` is the framework's request, `B` what the method gives. */
export interface HttpCacheOptions<R extends object = HttpCacheRequest, B = unknown> {
  /** How long a response is fresh; a function decides by what the method gives. A shorter `max-age` of the method's own wins. No default. */
  readonly ttl: Duration | ((body: B, request: R) => Duration);
  /**
   * Whose response it is: each key has entries of its own. Undefined, null and '' say that it is nobody's. Default: it is
   * everybody's, and requests that say who sends them pass by the cache.
   */
  readonly key?: (request: R) => string | number | undefined | null;
  /** Request headers the response depends on. Default: none. */
  readonly vary?: readonly string[];
  /** Names by which entries are invalidated together. Default: none. */
  readonly tags?: readonly string[] | ((request: R) => readonly string[]);
  /** The response is the same for whoever asks, also with credentials. Default: `false`. */
  readonly public?: boolean;
  /** The `Cache-Control` of responses; `false`: none. One the method sets itself wins. Default: `max-age` of the ttl, with `private` or `public` where it is one. */
  readonly cacheControl?: string | false;
  /** Headers that are kept and sent again, beside `content-type` and its like. Default: none. */
  readonly headers?: readonly string[];
  /** Makes plain data of what the method gives. Needed where that holds instances of classes. Default: as it is. */
  readonly toPlain?: (body: B) => unknown;
  /** Name of the cache. Default: `'http'`. */
  readonly cache?: string;
  /** Name of the client it belongs to. Default: `'default'`. */
  readonly client?: string;
  /** By which part, 0 to 1, a ttl is shortened at random at the most. Default: the cache's. */
  readonly jitter?: number;
  /** How long after its ttl a response may stand in for a method that fails. Default: the cache's. */
  readonly staleFor?: Duration;
  /** After a failure that a stale response stood in for, the method is not tried for this long. Default: the cache's. */
  readonly staleRetry?: Duration;
  /** Others wait no longer for a method's response; it goes out all the same. Default: the cache's. */
  readonly hardTimeout?: Duration;
}

/** Options as they are used, whatever their types. */
export interface HttpCacheRules extends Omit<HttpCacheOptions<object>, 'vary' | 'headers'> {
  /** `Class.method` or `Class`. */
  readonly place: string;
  readonly vary: readonly string[];
  /** What `Vary` says of a response. */
  readonly sentVary: HeaderNames;
  readonly headers: readonly string[];
}

/** Headers that say who sends a request. */
export const CREDENTIALS: readonly string[] = ['authorization', 'cookie'];

const DIRECTIVES = /^[\t\u0020-\u007e]+$/;

const CHECKS: Readonly<Record<string, Check>> = {
  ...CHOICE,
  key: isAFunction,
  tags: isListOfNames,
  toPlain: isAFunction,
  public: isFlag,
  vary: (value) =>
    isHeaderNames(value, new Set(['*'])) ? undefined : "a list of names of request headers, without '*'",
  headers: isKeptHeaders,
  cacheControl: (value) =>
    value === false || (typeof value === 'string' && DIRECTIVES.test(value))
      ? undefined
      : "false or a text such as 'no-cache'",
};

/**
 * Checks the options of what is called `place`.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function rulesOf<R extends object, B>(options: HttpCacheOptions<R, B>, place: string): HttpCacheRules {
  checkMethodOptions(place, options, ['ttl', 'jitter', 'staleFor', 'staleRetry', 'hardTimeout'], CHECKS);
  if (options.ttl === undefined) {
    throw new ConfigurationError(
      `@HttpCache() on ${place} has no ttl. Say how long a response is fresh: { ttl: '1m' }.`,
      {
        subject: place,
      },
    );
  }
  const loose = options as unknown as HttpCacheOptions<object>;
  const vary = lowered(loose.vary ?? []);
  const sentVary = headerNames(loose.public === true ? vary : [...vary, ...CREDENTIALS]);
  return { ...loose, place, vary, sentVary, headers: keptHeaders(loose.headers ?? []) };
}
