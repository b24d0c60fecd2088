import { ClientClosedError, ValkeyError } from '../core/errors.js';
import type { Argument, Driver, Operation, Reply } from '../driver/driver.js';
import type { OperationPlan } from '../driver/pending-operation.js';
import type { Settings } from '../options/settings.js';
import { blockingTime } from './blocking-time.js';
import { ClientOperation } from './client-operation.js';
import type { OperationCounter } from './client-operation.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder, SplitRule } from './commands/command-set.js';
import { prefixArguments } from './commands/prefix.js';
import { describeCommand, firstKey, keyIndexes } from './commands/table.js';
import type { Scope } from './scope.js';
import { combineReplies, splitBySlot } from './split.js';

/** What a client needs of its settings. */
export type DispatcherSettings = Pick<Settings, 'name' | 'keyPrefix' | 'timeouts' | 'maxQueue' | 'drain' | 'pool'>;

/** One command as a caller means it: arguments without prefix, and what to make of the reply. */
export interface Request<T> {
  readonly command: CommandDescription;
  readonly args: readonly Argument[];
  readonly decode: Decoder<T>;
  readonly binary: boolean;
  /** For commands over many keys. */
  readonly split?: SplitRule | undefined;
  /** What of {@link OperationPlan} is not to be had from the command. */
  readonly plan?: Partial<OperationPlan>;
}

/** Resolvers of the one who waits. */
export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Turns requests into operations and hands them to the driver: prefix, deadline, scope, splitting for a cluster, and the
 * count of what is under way, which bounds the queue and lets close() drain.
 */
export class Dispatcher implements OperationCounter {
  readonly driver: Driver;
  readonly settings: DispatcherSettings;
  readonly #split: boolean;
  #underWay = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(driver: Driver, settings: DispatcherSettings) {
    this.driver = driver;
    this.settings = settings;
    this.#split = driver.topology === 'cluster';
  }

  /** Operations under way or waiting. */
  get underWay(): number {
    return this.#underWay;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The hot path: one command, one promise. */
  send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary: boolean,
    scope: Scope,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const refusal = this.refusal(1, scope);
      if (refusal === undefined)
        this.driver.execute([this.#operation(command, args, decode, binary, undefined, scope, resolve, reject)]);
      else reject(refusal);
    });
  }

  /** Any request, as a promise. */
  request<T>(request: Request<T>, scope: Scope): Promise<T> {
    return new Promise((resolve, reject) => {
      this.launch([launchItem(request, { resolve, reject })], scope);
    });
  }

  /** Many requests in one go, in order; each waiter hears of its own. */
  launch(items: readonly LaunchItem[], scope: Scope): void {
    const refusal = this.refusal(items.length, scope);
    if (refusal !== undefined) {
      for (const { waiter } of items) waiter.reject(refusal);
      return;
    }
    const operations: Operation[] = [];
    for (const { request, waiter } of items) this.#addOperations(operations, request, waiter, scope);
    this.driver.execute(operations);
  }

  /** One operation for use outside the tick's batch: in a session, in a transaction. */
  operation<T>(request: Request<T>, scope: Scope, { resolve, reject }: Waiter<T>): Operation {
    const { command, args, decode, binary, plan } = request;
    return this.#operation(command, args, decode, binary, plan, scope, resolve, reject);
  }

  /** All keys of an operation made here, prefix included. */
  keysOf({ command, args }: Operation): readonly Argument[] {
    const description = describeCommand(command);
    return description ? keyIndexes(description, args).map((index) => args[index] as Argument) : [];
  }

  /** Why nothing can be sent now, if so. */
  refusal(count: number, { watch }: Scope): unknown {
    if (this.#closing) return new ClientClosedError();
    if (watch?.aborted) return watch.reason;
    if (this.#underWay + count > this.settings.maxQueue) return queueFull(this.settings.maxQueue);
    return undefined;
  }

  onOperationEnd(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  /** Takes no more work, lets what is under way finish within the drain limit, then ends everything. */
  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  async #drainAndClose(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.settings.drain);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await this.driver.close();
  }

  #addOperations<T>(operations: Operation[], request: Request<T>, waiter: Waiter<T>, scope: Scope): void {
    const { command, args, binary, split, decode } = request;
    const parts =
      split && this.#split ? splitBySlot(prefixArguments(command, args, this.settings.keyPrefix), split) : [];
    if (!split || parts.length < 2) {
      operations.push(this.operation(request, scope, waiter));
      return;
    }
    const replies: Reply[] = [];
    let missing = parts.length;
    for (const [index, part] of parts.entries()) {
      const resolve = (reply: Reply): void => {
        replies[index] = reply;
        missing -= 1;
        if (missing > 0) return;
        try {
          waiter.resolve(decode(combineReplies(parts, replies, split), command.name));
        } catch (error) {
          waiter.reject(error);
        }
      };
      operations.push(
        this.#prefixedOperation(command, part.args, asIs, binary, undefined, scope, resolve, waiter.reject),
      );
    }
  }

  #operation<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary: boolean,
    plan: Partial<OperationPlan> | undefined,
    scope: Scope,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): Operation {
    const { keyPrefix } = this.settings;
    const wire = keyPrefix === '' ? args : prefixArguments(command, args, keyPrefix);
    return this.#prefixedOperation(command, wire, decode, binary, plan, scope, resolve, reject);
  }

  #prefixedOperation<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary: boolean,
    plan: Partial<OperationPlan> | undefined,
    scope: Scope,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): Operation {
    const { readOnly, retrySafe, blocking, name } = command;
    const timeout = scope.timeout ?? (readOnly ? this.settings.timeouts.read : this.settings.timeouts.write);
    this.#underWay += 1;
    return new ClientOperation(
      {
        command: name,
        args,
        key: firstKey(command, args),
        binary,
        readOnly,
        readFrom: scope.readFrom,
        retrySafe,
        blocking,
        deadline: performance.now() + timeout + (blocking ? blockingTime(name, args, scope.timeout) : 0),
        ...plan,
      },
      this,
      scope.watch,
      decode,
      resolve,
      reject,
    );
  }
}

/** A request with its waiter; what its result type is, only the two know. */
export interface LaunchItem {
  readonly request: Request<unknown>;
  readonly waiter: Waiter<unknown>;
}

/** Forgets the result type, so that requests of different types can travel together. */
export function launchItem<T>(request: Request<T>, waiter: Waiter<T>): LaunchItem {
  return { request, waiter } as unknown as LaunchItem;
}

function asIs(reply: Reply): Reply {
  return reply;
}

function queueFull(limit: number): ValkeyError {
  return new ValkeyError(
    'VALKEY_QUEUE_FULL',
    `More than ${limit} operations are under way or waiting. The server is slower than the load; raise maxQueue only if memory allows.`,
    { subject: 'maxQueue' },
  );
}
