/** A body as it is stored: what the framework writes is the same whether it gets the original or what this is read back to. */
export type StoredBody =
  { readonly kind: 'none' } | { readonly kind: 'text' | 'json' | 'base64'; readonly data: string };

/** Why a body is not stored. */
export type Unstorable =
  /** A stream, a function, what JSON cannot say. */
  | 'unstorable'
  /** It holds instances of classes: an interceptor around this one may treat them unlike plain data. */
  | 'instance';

/** Turns what a method gives into what can be stored. */
export function storedBody(body: unknown): StoredBody | Unstorable {
  if (body === undefined) return { kind: 'none' };
  if (typeof body === 'string') return { kind: 'text', data: body };
  if (Buffer.isBuffer(body)) return { kind: 'base64', data: body.toString('base64') };
  if (typeof body === 'number' && !Number.isFinite(body)) return 'unstorable';
  if (isStreamlike(body)) return 'unstorable';
  const data = jsonOf(body);
  if (data === undefined) return 'unstorable';
  try {
    return isPlain(body) ? { kind: 'json', data } : 'instance';
  } catch {
    // Nested too deeply to be looked at.
    return 'unstorable';
  }
}

/** What the framework gets. */
export function bodyOf(stored: StoredBody): unknown {
  switch (stored.kind) {
    case 'none':
      return undefined;
    case 'text':
      return stored.data;
    case 'json':
      return JSON.parse(stored.data);
    case 'base64':
      return Buffer.from(stored.data, 'base64');
  }
}

function jsonOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch {
    // It holds itself, or a bigint: sending it fails as well, where it is reported.
    return undefined;
  }
}

/** Streams of any kind, and what Nest makes one of. */
function isStreamlike(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { pipe, getStream, getReader, stream, arrayBuffer } = body as Readonly<Record<string, unknown>>;
  return [pipe, getStream, getReader, stream, arrayBuffer].some(isFunction) || Symbol.asyncIterator in body;
}

/** Whether it is plain data to the ground. Dates are: they only say when. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Date) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm have another Object.prototype.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  return !isFunction((value as { readonly toJSON?: unknown }).toJSON) && Object.values(value).every(isPlain);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
