import type { HttpException } from '@nestjs/common';
import type { IdempotencyInProgressError } from '../../core/errors.js';
import { isValkeyError } from '../../core/errors.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { problem } from '../http/problem.js';

/** What makes the `type` of a problem; it leads to the draft, where each of these cases is described. */
const ABOUT = 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/';
/** Seconds after which a store that is away may be back. */
const STORE_RETRY = 5;

/** Ways a request can fail without its method running. */
const CASES = {
  missing: { status: 400, title: 'Idempotency key is missing' },
  invalid: { status: 400, title: 'Idempotency key is invalid' },
  'in-progress': { status: 409, title: 'A request with this idempotency key is still under way' },
  'not-replayable': { status: 409, title: 'The response of this idempotency key was not kept' },
  incomparable: { status: 415, title: 'The request cannot be compared with others' },
  reused: { status: 422, title: 'Idempotency key is already used' },
  unavailable: { status: 503, title: 'Idempotency keys cannot be checked' },
} as const;

/** The response of a request whose method does not run. */
export function refusal(
  exchange: HttpExchange,
  name: keyof typeof CASES,
  detail: string,
  { cause, retryAfter }: { readonly cause?: unknown; readonly retryAfter?: number } = {},
): HttpException {
  const { status, title } = CASES[name];
  const setHeader = (header: string, value: string): void => exchange.send(header, value);
  if (retryAfter !== undefined) setHeader('Retry-After', String(retryAfter));
  return problem(setHeader, status, { type: `${ABOUT}#${name}`, title, detail }, cause);
}

/** The response for what the service refuses with; anything else stays as it is. */
export function refusalOf(error: unknown, exchange: HttpExchange): unknown {
  if (isValkeyError(error, 'VALKEY_IDEMPOTENCY_IN_PROGRESS')) {
    const seconds = Math.max(1, Math.ceil((error as IdempotencyInProgressError).retryAfter / 1_000));
    const detail = `Its response is not there yet. Try again in ${seconds} s with the same key.`;
    return refusal(exchange, 'in-progress', detail, { cause: error, retryAfter: seconds });
  }
  if (isValkeyError(error, 'VALKEY_IDEMPOTENCY_KEY_REUSED')) {
    const detail =
      'It was used for another request. Make a new key for each new request, and repeat a request unchanged.';
    return refusal(exchange, 'reused', detail, { cause: error });
  }
  if (isValkeyError(error, 'VALKEY_IDEMPOTENCY_NOT_REPLAYABLE')) {
    const detail =
      'The request was processed before, and is not processed again. To try again with this key is of no use.';
    return refusal(exchange, 'not-replayable', detail, { cause: error });
  }
  if (isValkeyError(error, 'VALKEY_IDEMPOTENCY_UNAVAILABLE')) {
    const detail = 'The request was not processed. Try again with the same key.';
    return refusal(exchange, 'unavailable', detail, { cause: error, retryAfter: STORE_RETRY });
  }
  return error;
}
