import type { Argument, Reply } from '../../driver/driver.js';
import type { CommandDescription } from './command.js';

/** A key: text, or bytes where it is not text. */
export type Key = string | Buffer;

/** What can be stored as it is. Anything richer goes through `setJson`. */
export type Value = string | Buffer | number | bigint;

/** A whole number as the server counts: `number` up to 2^53, `bigint` beyond, so that none is ever rounded. */
export type Integer = number | bigint;

/** One queued command of a pipeline or transaction; it stands for a result of type `T`. */
export interface Queued<out T> {
  /** Only there for the type; never set. */
  readonly __result?: T;
}

/** What a command method gives, by the mode of the set it belongs to. */
export interface Shapes<T> {
  /** On a client: the result, later. */
  readonly promise: Promise<T>;
  /** In a pipeline or transaction: a place in the tuple of results. */
  readonly queued: Queued<T>;
}

export type Mode = keyof Shapes<unknown>;
export type Shape<M extends Mode, T> = Shapes<T>[M];

/**
 * Makes what the caller gets out of what the server said. Runs once; what it throws becomes the command's error.
 * It is told the command's name, for that error only, so that one decoder serves many commands without a closure.
 */
export type Decoder<T> = (reply: Reply, command: string) => T;

/**
 * How a command over many keys is taken apart for a cluster, where each part must stay in one hash slot:
 * `step` arguments belong to one key (1 for MGET, 2 for MSET), and `combine` puts the parts' replies together.
 * With `order`, replies are arrays that go back to the places of their keys; with `sum`, integers to add; with `same`,
 * one of the equal answers (MSET's OK).
 */
export interface SplitRule {
  readonly step: 1 | 2;
  readonly combine: 'order' | 'sum' | 'same';
}

/**
 * All commands as typed methods, written once: a client answers each with a promise, a pipeline or transaction with a
 * place in its tuple.
 *
 * @internal
 */
export abstract class CommandSet<M extends Mode> {
  /** Sends one command. The implementation applies the key prefix at the positions `command` describes. */
  protected abstract send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary?: boolean,
  ): Shape<M, T>;

  /** Sends a command over many keys, split by slot where the topology asks for it. All of `args` follow `rule`. */
  protected abstract sendSplit<T>(
    command: CommandDescription,
    args: readonly Argument[],
    rule: SplitRule,
    decode: Decoder<T>,
    binary?: boolean,
  ): Shape<M, T>;

  /** Answers without a trip. */
  protected abstract answer<T>(value: T): Shape<M, T>;

  /** Refuses without a trip: the promise rejects, a pipeline throws at the call. */
  protected abstract refuse<T>(error: Error): Shape<M, T>;

  /** Takes the key prefix off a key that the server named in a reply (BLPOP, XREAD, RANDOMKEY). */
  protected abstract stripPrefix(key: string): string;
}
