import { readFileSync } from 'node:fs';

/**
 * The process this code really runs in. The `process` of a jest sandbox is a copy that hears no events; the realm of a
 * core function is the host's.
 */
export const hostProcess = (readFileSync.constructor as FunctionConstructor)('return process')() as NodeJS.Process;
