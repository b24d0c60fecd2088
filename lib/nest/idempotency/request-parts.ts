import { ArgumentError } from '../../core/errors.js';
import { fingerprint } from '../../features/idempotency/fingerprint.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { normalised } from '../http/normalised-url.js';
import { parseKey } from './idempotency-key.js';
import { refusal } from './idempotency-problems.js';
import type { IdempotentRules } from './idempotent-options.js';

/**
 * The key of a request; `undefined` where there is none and none is needed.
 *
 * @throws HttpException 400
 */
export function keyOf(exchange: HttpExchange, { header, headerName, isRequired }: IdempotentRules): string | undefined {
  const value = exchange.header(header);
  if (value === undefined) {
    if (!isRequired) return undefined;
    const detail = `This request needs the header ${headerName}, with a key of its own. A repetition has the same key.`;
    throw refusal(exchange, 'missing', detail);
  }
  const parsed = parseKey(value);
  if ('key' in parsed) return parsed.key;
  throw refusal(exchange, 'invalid', `The header ${headerName} ${parsed.problem}.`);
}

/**
 * Whose key it is.
 *
 * @throws ArgumentError for what cannot tell one from another
 */
export function scopeOf({ scope, place }: IdempotentRules, request: object): string | undefined {
  const value = scope?.(request);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
  throw new ArgumentError(
    `The scope of @Idempotent() on ${place} is of type ${typeof value}. Give a text or a number, or undefined for nobody.`,
    { subject: place },
  );
}

/**
 * What tells a request from others with the same key.
 *
 * @throws HttpException 415, for what cannot be compared
 */
export function fingerprintOf(exchange: HttpExchange, rules: IdempotentRules): string {
  const address = [exchange.method, normalised(exchange.url)];
  if (rules.fingerprint) return fingerprint(...address, rules.fingerprint(exchange.request));
  const { body } = exchange.request;
  if (/^\s*multipart\//i.test(exchange.header('content-type') ?? '')) {
    throw refusal(exchange, 'incomparable', 'Uploads cannot be repeated safely here: send data without a file.');
  }
  if (body === undefined && hasContent(exchange)) {
    throw refusal(exchange, 'incomparable', 'A body of this Content-Type is not read here: send JSON.');
  }
  try {
    return fingerprint(...address, body);
  } catch (cause) {
    throw refusal(exchange, 'incomparable', 'The body is not plain data, or nested too deeply.', { cause });
  }
}

function hasContent(exchange: HttpExchange): boolean {
  return exchange.header('transfer-encoding') !== undefined || Number(exchange.header('content-length') ?? 0) > 0;
}
