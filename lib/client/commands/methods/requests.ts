import { ArgumentError, ValkeyError } from '../../../core/errors.js';
import type { Argument } from '../../../driver/driver.js';
import {
  CommandSet,
  type Decoder,
  type Key,
  type Mode,
  type Shape,
  type SplitRule,
  type Value,
} from '../command-set.js';
import type { CommandDescription } from '../command.js';
import { keyIndexes } from '../table.js';

/** Any number of things, one by one or as one array: `del('a', 'b')` and `del(['a', 'b'])`. */
export type Many<T> = readonly T[] | readonly [readonly T[]];

/** Names with their values: an object, a Map, or pairs. */
export type Pairs<N = Key> =
  Readonly<Record<string, Value>> | ReadonlyMap<N, Value> | readonly (readonly [name: N, value: Value])[];

/**
 * How the typed methods send: arguments are checked and numbers written out here, once for all of them.
 *
 * @internal
 */
export abstract class Requests<M extends Mode> extends CommandSet<M> {
  /** Sends a command whose arguments may still be numbers; refuses what cannot be sent. */
  protected request<T>(
    command: CommandDescription,
    args: readonly Value[],
    decode: Decoder<T>,
    binary?: boolean,
  ): Shape<M, T> {
    const wire = toWire(command, args);
    return wire instanceof ArgumentError ? this.refuse(wire) : this.send(command, wire, decode, binary);
  }

  /** The same for a command over many keys. */
  protected requestSplit<T>(
    command: CommandDescription,
    args: readonly Value[],
    rule: SplitRule,
    decode: Decoder<T>,
    binary?: boolean,
  ): Shape<M, T> {
    const wire = toWire(command, args);
    return wire instanceof ArgumentError ? this.refuse(wire) : this.sendSplit(command, wire, rule, decode, binary);
  }

  /** Turns what `make` throws about its arguments into a refusal. */
  protected guarded<T>(make: () => Shape<M, T>): Shape<M, T> {
    try {
      return make();
    } catch (error) {
      if (error instanceof ValkeyError) return this.refuse(error);
      throw error;
    }
  }
}

/** The arguments as they are sent, or why they cannot be. All-text ones, by far the most, are passed on uncopied. */
function toWire(command: CommandDescription, args: readonly Value[]): readonly Argument[] | ArgumentError {
  for (let index = 0; index < args.length; index += 1) {
    if (typeof args[index] !== 'string') return writeOut(command, args);
  }
  return args as readonly string[];
}

function writeOut(command: CommandDescription, args: readonly Value[]): readonly Argument[] | ArgumentError {
  const wire: Argument[] = [];
  let numbers = false;
  for (const [index, argument] of args.entries()) {
    if (typeof argument === 'string' || Buffer.isBuffer(argument)) {
      wire.push(argument);
    } else if (typeof argument === 'bigint' || Number.isFinite(argument)) {
      wire.push(String(argument));
      numbers = true;
    } else {
      return flaw(command, args, index);
    }
  }
  if (numbers) {
    const key = keyIndexes(command, wire).find(
      (index) => typeof args[index] !== 'string' && !Buffer.isBuffer(args[index]),
    );
    if (key !== undefined) return flaw(command, args, key);
  }
  return wire;
}

function flaw(command: CommandDescription, args: readonly unknown[], index: number): ArgumentError {
  const { name } = command;
  const argument = args[index];
  const found = argument === null || typeof argument === 'number' ? String(argument) : typeof argument;
  const texts = args.map((item) =>
    typeof item === 'string' || Buffer.isBuffer(item) ? item : String(typeof item === 'number' ? item : ''),
  );
  const message = keyIndexes(command, texts).includes(index)
    ? `${name}: a key must be a string or a Buffer, not ${typeof argument === 'number' ? 'number' : found}.`
    : `${name}: argument ${index + 1} must be a string, a Buffer, a finite number or a bigint, not ${found}. Use setJson() for anything richer.`;
  return new ArgumentError(message, { subject: name });
}

/** The one array behind {@link Many}. */
export function many<T>(items: Many<T>): readonly T[] {
  return items.length === 1 && Array.isArray(items[0]) ? (items[0] as readonly T[]) : (items as readonly T[]);
}

/** Names and values in turn. Throws where something else than pairs was given. */
export function flatten(pairs: Pairs, command: string): Value[] {
  const flat: Value[] = [];
  if (Array.isArray(pairs) || pairs instanceof Map) {
    for (const pair of pairs as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new ArgumentError(
          `${command} takes an object, a Map or a list of [name, value] pairs; something in the list is not a pair.`,
          { subject: command },
        );
      }
      flat.push(pair[0] as Value, pair[1] as Value);
    }
    return flat;
  }
  for (const [name, value] of Object.entries(pairs as Readonly<Record<string, Value>>)) flat.push(name, value);
  return flat;
}

/** A whole number that a `number` holds exactly, or a bigint. Throws for 1.5 and for 2^53 written as a `number`. */
export function whole<I extends number | bigint>(number: I, command: string, subject: string): I {
  if (typeof number === 'bigint' || Number.isSafeInteger(number)) return number;
  throw new ArgumentError(`${command}: ${subject} must be a whole number; beyond 2^53 give it as a bigint.`, {
    subject: command,
  });
}
