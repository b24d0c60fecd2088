import { parseItem } from 'structured-headers';

/** Bytes; keys are ASCII. */
const LONGEST = 256;

/** Visible characters, without the comma that stands between two headers of one name. */
const BARE = /^[!#-+\--~]+$/;

/** What a header says: a key, or what is wrong with it. */
export type ParsedKey = { readonly key: string } | { readonly problem: string };

/**
 * Reads the header by draft-ietf-httpapi-idempotency-key-header: a string in quotation marks, whose parameters mean nothing; and
 * the bare form many clients send. `"a"` and `a` are the same key.
 */
export function parseKey(header: string): ParsedKey {
  const text = header.trim();
  const key = text.startsWith('"') ? quoted(text) : BARE.test(text) ? text : undefined;
  if (text === '' || key === '') return { problem: 'is empty' };
  if (key === undefined) return { problem: 'is not one key: visible ASCII characters, or a string in quotation marks' };
  if (key.length > LONGEST) return { problem: `is longer than ${LONGEST} bytes` };
  return { key };
}

function quoted(text: string): string | undefined {
  try {
    const [value] = parseItem(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    // What it says of the text is of no use to a client.
    return undefined;
  }
}
