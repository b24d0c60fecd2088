import { UnsupportedError, ValkeyError } from '../../core/errors.js';
import type { Argument, Operation, Reply } from '../driver.js';
import type { EmbeddedScriptContext, Script } from '../script.js';
import { upper } from './command.js';
import { integer } from './data/numbers.js';
import type { Runner } from './runner.js';
import { fromScript, present, presentToScript } from './presentation.js';
import { refusal, toValkeyError, wrongArity } from './refusal.js';

/** Runs a script's twin, as one. Its arguments are those of EVALSHA: a SHA or text, the number of keys, keys, others. */
export function runScript(engine: Runner, operation: Operation): Reply {
  const twin = twinOf(operation);
  const [keys, args] = keysAndArgs(operation.args);
  const context: EmbeddedScriptContext = {
    call: (command, ...given) => {
      const name = upper(command);
      try {
        return presentToScript(engine.invoke(name, given.map(asArgument)));
      } catch (error) {
        throw toValkeyError(error, name);
      } finally {
        engine.store.trim();
      }
    },
    now: () => engine.store.now(),
  };
  const reply = twin(context, keys, args);
  if (reply instanceof ValkeyError) throw reply;
  return present(fromScript(reply), operation.binary);
}

/** Refuses a script that cannot run here. */
export function checkScript(operation: Operation): void {
  twinOf(operation);
}

function twinOf({ command, script }: Operation): NonNullable<Script['embedded']> {
  if (script?.embedded !== undefined) return script.embedded;
  throw new UnsupportedError(
    `The embedded driver runs no Lua: give defineScript() of "${script?.name ?? command}" an \`embedded\` function that does the same.`,
    { subject: script?.name ?? command },
  );
}

function keysAndArgs(args: readonly Argument[]): readonly [readonly Argument[], readonly Argument[]] {
  const [, count, ...others] = args;
  if (count === undefined) throw wrongArity('evalsha');
  const keys = integer(count);
  if (keys > others.length) throw refusal("Number of keys can't be greater than number of args");
  if (keys < 0) throw refusal("Number of keys can't be negative");
  return [others.slice(0, keys), others.slice(keys)];
}

function asArgument(argument: Argument | number): Argument {
  return typeof argument === 'number' ? String(argument) : argument;
}
