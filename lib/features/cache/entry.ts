import { randomFillSync } from 'node:crypto';

/**
 * What is stored: one line of header, then the value as its codec wrote it.
 *
 *     nv1 <id> <fresh until> <expires at> <format> <generation> [<tag>=<generation> …]\n<value>
 *
 * Times are the server's, in milliseconds; scripts write them, so no clock of a process is involved.
 */
export interface Entry extends EntryGenerations {
  /** Never repeats: two entries with the same id are the same one. */
  readonly id: string;
  readonly freshUntil: number;
  readonly expiresAt: number;
  /** How `payload` is written. */
  readonly format: string;
  readonly payload: string | Buffer;
}

/** The generations that were current when the load of an entry began: it is valid while they are. */
export interface EntryGenerations {
  /** The cache's own. */
  readonly generation: string;
  readonly tags: readonly TagGeneration[];
}

/** A tag with its generation. */
export interface TagGeneration {
  readonly tag: string;
  readonly token: string;
}

const MARK = 'nv1 ';
const ID = 16;
/** Length of mark and id: what the lease script compares. */
export const HEAD = MARK.length + ID;
const FIELDS = 5;

/** The part of the header before the times, which only the script knows. */
export function headOf(id: string): string {
  return MARK + id;
}

/** The part after the times. */
export function tailOf(format: string, { generation, tags }: EntryGenerations): string {
  let text = ` ${format} ${generation}`;
  for (const { tag, token } of tags) text += ` ${encodeURIComponent(tag)}=${token}`;
  return `${text}\n`;
}

/** @returns the entry, or `undefined` for what no version of ours has written */
export function readEntry(raw: string | Buffer): Entry | undefined {
  const isText = typeof raw === 'string';
  const end = isText ? raw.indexOf('\n') : raw.indexOf(0x0a);
  if (end < HEAD) return undefined;
  const header = isText ? raw.slice(0, end) : raw.toString('utf8', 0, end);
  if (!header.startsWith(MARK)) return undefined;
  const fields = header.slice(MARK.length).split(' ');
  if (fields.length < FIELDS) return undefined;
  const [id = '', fresh, expires, format = '', generation = ''] = fields;
  const freshUntil = Number(fresh);
  const expiresAt = Number(expires);
  if (!Number.isFinite(freshUntil) || !Number.isFinite(expiresAt)) return undefined;
  const tags = fields.length === FIELDS ? NO_TAGS : readTags(fields.slice(FIELDS));
  if (!tags) return undefined;
  const payload = isText ? raw.slice(end + 1) : raw.subarray(end + 1);
  return { id, freshUntil, expiresAt, format, generation, tags, payload };
}

/** Mark and id of whatever is there, as the lease script sees them. */
export function headSeen(raw: string | Buffer | null): string {
  if (raw === null) return '';
  return typeof raw === 'string' ? raw.slice(0, HEAD) : raw.toString('latin1', 0, HEAD);
}

const NO_TAGS: readonly TagGeneration[] = [];

function readTags(fields: readonly string[]): readonly TagGeneration[] | undefined {
  try {
    return fields.map((field) => {
      const mark = field.lastIndexOf('=');
      return { tag: decodeURIComponent(field.slice(0, mark)), token: field.slice(mark + 1) };
    });
  } catch {
    return undefined;
  }
}

const pool = Buffer.alloc(12 * 256);
let used = pool.length;

/** A text that never repeats, of 16 characters: 96 random bits. */
export function token(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 12;
  return pool.toString('base64url', used - 12, used);
}
