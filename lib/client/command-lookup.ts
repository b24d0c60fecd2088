import { LRUCache } from 'lru-cache';
import { UnsupportedError, ValkeyError } from '../core/errors.js';
import type { Argument, Reply } from '../driver/driver.js';
import { FIRST_KEY, NO_KEYS } from './commands/command.js';
import type { CommandDescription, KeyPositions } from './commands/command.js';
import type { Dispatcher } from './dispatcher.js';
import type { Scope } from './scope.js';

/** Commands remembered at the most. */
const REMEMBERED = 500;

const COMMAND: CommandDescription = {
  name: 'COMMAND',
  keys: NO_KEYS,
  readOnly: true,
  retrySafe: true,
  blocking: false,
};

/** What the server says of a command: flags and where its keys are; `keys` is missing where only GETKEYS can tell. */
interface ServerDescription {
  readonly readOnly: boolean;
  readonly blocking: boolean;
  readonly keys: KeyPositions | undefined;
}

/** Finds out about commands this library does not know: modules' and newer servers'. */
export class CommandLookup {
  readonly #dispatcher: Dispatcher;
  readonly #known = new LRUCache<string, ServerDescription>({ max: REMEMBERED });

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** Describes this call of `name`; asks the server where our table does not know it. */
  async describe(name: string, args: readonly Argument[], scope: Scope): Promise<CommandDescription> {
    const known = this.#known.get(name) ?? (await this.#askInfo(name, scope));
    this.#known.set(name, known);
    const keys = known.keys ?? (await this.#askKeys(name, args, scope));
    return { name, keys, readOnly: known.readOnly, retrySafe: known.readOnly, blocking: known.blocking };
  }

  async #askInfo(name: string, scope: Scope): Promise<ServerDescription> {
    const reply = await this.#ask(['INFO', name], scope);
    const row = Array.isArray(reply) ? (reply[0] as Reply) : null;
    if (!Array.isArray(row)) {
      throw new UnsupportedError(
        `The server does not know the command ${name}. Check its spelling and the server's version.`,
        {
          subject: name,
        },
      );
    }
    const [, , flags, first, last, step] = row as readonly Reply[];
    const words = new Set((flags as readonly Reply[]).map(String));
    return {
      readOnly: words.has('readonly'),
      blocking: words.has('blocking'),
      keys: words.has('movablekeys') ? undefined : positions(Number(first), Number(last), Number(step)),
    };
  }

  /** The server names the keys; where they stand among the arguments is found by comparing, in order. */
  async #askKeys(name: string, args: readonly Argument[], scope: Scope): Promise<KeyPositions> {
    const reply = await this.#ask(['GETKEYS', name, ...args], scope).catch((error: unknown) => {
      // "The command has no key arguments" is an answer.
      if (error instanceof ValkeyError && error.message.includes('no key arguments')) return [];
      throw error;
    });
    const places: number[] = [];
    for (const key of reply as readonly Reply[]) {
      const place = args.findIndex((arg, index) => index > (places.at(-1) ?? -1) && String(arg) === String(key));
      if (place === -1) throw ambiguous(name);
      places.push(place);
    }
    return { kind: 'custom', find: () => places };
  }

  #ask(args: readonly Argument[], scope: Scope): Promise<Reply> {
    return this.#dispatcher.request({ command: COMMAND, args, decode: (reply) => reply, binary: false }, scope);
  }
}

/** COMMAND INFO counts from 1, the command's own name being 0; and a first key of 0 means that there is none. */
function positions(first: number, last: number, step: number): KeyPositions {
  if (first === 0) return NO_KEYS;
  if (first === 1 && last === 1) return FIRST_KEY;
  return { kind: 'range', first: first - 1, last: last < 0 ? last : last - 1, step };
}

function ambiguous(name: string): UnsupportedError {
  return new UnsupportedError(
    `It cannot be told which arguments of ${name} are keys: the server names them in another order. Use native().`,
    { subject: name },
  );
}
