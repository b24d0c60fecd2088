import type { IncomingHttpHeaders } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';

/** The framework's request, as far as all frameworks agree. */
export interface AnyRequest {
  readonly headers: IncomingHttpHeaders;
  readonly user?: unknown;
  readonly body?: unknown;
}

/** One request and its response, seen through Nest's adapter: whatever framework is below. */
export class HttpExchange {
  readonly request: AnyRequest;
  readonly #response: unknown;
  readonly #adapter: AbstractHttpAdapter;

  constructor(adapter: AbstractHttpAdapter, request: AnyRequest, response: unknown) {
    this.request = request;
    this.#response = response;
    this.#adapter = adapter;
  }

  get method(): string {
    return String(this.#adapter.getRequestMethod(this.request));
  }

  /** As the client sent it. */
  get url(): string {
    return String(this.#adapter.getRequestUrl(this.request));
  }

  /** A header of the request. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get status(): number {
    return (this.#response as { readonly statusCode: number }).statusCode;
  }

  set status(code: number) {
    this.#adapter.status(this.#response, code);
  }

  get isSent(): boolean {
    return Boolean(this.#adapter.isHeadersSent(this.#response));
  }

  /** A header of the response as it is now. */
  sent(name: string): string | undefined {
    const value = (
      this.#adapter.getHeader as (
        response: unknown,
        name: string,
      ) => string | number | readonly string[] | null | undefined
    )(this.#response, name);
    if (value === undefined || value === null) return undefined;
    return Array.isArray(value) ? value.join(', ') : String(value);
  }

  send(name: string, value: string): void {
    this.#adapter.setHeader(this.#response, name, value);
  }

  /** Names headers of the request the response depends on, beside those that are named already. */
  sendVary({ names, text }: HeaderNames): void {
    if (names.length === 0) return;
    const before = this.sent('vary');
    if (before === undefined) {
      this.send('Vary', text);
      return;
    }
    const named = namesIn(before);
    const known = new Set(named.map((name) => name.toLowerCase()));
    const added = names.filter((name) => !known.has(name.toLowerCase()));
    if (added.length > 0 && !known.has('*')) this.send('Vary', [...named, ...added].join(', '));
  }
}

/** Names of headers, and how they are written in one. */
export interface HeaderNames {
  readonly names: readonly string[];
  readonly text: string;
}

export function headerNames(names: readonly string[]): HeaderNames {
  return { names, text: names.join(', ') };
}

/** The names in a list of header names. */
export function namesIn(list: string | undefined): readonly string[] {
  return (list ?? '').split(',').flatMap((name) => name.trim() || []);
}
