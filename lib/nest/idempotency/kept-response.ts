import { HttpException } from '@nestjs/common';
import { EncodeError } from '../../core/codec/codec.js';
import { DecodeError } from '../../core/codec/codec.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { bodyOf, storedBody } from '../http/response-body.js';
import type { StoredBody } from '../http/response-body.js';

/** What a method did: gave a body, gave one of which no plain data could be made, or threw. */
export type RouteOutcome =
  | { readonly kind: 'given'; readonly status: number; readonly headers: KeptHeaders; readonly body: unknown }
  | {
      readonly kind: 'spoilt' | 'thrown';
      readonly status: number;
      readonly headers: KeptHeaders;
      readonly body: unknown;
      readonly error: unknown;
    };

type KeptHeaders = Readonly<Record<string, string>>;

/** A response as it is stored. */
interface KeptResponse {
  readonly status: number;
  readonly headers: KeptHeaders;
  readonly body: StoredBody;
  /** It was thrown, and is to be thrown again: the application's filters make the response of it. */
  readonly isThrown: boolean;
}

/** Status of what is thrown and says none. */
const UNEXPECTED = 500;

/** Looks at what a method has given. */
export function givenOutcome(
  exchange: HttpExchange,
  body: unknown,
  headers: readonly string[],
): Extract<RouteOutcome, { readonly kind: 'given' }> {
  return { kind: 'given', status: exchange.status, headers: sentHeaders(exchange, headers), body };
}

/** Looks at what a method has thrown. */
export function thrownOutcome(exchange: HttpExchange, error: unknown, headers: readonly string[]): RouteOutcome {
  const known = error instanceof HttpException;
  return {
    kind: 'thrown',
    status: known ? error.getStatus() : UNEXPECTED,
    headers: sentHeaders(exchange, headers),
    body: known ? error.getResponse() : undefined,
    error,
  };
}

/** Whether it can be kept at all: what made no HttpException of it is known to the application's filters only. */
export function isKnown(outcome: RouteOutcome): boolean {
  return outcome.kind !== 'thrown' || outcome.error instanceof HttpException;
}

/**
 * The form in which a response is stored.
 *
 * @throws EncodeError for what cannot be given again, with what to do
 */
export function encodeResponse({ kind, status, headers, body }: RouteOutcome, exchange: HttpExchange): string {
  if (exchange.isSent) throw new EncodeError('the method has written the response by itself.');
  const stored = storedBody(body);
  if (stored === 'instance') {
    throw new EncodeError(
      'it holds instances of classes, which interceptors may treat unlike plain data. Say how plain data is made of it: { toPlain: (body) => … }.',
    );
  }
  if (stored === 'unstorable') {
    throw new EncodeError(
      'it is a stream, or nothing that JSON can say. Give data, and serve the stream by a GET route.',
    );
  }
  const response: KeptResponse = { status, headers, body: stored, isThrown: kind === 'thrown' };
  return JSON.stringify(response);
}

/** @throws DecodeError for what is no response: another version of this package may have written it */
export function decodeResponse(kept: Buffer): RouteOutcome {
  const response: unknown = JSON.parse(kept.toString('utf8'));
  if (!isKeptResponse(response)) throw new DecodeError('What is stored is no response of an idempotent route.');
  const { status, headers, isThrown } = response;
  const body = bodyOf(response.body);
  if (!isThrown) return { kind: 'given', status, headers, body };
  return { kind: 'thrown', status, headers, body, error: new HttpException(body as object | string, status) };
}

/** Puts status and headers of a stored response into the exchange. */
export function prepareReplay(exchange: HttpExchange, { status, headers }: RouteOutcome): void {
  exchange.status = status;
  for (const [name, value] of Object.entries(headers)) exchange.send(name, value);
}

function sentHeaders(exchange: HttpExchange, names: readonly string[]): KeptHeaders {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = exchange.sent(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function isKeptResponse(value: unknown): value is KeptResponse {
  const { status, headers, body, isThrown } = Object(value) as Partial<KeptResponse>;
  const hasBody = typeof body === 'object' && typeof body?.kind === 'string';
  return typeof status === 'number' && typeof headers === 'object' && hasBody && typeof isThrown === 'boolean';
}
