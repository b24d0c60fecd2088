import { randomFillSync } from 'node:crypto';

/**
 * What is stored: one line of header, then the value as its codec wrote it.
 *
 *     nv1 <id> <fresh until> <expires at> <format> <generation> [<tag>=<generation> …]\n<value>
 *
 * Times are the server's, in milliseconds; scripts write them, so no clock of a process is involved. What a hit only
 * compares is cut out of the header for whoever asks, and not before.
 */
export class Entry implements EntryGenerations {
  readonly freshUntil: number;
  readonly expiresAt: number;
  readonly tags: readonly TagGeneration[];
  readonly payload: string | Buffer;
  readonly #header: string;
  /** Where the format ends. */
  readonly #formatEnd: number;

  constructor(
    header: string,
    freshUntil: number,
    expiresAt: number,
    formatEnd: number,
    tags: readonly TagGeneration[],
    payload: string | Buffer,
  ) {
    this.#header = header;
    this.freshUntil = freshUntil;
    this.expiresAt = expiresAt;
    this.#formatEnd = formatEnd;
    this.tags = tags;
    this.payload = payload;
  }

  /** Never repeats: two entries with the same id are the same one. */
  get id(): string {
    return this.#header.slice(MARK.length, HEAD);
  }

  /** How `payload` is written. */
  get format(): string {
    return this.#header.slice(TIMES_END + 1, this.#formatEnd);
  }

  get generation(): string {
    return this.#header.slice(this.#formatEnd + 1, this.#formatEnd + 1 + ID);
  }

  isWrittenAs(format: string): boolean {
    return TIMES_END + 1 + format.length === this.#formatEnd && this.#header.startsWith(format, TIMES_END + 1);
  }

  isOf(generation: string | undefined): boolean {
    return generation?.length === ID && this.#header.startsWith(generation, this.#formatEnd + 1);
  }
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
/** Digits of a time. */
const TIME = 13;
const ZERO = 0x30;
/** Where the two times end. */
const TIMES_END = HEAD + 2 * (1 + TIME);

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
  if (end < TIMES_END) return undefined;
  const header = isText ? raw : raw.toString('latin1', 0, end + 1);
  if (!header.startsWith(MARK)) return undefined;
  const freshUntil = timeIn(header, HEAD + 1);
  const expiresAt = timeIn(header, HEAD + TIME + 2);
  const formatEnd = header.indexOf(' ', TIMES_END + 1);
  const generationEnd = formatEnd + 1 + ID;
  // NaN for what is no time.
  if (!(freshUntil > 0 && expiresAt > 0) || formatEnd < 0 || generationEnd > end) return undefined;
  const tags = generationEnd === end ? NO_TAGS : readTags(header.slice(generationEnd + 1, end));
  if (!tags) return undefined;
  const payload = isText ? raw.slice(end + 1) : raw.subarray(end + 1);
  return new Entry(header, freshUntil, expiresAt, formatEnd, tags, payload);
}

/** Digit by digit: a text of its own to read each time from would cost more. */
function timeIn(header: string, at: number): number {
  let time = 0;
  for (let index = at; index < at + TIME; index += 1) {
    const digit = header.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    time = time * 10 + digit;
  }
  return time;
}

/** Mark and id of whatever is there, as the lease script sees them. */
export function headSeen(raw: string | Buffer | null): string {
  if (raw === null) return '';
  return typeof raw === 'string' ? raw.slice(0, HEAD) : raw.toString('latin1', 0, HEAD);
}

const NO_TAGS: readonly TagGeneration[] = [];

function readTags(text: string): readonly TagGeneration[] | undefined {
  try {
    return text.split(' ').map((field) => {
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
