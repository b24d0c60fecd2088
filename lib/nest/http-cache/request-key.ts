import { ArgumentError } from '../../core/errors.js';
import type { AnyRequest, HttpExchange } from '../http/http-exchange.js';
import { normalised } from '../http/normalised-url.js';
import { CREDENTIALS } from './http-cache-options.js';
import type { HttpCacheRules } from './http-cache-options.js';

/** Raised with the shape of what is stored. */
const SHAPE = 2;

const EVERYBODY = '[]';

/** Whose response it is; `undefined` for nobody's. */
export type Owner = string | undefined;

/**
 * Whose response the rules say it is.
 *
 * @throws {ArgumentError} for what cannot tell one owner from another
 */
export function ownerOf(rules: HttpCacheRules, request: object): Owner {
  const owner: unknown = rules.key?.(request);
  if (owner === undefined || owner === null || owner === '') return undefined;
  if (typeof owner === 'string' || (typeof owner === 'number' && Number.isFinite(owner))) return String(owner);
  throw new ArgumentError(
    `The key of @HttpCache() on ${rules.place} is of type ${typeof owner}. Give a text or a number, or undefined for nobody.`,
    { subject: rules.place },
  );
}

/** Whether the request says who sends it, and neither the owner nor what the response depends on takes that in. */
export function isPersonal({ request }: HttpExchange, rules: HttpCacheRules, owner: Owner): boolean {
  if (rules.public === true || owner !== undefined) return false;
  // A guard knows who it is, and by nothing that is part of the key.
  if (!hasCredentials(request)) return request.user !== undefined && request.user !== null;
  return CREDENTIALS.some((name) => request.headers[name] !== undefined && !rules.vary.includes(name));
}

/** Whether only who sent such a request may have its response. */
export function isOwned({ request }: HttpExchange, rules: HttpCacheRules, owner: Owner): boolean {
  if (rules.public === true) return false;
  return owner !== undefined || hasCredentials(request);
}

function hasCredentials({ headers }: AnyRequest): boolean {
  return CREDENTIALS.some((name) => headers[name] !== undefined);
}

/** The key of a response: the same for GET and HEAD, on any host, and for any order of the query. */
export function requestKey(exchange: HttpExchange, route: string, rules: HttpCacheRules, owner: Owner): string {
  return `${SHAPE}${route}${audienceOf(exchange, rules, owner)}${normalised(exchange.url)}`;
}

/** For whom a response is, of those who ask for the same address. */
function audienceOf(exchange: HttpExchange, { vary }: HttpCacheRules, owner: Owner): string {
  if (vary.length === 0 && owner === undefined) return EVERYBODY;
  return JSON.stringify([vary.map((name) => exchange.header(name)?.trim() ?? null), owner ?? null]);
}
