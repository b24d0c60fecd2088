import { shortName, wellFormed } from '../../core/stored-name.js';

/** Everything of the caches begins with this: one prefix to hear about from the server. */
export const ROOT = 'cache:';
/** Buckets of the epochs, see {@link epochName}. */
export const EPOCHS = 64;
const LEASE = '!lease';
const KEY = 'The key of a cache entry';

/** The common beginning of the names of one cache: `cache:products:1`. Neither part can hold a brace or a colon. */
export function spaceName(cache: string, version: string): string {
  return `${ROOT}${cache}:${version}`;
}

/** Where an entry is stored. The braces make it share a slot with its lease, whatever the key is. */
export function entryName(space: string, key: string): string {
  return `${space}{:${key}}`;
}

/** The lease of an entry. */
export function leaseName(entry: string): string {
  return entry + LEASE;
}

/** Where the generation of a tag is stored. */
export function tagName(tag: string): string {
  return `${ROOT}#tag{:${tag}}`;
}

/** Where the generation of a whole cache is stored. */
export function generationName(space: string): string {
  return `${ROOT}#space{:${space}}`;
}

/**
 * Where it is noted that some tag of a bucket was invalidated. Who learns its tags from a result only could not know
 * what happened to them during the load; the buckets tell. They share one slot, so that they are read in one command.
 */
export function epochName(bucket: number): string {
  return `${ROOT}#epoch{:}${bucket}`;
}

/** The bucket of a tag. */
export function epochOf(tag: string): number {
  let hash = 0;
  for (let index = 0; index < tag.length; index += 1) hash = (Math.imul(hash, 31) + tag.charCodeAt(index)) | 0;
  return (hash >>> 0) % EPOCHS;
}

/** What a stored name stands for. */
export type Named =
  { readonly kind: 'entry' | 'lease'; readonly space: string; readonly key: string } | { readonly kind: 'generation' };

/** Reads a name back. Anything else under our prefix is no name of ours. */
export function readName(name: string): Named | undefined {
  if (name.startsWith('#', ROOT.length)) return { kind: 'generation' };
  const brace = name.indexOf('{:');
  if (brace < 0) return undefined;
  const space = name.slice(0, brace);
  if (name.endsWith(`}${LEASE}`)) return { kind: 'lease', space, key: name.slice(brace + 2, -LEASE.length - 1) };
  return name.endsWith('}') ? { kind: 'entry', space, key: name.slice(brace + 2, -1) } : undefined;
}

/**
 * The key as it is stored: itself, or its hash when it is long.
 *
 * @throws {ArgumentError} for what is no key
 */
export function storedKey(key: string): string {
  return shortName(key, KEY);
}

/** Half a surrogate pair would become the same bytes as any other half: two keys would be one. */
export function checked(key: string): string {
  return wellFormed(key, KEY);
}
