import type { Reply } from '../driver/driver.js';
import type { Script } from '../driver/script.js';
import { AllCommands } from './commands/all-commands.js';
import { asIs } from './request.js';
import type { Decoder, Key, Mode, Shape, Value } from './commands/command-set.js';

/** How `run` reads a script's reply. */
export interface RunOptions<T> {
  /** Makes the result out of the reply. Default: the reply as it is. */
  readonly decode?: (reply: Reply) => T;
  /** Gives text in the reply as Buffers. Default false. */
  readonly binary?: boolean;
}

/**
 * All commands, and scripts.
 *
 * @internal
 */
export abstract class ClientCommands<M extends Mode> extends AllCommands<M> {
  protected abstract sendScript<T>(
    script: Script,
    keys: readonly Key[],
    args: readonly Value[],
    decode: Decoder<T>,
    binary: boolean,
  ): Shape<M, T>;

  /** Runs a script made with `defineScript`, by its SHA; a server that does not know it gets the text. */
  run<T = Reply>(
    script: Script,
    keys: readonly Key[] = [],
    args: readonly Value[] = [],
    options: RunOptions<T> = {},
  ): Shape<M, T> {
    const { decode = asIs as (reply: Reply) => T, binary = false } = options;
    return this.sendScript(script, keys, args, decode, binary);
  }
}
