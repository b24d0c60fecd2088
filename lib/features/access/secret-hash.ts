import { createHash } from 'node:crypto';

/** The SHA-256 of a secret in hexadecimal: what may be stored of it. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
