import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Codec } from '../../core/codec/codec.js';
import type { Entry } from './entry.js';

const GZIP = '+gzip';
const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** A value as it is stored, and how. */
export interface Packed {
  readonly format: string;
  readonly payload: string | Buffer;
}

/** Compresses what is at least `threshold` bytes long, if that makes it smaller. */
export async function pack(encoded: string | Buffer, codec: Codec, threshold: number): Promise<Packed> {
  const plain: Packed = { format: codec.name, payload: encoded };
  if (encoded.length < threshold) return plain;
  const payload = await zip(encoded);
  return payload.length < Buffer.byteLength(encoded) ? { format: codec.name + GZIP, payload } : plain;
}

/** The value as its codec wrote it, where it is not compressed; `undefined` where it is, or is another codec's. */
export function plainPayload(entry: Entry, { name, binary = false }: Codec): string | Buffer | undefined {
  if (!entry.isWrittenAs(name)) return undefined;
  const { payload } = entry;
  if (binary) return typeof payload === 'string' ? undefined : payload;
  return typeof payload === 'string' ? payload : payload.toString();
}

/** @throws for what another codec has written, and for what is damaged */
export async function unpack({ format, payload }: Entry, codec: Codec): Promise<string | Buffer> {
  if (format !== codec.name + GZIP || typeof payload === 'string') throw new TypeError(`unknown format ${format}`);
  const bytes = await unzip(payload, { maxOutputLength: MOST_BYTES });
  return codec.binary ? bytes : bytes.toString();
}

/** An entry that unpacks to more is no entry of ours: the server takes no larger value. */
const MOST_BYTES = 512 * 1024 * 1024;
