import { createHash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';
import { typedJson } from '../../core/codec/typed-json.js';
import { ArgumentError } from '../../core/errors.js';

const inOrder = configure({ deterministic: true, circularValue: Error });

/**
 * What a piece of work is told apart by: the same for the same data, whatever the order of its keys.
 *
 * @throws ArgumentError for what cannot be written down, such as a stream
 */
export function fingerprint(...parts: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = bytesOf(part);
    // With its length, so that two parts cannot be read as two others.
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('base64url');
}

function bytesOf(part: unknown): Buffer {
  if (part === undefined) return Buffer.from('u');
  if (part instanceof Uint8Array) return Buffer.concat([Buffer.from('b'), part]);
  try {
    // First as typed JSON: two Maps would be the same to JSON, whatever is in them.
    if (!isStream(part))
      return Buffer.from(`j${inOrder(JSON.parse(typedJson.encode(part) as string) as unknown) ?? ''}`);
  } catch (error) {
    throw incomparable(error);
  }
  throw incomparable();
}

function isStream(part: unknown): boolean {
  const { pipe, getReader } = Object(part) as { readonly pipe?: unknown; readonly getReader?: unknown };
  return typeof pipe === 'function' || typeof getReader === 'function';
}

function incomparable(cause?: unknown): ArgumentError {
  return new ArgumentError(
    'The payload of an idempotent call cannot be compared with that of another: it is no plain data. Give plain data, text or bytes; of a stream or an upload a digest.',
    { subject: 'payload', cause },
  );
}
