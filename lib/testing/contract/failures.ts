import assert from 'node:assert/strict';
import type { ErrorCode } from '../../core/errors.js';

/** The promise has to reject with the server's error of this kind: `WRONGTYPE`, `ERR`. */
export function refusedBy(promise: Promise<unknown>, kind: string, words = /./): Promise<void> {
  return assert.rejects(promise, { code: 'VALKEY_REPLY', kind, message: words });
}

/** The promise has to reject with an error of this code. */
export function failsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(promise, { code });
}
