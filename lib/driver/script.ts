import { createHash } from 'node:crypto';
import { ArgumentError } from '../core/errors.js';
import type { Argument, Reply } from './reply.js';

/** What a script's twin in the embedded driver may do: run commands on the store, atomically, and read its clock. */
export interface EmbeddedScriptContext {
  /** Runs one command on the store, like `server.call` in Lua. Throws the server's error. */
  call(command: string, ...args: readonly (Argument | number)[]): Reply;
  /** The store's clock in milliseconds since the epoch, the twin of TIME. */
  now(): number;
}

/** How a script is written down. */
export interface ScriptDefinition {
  /** For errors and metrics. */
  readonly name: string;
  /** The Lua text. Keys come in KEYS, everything else in ARGV. */
  readonly lua: string;
  /** Whether it changes nothing; then a replica may run it. Default false. */
  readonly readOnly?: boolean;
  /** Whether running it twice is the same as running it once; then a lost reply may be retried. Default: `readOnly`. */
  readonly retrySafe?: boolean;
  /** The same in TypeScript, for the embedded driver. Default: none, and running the script there is a clear error. */
  readonly embedded?: (context: EmbeddedScriptContext, keys: readonly Argument[], args: readonly Argument[]) => Reply;
}

/** A script ready to run by its SHA, see {@link defineScript}. */
export interface Script {
  /** For errors and metrics. */
  readonly name: string;
  /** The Lua text. */
  readonly lua: string;
  /** SHA-1 of the text, by which servers know it. */
  readonly sha: string;
  /** Whether it changes nothing; then a replica may run it. */
  readonly readOnly: boolean;
  /** Whether a lost reply may be retried. */
  readonly retrySafe: boolean;
  /** Its twin for the embedded driver, if it has one. */
  readonly embedded: ScriptDefinition['embedded'];
}

/**
 * Prepares a script once, at module level; `client.run(script, keys, args)` then sends its SHA, and the text only to a
 * server that does not know it.
 *
 * @example
 * ```ts
 * const increment = defineScript({
 *   name: 'increment-with-ttl',
 *   lua: `local n = server.call('INCR', KEYS[1])
 *         if n == 1 then server.call('PEXPIRE', KEYS[1], ARGV[1]) end
 *         return n`,
 * });
 * ```
 */
export function defineScript(definition: ScriptDefinition): Script {
  if (definition.lua.trim() === '') {
    throw new ArgumentError(`The script "${definition.name}" has no text.`, { subject: definition.name });
  }
  const readOnly = definition.readOnly ?? false;
  return Object.freeze({
    name: definition.name,
    lua: definition.lua,
    sha: createHash('sha1').update(definition.lua).digest('hex'),
    readOnly,
    retrySafe: definition.retrySafe ?? readOnly,
    embedded: definition.embedded,
  });
}
