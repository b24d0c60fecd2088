import { inspect, types } from 'node:util';

const EVERYTHING = {
  depth: Infinity,
  maxArrayLength: null,
  maxStringLength: null,
  breakLength: Infinity,
} as const;

/** All that could be read of something by whoever prints, serialises or looks into it; of bytes their text as well. */
export function fullText(what: unknown): string {
  if (typeof what === 'string') return what;
  const parts = [inspect(what, EVERYTHING), asJson(what)];
  for (let error = what; types.isNativeError(error); error = error.cause) {
    parts.push(String(error), error.stack ?? '', asJson(Object.entries(error)), inspect(error, EVERYTHING));
  }
  const buffers = parts[0]?.matchAll(/<Buffer((?: [0-9a-f]{2})+)/g) ?? [];
  for (const [, hex = ''] of buffers) parts.push(Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1'));
  return parts.join('\n');
}

function asJson(what: unknown): string {
  try {
    return JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '';
  } catch {
    // What refers back to itself; it has been inspected.
    return '';
  }
}
