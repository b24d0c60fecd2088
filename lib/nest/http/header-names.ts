import type { Check } from '../../options/checks.js';

/** What a stored response always keeps of its headers. */
const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
];

/** Of one message or one person only, or made anew for each response. */
const UNKEPT_HEADERS = new Set([
  'age',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'www-authenticate',
]);

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** Headers to be kept beside the usual ones. */
export const isKeptHeaders: Check = (value) =>
  isHeaderNames(value, UNKEPT_HEADERS)
    ? undefined
    : `a list of names of headers, none of them ${[...UNKEPT_HEADERS].join(', ')}`;

/** What a stored response keeps of its headers. */
export function keptHeaders(others: readonly string[]): readonly string[] {
  return lowered([...KEPT_HEADERS, ...others]);
}

/** Names as they are compared, each once, always in the same order. */
export function lowered(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].toSorted();
}

export function isHeaderNames(value: unknown, refused: ReadonlySet<string>): boolean {
  return (
    Array.isArray(value) &&
    value.every((name) => typeof name === 'string' && HEADER_NAME.test(name) && !refused.has(name.toLowerCase()))
  );
}
