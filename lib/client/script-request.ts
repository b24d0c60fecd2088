import type { Script } from '../driver/script.js';
import { toArguments, toNames } from './arguments.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder, Key, Value } from './commands/command-set.js';
import type { Request } from './request.js';

/** The request that runs a script: EVALSHA from its SHA, EVAL where the text has to go along. */
export function scriptRequest<T>(
  name: 'EVALSHA' | 'EVAL',
  script: Script,
  keys: readonly Key[],
  args: readonly Value[],
  decode: Decoder<T>,
  binary: boolean,
): Request<T> {
  return {
    command: describeScript(name, script),
    args: [
      script.sha,
      String(keys.length),
      ...toNames<Key & string>(script.name, 'keys', keys),
      ...toArguments(script.name, args),
    ],
    decode,
    binary,
    plan: { script },
  };
}

function describeScript(name: string, { readOnly, retrySafe }: Script): CommandDescription {
  return { name, keys: { kind: 'numkeys', at: 1 }, readOnly, retrySafe, blocking: false };
}
