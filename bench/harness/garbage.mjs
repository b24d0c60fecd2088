import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** @returns {(options?: { type: 'minor' }) => void} what `--expose-gc` would give, without having to start Node with it */
export function garbageCollector() {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
