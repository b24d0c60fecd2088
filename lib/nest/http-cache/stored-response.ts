import etag from 'etag';
import fresh from 'fresh';
import { toMilliseconds } from '../../core/duration.js';
import type { Duration } from '../../core/duration.js';
import { directivesOf, secondsOf } from './cache-control.js';
import { namesIn } from '../http/http-exchange.js';
import type { HttpExchange } from '../http/http-exchange.js';
import type { HttpCacheRules } from './http-cache-options.js';
import { bodyOf, storedBody } from '../http/response-body.js';
import type { StoredBody } from '../http/response-body.js';

/** A body as it is stored: plain data as such, so that a hit in this process has nothing to parse. */
type KeptBody = Exclude<StoredBody, { readonly kind: 'json' }> | { readonly kind: 'plain'; readonly data: unknown };

/** A response as it is stored. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: KeptBody;
  /** Milliseconds since 1970, by the clock of the process that made it. */
  readonly madeAt: number;
  /** Milliseconds. */
  readonly ttl: number;
}

/** What became of a response. */
export type Judgement =
  | { readonly kind: 'stored'; readonly response: StoredResponse }
  /** For who asked alone, as the method gave it. */
  | { readonly kind: 'own'; readonly body: unknown; readonly advice?: string };

/** Those whose responses say the same tomorrow, by RFC 9111, and are no errors. */
const STATUSES = new Set([200, 203, 204, 301, 308]);

const INSTANCE =
  'it holds instances of classes, which interceptors may treat unlike plain data. Say how plain data is made of it: { toPlain: (body) => … }.';

/** Looks at the response a method has just made. `varyBefore`: what it depended on before the method ran. */
export function judge(
  exchange: HttpExchange,
  given: unknown,
  rules: HttpCacheRules,
  varyBefore: string | undefined,
): Judgement {
  const own = { kind: 'own', body: given } as const;
  if (exchange.isSent || !mayBeShared(exchange)) return own;
  const uncovered = uncoveredVary(exchange, rules, varyBefore);
  if (uncovered.length > 0) {
    return { ...own, advice: `it says Vary: ${uncovered.join(', ')}. Say the same in the options: { vary: ['…'] }.` };
  }
  // A method that gives nothing where something is expected has answered by itself, or will.
  if (given === undefined && exchange.status === 200) return own;
  const body = storedBody(rules.toPlain ? rules.toPlain(given) : given);
  if (typeof body === 'string') return body === 'instance' ? { ...own, advice: INSTANCE } : own;
  // A Date, for instance, is text in JSON: frameworks write it unlike text.
  if (body.kind === 'json' && body.data.startsWith('"')) return own;
  const ttl = ttlOf(exchange, given, rules);
  if (ttl < 1) return own;
  const headers = Object.fromEntries(
    rules.headers.flatMap((name) => {
      const value = exchange.sent(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const tag = headers['etag'] ?? tagOf(body);
  return {
    kind: 'stored',
    response: {
      status: exchange.status,
      headers: { ...headers, ...(tag === undefined ? {} : { etag: tag }) },
      body: body.kind === 'json' ? { kind: 'plain', data: JSON.parse(body.data) as unknown } : body,
      madeAt: Date.now(),
      ttl,
    },
  };
}

/** Puts a response into the exchange. @returns the body the framework has to write */
export function replay(
  exchange: HttpExchange,
  response: StoredResponse,
  rules: HttpCacheRules,
  isOwned: boolean,
): unknown {
  const { status, headers, body, ttl } = response;
  if (exchange.status !== status) exchange.status = status;
  for (const name of Object.keys(headers)) exchange.send(name, headers[name] as string);
  exchange.sendVary(rules.sentVary);
  const { cacheControl = scoped(`max-age=${Math.floor(ttl / 1000)}`, rules, isOwned) } = rules;
  if (headers['cache-control'] === undefined && cacheControl !== false) exchange.send('Cache-Control', cacheControl);
  if (status < 300 && fresh(exchange.request.headers, headers)) {
    exchange.status = 304;
    return undefined;
  }
  // Interceptors around the cache may change what they get, and the next hit in this process gets the same entry.
  return body.kind === 'plain' ? copyOf(body.data) : bodyOf(body);
}

/** Milliseconds. The clocks of two processes may differ. */
export function ageOf({ madeAt }: StoredResponse): number {
  return Math.max(0, Date.now() - madeAt);
}

/** Whether it is one: another version of this package may have written something else. */
export function isStoredResponse(value: unknown): value is StoredResponse {
  const { status, headers, body, madeAt, ttl } = Object(value) as Partial<StoredResponse>;
  const isDated = typeof madeAt === 'number' && typeof ttl === 'number';
  return isDated && typeof status === 'number' && typeof headers === 'object' && typeof body === 'object';
}

function mayBeShared(exchange: HttpExchange): boolean {
  if (!STATUSES.has(exchange.status) || exchange.sent('set-cookie') !== undefined) return false;
  const directives = directivesOf(exchange.sent('cache-control'));
  return !['no-store', 'private', 'no-cache'].some((name) => directives.has(name));
}

/** What the method made the response depend on, and the key does not. */
function uncoveredVary(
  exchange: HttpExchange,
  rules: HttpCacheRules,
  varyBefore: string | undefined,
): readonly string[] {
  const covered = new Set([...rules.vary, ...namesIn(varyBefore).map((name) => name.toLowerCase())]);
  return namesIn(exchange.sent('vary')).filter((name) => !covered.has(name.toLowerCase()));
}

/** Milliseconds; what the method itself says of its response is an upper bound. */
function ttlOf(exchange: HttpExchange, body: unknown, { ttl }: HttpCacheRules): number {
  const given: Duration = typeof ttl === 'function' ? ttl(body, exchange.request) : ttl;
  const directives = directivesOf(exchange.sent('cache-control'));
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age') ?? Infinity;
  return Math.min(toMilliseconds(given, 'ttl'), seconds * 1000);
}

/** Weak: what lies between us and the client may write the same in other bytes, compressed for instance. */
function tagOf(body: StoredBody): string | undefined {
  return body.kind === 'none' ? undefined : etag(body.data, { weak: true });
}

/** A copy of what JSON can say. */
function copyOf(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map(copyOf);
  const copy: Record<string, unknown> = { ...data };
  for (const name in copy) {
    const value = copy[name];
    if (typeof value === 'object' && value !== null) copy[name] = copyOf(value);
  }
  return copy;
}

function scoped(directive: string, { public: isPublic }: HttpCacheRules, isOwned: boolean): string {
  if (isPublic === true) return `public, ${directive}`;
  return isOwned ? `private, ${directive}` : directive;
}
