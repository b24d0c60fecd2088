import type { IncomingHttpHeaders } from 'node:http';
import type { Duration } from '../../core/duration.js';
import { checkEach, checkObject } from '../../options/checks.js';
import type { Check, Checks } from '../../options/checks.js';
import { IDEMPOTENCY_CHECKS } from '../../options/idempotency-options.js';
import type { IdempotencyOptions } from '../../options/idempotency-options.js';
import { Problems } from '../../options/problem.js';
import { CHOICE, isAFunction, isFlag } from '../cache/decorator-checks.js';
import { isHeaderNames, isKeptHeaders, keptHeaders } from '../http/header-names.js';
import { DEFAULT_CLIENT } from '../tokens.js';

/**
 * What idempotent routes usually look at in a request. Write your own type in its place where yours is another:
 * `(request: Request) => …`.
 */
export interface IdempotentRequest {
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What your guards have put there. */
  readonly user: { readonly id: string; readonly tenantId: string };
  readonly tenantId: string;
}

/** Methods a route can be made idempotent for; the others are by themselves. */
export type IdempotentMethod = 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** What `@Idempotent()` takes. `R` is the framework's request, `B` what the method gives. */
export interface IdempotentOptions<R extends object = IdempotentRequest, B = unknown> extends IdempotencyOptions {
  /** How long a response is kept, and the work not done again. Default: the module's, `'24h'`. */
  readonly ttl?: Duration;
  /** How long a claim outlives a process that died at the work. Default: the module's, `'10s'`. */
  readonly lease?: Duration;
  /** The largest response that is kept, in bytes with its headers. Default: the module's, `1_048_576` (1 MiB). */
  readonly maxBytes?: number;
  /** When the store does not answer: 503 (`'refuse'`), or the method runs without protection (`'run'`). Default: the module's, `'refuse'`. */
  readonly onStoreDown?: 'refuse' | 'run';
  /**
   * Whose key it is: a user, a tenant. The same key in another scope is another key; undefined, null and '' are nobody's.
   * Default: none, so that whoever knows another's key and request gets the response.
   */
  readonly scope?: (request: R) => string | number | undefined | null;
  /** The header that carries the key. Default: `'Idempotency-Key'`. */
  readonly header?: string;
  /** Whether a request without a key is refused with 400; else it is served without protection. Default: `true`. */
  readonly required?: boolean;
  /** Of which methods requests are protected; others pass by. Default: `['POST', 'PATCH']`. */
  readonly methods?: readonly IdempotentMethod[];
  /** Response headers that are kept and sent again, beside `Content-Type`, `Location` and their like. Default: none. */
  readonly headers?: readonly string[];
  /**
   * Which responses are kept, by their status; after the others a retry runs the method again. Of what the method throws only
   * HttpExceptions can be kept. Default: 200 to 499 without 408, 409, 425 and 429.
   */
  readonly store?: (status: number) => boolean;
  /** Makes plain data of what the method gives. Needed where that holds instances of classes. Default: as it is. */
  readonly toPlain?: (body: B) => unknown;
  /**
   * What tells one request from another of the same method and URL; needed for uploads. Default: the body, with its keys in any
   * order.
   */
  readonly fingerprint?: (request: R) => unknown;
  /** Name of the client. Default: `'default'`. */
  readonly client?: string;
}

/** Options as they are used, whatever their types. */
export interface IdempotentRules {
  /** `Class.method` or `Class`. */
  readonly place: string;
  /** In lower case. */
  readonly header: string;
  /** As it is written, for messages. */
  readonly headerName: string;
  readonly isRequired: boolean;
  readonly methods: readonly string[];
  /** In lower case. */
  readonly headers: readonly string[];
  readonly scope: ((request: object) => unknown) | undefined;
  readonly fingerprint: ((request: object) => unknown) | undefined;
  readonly toPlain: ((body: unknown) => unknown) | undefined;
  readonly store: (status: number) => boolean;
  readonly client: string;
  /** Always the same object, which the service knows again. */
  readonly service: IdempotencyOptions;
}

const METHODS: readonly string[] = ['POST', 'PATCH', 'PUT', 'DELETE'] satisfies IdempotentMethod[];
const BY_DRAFT: readonly string[] = ['POST', 'PATCH'];

/** What may be otherwise the next time: a timeout, a conflict, too early, too many. */
const PASSING = new Set([408, 409, 425, 429]);

const isListOfMethods: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((name) => METHODS.includes(name as string))
    ? undefined
    : `a list of ${METHODS.join(', ')}`;

const CHECKS: Checks<IdempotentOptions> = {
  ...IDEMPOTENCY_CHECKS,
  scope: isAFunction,
  header: (value) =>
    isHeaderNames([value], new Set()) ? undefined : "the name of a header, such as 'Idempotency-Key'",
  required: isFlag,
  methods: isListOfMethods,
  headers: isKeptHeaders,
  store: isAFunction,
  toPlain: isAFunction,
  fingerprint: isAFunction,
  client: CHOICE.client,
};

/**
 * Checks the options of what is called `place`.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function rulesOf<R extends object, B>(options: IdempotentOptions<R, B>, place: string): IdempotentRules {
  const loose = options as unknown as IdempotentOptions<object>;
  const problems = new Problems(`@Idempotent() on ${place} is wrong:`, (text) => text.replaceAll('options.', ''));
  if (checkObject(loose, Object.keys(CHECKS), 'options', problems)) {
    checkEach(loose, CHECKS as Checks<IdempotentOptions<object>>, 'options', problems);
  }
  problems.throwIfAny();
  const { header = 'Idempotency-Key', required = true, methods = BY_DRAFT, headers = [] } = loose;
  const { scope, fingerprint, toPlain, store = isSettled, client = DEFAULT_CLIENT } = loose;
  const service = Object.entries(loose).filter(([name, value]) => name in IDEMPOTENCY_CHECKS && value !== undefined);
  return {
    place,
    header: header.toLowerCase(),
    headerName: header,
    isRequired: required,
    methods,
    headers: keptHeaders(headers),
    scope,
    fingerprint,
    toPlain,
    store,
    client,
    service: Object.fromEntries(service),
  };
}

function isSettled(status: number): boolean {
  return status >= 200 && status < 500 && !PASSING.has(status);
}
