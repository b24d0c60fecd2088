import type { IncomingHttpHeaders } from 'node:http';
import { ArgumentError } from '../../core/errors.js';
import { isFunction } from '../decorated-method.js';
import type { Callable } from '../decorated-method.js';
import type { HandlerKind } from '../handlers.js';
import type { Awaitable } from './rate-limit-options.js';
import type { By } from './rule.js';

/** One call of a handler or a method. */
export interface Call {
  readonly kind: HandlerKind | 'method';
  /** What functions of the options get. */
  readonly args: readonly unknown[];
  /** Their `this`. */
  readonly self: unknown;
  /** Where addresses, users and headers are looked for. */
  readonly request: unknown;
}

/** What requests, and the clients of WebSockets, may have of what we look for. */
interface Known {
  readonly ip?: unknown;
  readonly user?: Person;
  readonly tenantId?: unknown;
  readonly headers?: IncomingHttpHeaders;
  /** Of socket.io. */
  readonly handshake?: { readonly address?: unknown; readonly headers?: IncomingHttpHeaders };
  readonly data?: { readonly user?: Person } | null;
  /** Of ws. */
  readonly _socket?: { readonly remoteAddress?: unknown } | null;
}

type Person = { readonly id?: unknown; readonly tenantId?: unknown } | null;

/** Everybody's counter. */
const ALL = 'all';

/** Calls a function of the options. */
export function ask<T>(question: Callable, { self, args }: Call): T {
  return Reflect.apply(question, self, args) as T;
}

export function isPromise<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && isFunction((value as { readonly then?: unknown }).then);
}

/**
 * Whose counter a call has. What the values are taken from stands before them, so that nobody gets another's counter by
 * sending a header that looks like an address.
 *
 * @throws ArgumentError for who has neither a value nor an address
 */
export function subjectOf(by: By | undefined, call: Call, place: string): Awaitable<string> {
  if (by === undefined) return isAddressed(call) ? byAddress(call, place, 'ip') : ALL;
  if (by === 'ip') return byAddress(call, place, by);
  if (by === 'global') return ALL;
  if (isFunction(by)) {
    const value = ask<unknown>(by, call);
    if (!isPromise(value)) return named('by', value, call, place, 'a function');
    return Promise.resolve(value).then((settled) => named('by', settled, call, place, 'a function'));
  }
  const request = asKnown(call.request);
  if (by === 'user') return named('user', userOf(request)?.id, call, place, by);
  if (by === 'tenant') return named('tenant', userOf(request)?.tenantId ?? request.tenantId, call, place, by);
  const header = (request.headers ?? request.handshake?.headers)?.[by.header];
  return named('header', Array.isArray(header) ? header.join(', ') : header, call, place, `header ${by.header}`);
}

/** Whether callers of this kind come with an address. */
function isAddressed({ kind }: Call): boolean {
  return kind === 'http' || kind === 'graphql' || kind === 'ws';
}

function named(source: string, value: unknown, call: Call, place: string, by: string): string {
  if (value === undefined || value === null || value === '') return byAddress(call, place, by);
  if (typeof value === 'string' || typeof value === 'bigint') return `${source}:${value}`;
  if (typeof value === 'number' && Number.isFinite(value)) return `${source}:${value}`;
  throw new ArgumentError(
    `The rate limit of ${place} is by ${by}, which gave ${typeof value === 'number' ? String(value) : `a value of type ${typeof value}`}: it must be text or a number.`,
    { subject: place },
  );
}

function byAddress(call: Call, place: string, by: string): string {
  const { ip, handshake, _socket: socket } = asKnown(call.request);
  const address = ip ?? handshake?.address ?? socket?.remoteAddress;
  if (typeof address === 'string' && address !== '') return `ip:${address}`;
  const missing = by === 'ip' ? 'has no address' : `is by ${by}, and there is no value, nor an address to count by`;
  throw new ArgumentError(
    `The rate limit of ${place} ${missing}: nobody is counted together with others by mistake. Give a function that always has a value, or by: 'global'.`,
    { subject: place },
  );
}

function userOf({ user, data }: Known): Person | undefined {
  return user ?? data?.user;
}

function asKnown(request: unknown): Known {
  return Object(request) as Known;
}
