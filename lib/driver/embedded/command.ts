import type { Argument, Reply } from '../driver.js';
import type { Atom } from './data/bytes.js';
import type { Channels } from './channels.js';
import { syntaxError } from './refusal.js';
import type { Store } from './store.js';

/** What a command works on. */
export interface Context {
  readonly store: Store;
  readonly channels: Channels;
}

/** A command that found nothing and would wait: for which keys, how long, and how to try again. */
export class Wait {
  constructor(
    readonly keys: readonly Atom[],
    /** Milliseconds; 0 for as long as it takes. */
    readonly timeout: number,
    /** The reply, once there is one. */
    readonly attempt: () => Reply | undefined,
    /** Whether an error of an attempt is the answer; otherwise a key of another type is waited out. */
    readonly failsOnError = false,
  ) {}
}

/** How one command is checked and run. */
export interface Command {
  /** With its name, as the server counts: exact, or at least when negative. */
  readonly arity: number;
  readonly run: (context: Context, args: readonly Argument[]) => Reply | Wait;
  /** Whether its arguments are added to what the first key holds, so that it has to be asked whether there is room. */
  readonly grows?: boolean;
  /** The commands behind its first argument. */
  readonly subcommands?: ReadonlyMap<string, Command>;
  /** Whether it is one of those. */
  readonly nested?: boolean;
}

/** A command that is only the family name of others: XGROUP, XINFO. */
export function family(table: CommandTable): Command {
  const subcommands = new Map(
    Object.entries(table).map(([name, command]): [string, Command] => [name, { ...command, nested: true }]),
  );
  return { arity: -2, subcommands, run: () => null };
}

/** Commands of one family by their names. */
export type CommandTable = Readonly<Record<string, Command>>;

/** Reads optional arguments from left to right. */
export class Options {
  #at: number;

  constructor(
    private readonly args: readonly Argument[],
    from: number,
  ) {
    this.#at = from;
  }

  get left(): number {
    return this.args.length - this.#at;
  }

  /** The next one; a syntax error when there is none. */
  next(): Argument {
    const argument = this.args[this.#at];
    if (argument === undefined) throw syntaxError();
    this.#at += 1;
    return argument;
  }

  /** The next one as keyword. */
  word(): string {
    return upper(this.next());
  }

  /** Takes the next one when it is this keyword. */
  accept(word: string): boolean {
    const argument = this.args[this.#at];
    if (argument === undefined || upper(argument) !== word) return false;
    this.#at += 1;
    return true;
  }

  /** All the others. */
  rest(): readonly Argument[] {
    const others = this.args.slice(this.#at);
    this.#at = this.args.length;
    return others;
  }

  /** Exactly `count` arguments. */
  take(count: number): readonly Argument[] {
    if (count > this.left) throw syntaxError();
    const taken = this.args.slice(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }
}

/** A keyword in upper case. */
export function upper(argument: Argument): string {
  return (typeof argument === 'string' ? argument : argument.toString('latin1')).toUpperCase();
}

/** An argument that the arity check has made sure of. */
export function at(args: readonly Argument[], index: number): Argument {
  return args[index] as Argument;
}
