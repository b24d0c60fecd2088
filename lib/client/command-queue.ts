import type { Codec } from '../core/codec/codec.js';
import { ArgumentError } from '../core/errors.js';
import type { Argument, Reply } from '../driver/driver.js';
import type { Script } from '../driver/script.js';
import { ClientCommands } from './client-commands.js';
import { describeCommand } from './commands/table.js';
import { refusalOf } from './commands/call/refusals.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder, Key, Queued, SplitRule, Value } from './commands/command-set.js';
import { strip, stripReply } from './commands/strip.js';
import type { Request } from './request.js';
import { scriptRequest } from './script-request.js';
import { toArguments } from './arguments.js';

/** A command's place in the queue. */
export interface QueueEntry<T = unknown> extends Queued<T> {
  readonly index: number;
  /** What to send; `undefined` for one that is answered without a trip. */
  readonly request: Request<T> | undefined;
  /** The answer of one that needs no trip. */
  readonly value: T | undefined;
}

/** The results of the queued commands of `T`, in its shape: a tuple, an array, or a single one. */
export type Results<T> = T extends Queued<infer R> & { readonly index: number }
  ? R
  : T extends readonly unknown[]
    ? { -readonly [K in keyof T]: T[K] extends Queued<infer R> ? R : never }
    : never;

/** Collects commands to be sent together: a pipeline's or a transaction's. */
export class CommandQueue extends ClientCommands<'queued'> {
  readonly #prefix: string;
  readonly #entries: QueueEntry[] = [];
  protected override readonly codec: Codec;

  /** @internal */
  constructor(prefix: string, codec: Codec) {
    super();
    this.#prefix = prefix;
    this.codec = codec;
  }

  /** @internal */
  get entries(): readonly QueueEntry[] {
    return this.#entries;
  }

  /** Queues any other command whose keys are known; `client.call()` finds out about the rest, a queue cannot wait for it. */
  call(command: string, ...args: readonly Value[]): Queued<Reply> {
    const name = command.toUpperCase();
    const wire = toArguments(name, args);
    const refusal = refusalOf(name, wire, this.#prefix);
    if (refusal) throw refusal;
    const description = describeCommand(name, wire);
    if (!description || description.blocking) {
      throw new ArgumentError(
        description
          ? `${name} may block and cannot be queued. Call it on the client.`
          : `${name} is not known to this library, so its keys are not either. Use client.call() outside a pipeline.`,
        { subject: name },
      );
    }
    return this.send(description, wire, (reply) => stripReply(name, wire, reply, this.#prefix));
  }

  protected override send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary = false,
  ): Queued<T> {
    return this.#push<T>({ command, args, decode, binary }, undefined);
  }

  protected override sendSplit<T>(
    command: CommandDescription,
    args: readonly Argument[],
    split: SplitRule,
    decode: Decoder<T>,
    binary = false,
  ): Queued<T> {
    return this.#push<T>({ command, args, decode, binary, split }, undefined);
  }

  protected override sendScript<T>(
    script: Script,
    keys: readonly Key[],
    args: readonly Value[],
    decode: Decoder<T>,
    binary: boolean,
  ): Queued<T> {
    const seen = this.#entries.some((entry) => entry.request?.plan?.script === script);
    // Its text goes along the first time: a NOSCRIPT in the middle could only be mended out of order.
    return this.#push<T>(scriptRequest(seen ? 'EVALSHA' : 'EVAL', script, keys, args, decode, binary), undefined);
  }

  protected override answer<T>(value: T): Queued<T> {
    return this.#push<T>(undefined, value);
  }

  protected override refuse<T>(error: Error): Queued<T> {
    throw error;
  }

  protected override stripPrefix(key: string): string {
    return strip(key, this.#prefix) as string;
  }

  #push<T>(request: Request<T> | undefined, value: T | undefined): Queued<T> {
    const entry: QueueEntry<T> = { index: this.#entries.length, request, value };
    this.#entries.push(entry);
    return entry;
  }
}
