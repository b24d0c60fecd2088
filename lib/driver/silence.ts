import type { Settings } from '../options/settings.js';

/** However patient the deadlines are, so long a silence is too long. */
const LONGEST_SILENCE = 1_000;

/** Milliseconds for which a server that owes an answer may say nothing. */
export function silenceOf({ read, write }: Pick<Settings['timeouts'], 'read' | 'write'>): number {
  return Math.min(LONGEST_SILENCE, read, write);
}
