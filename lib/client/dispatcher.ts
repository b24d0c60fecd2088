import { ClientClosedError, OutcomeUnknownError, ValkeyError } from '../core/errors.js';
import type { Argument, Driver, Operation, Outcome, Reply } from '../driver/driver.js';
import { PlainOperation } from '../driver/pending-operation.js';
import type { OperationPlan } from '../driver/pending-operation.js';
import type { Settings } from '../options/settings.js';
import type { Inquiry } from '../resilience/circuit.js';
import { blockingTime } from './blocking-time.js';
import { ClientOperation } from './client-operation.js';
import type { FinishedOperation, OperationLedger } from './client-operation.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder } from './commands/command-set.js';
import { prefixArguments } from './commands/prefix.js';
import { describeCommand, firstKey, keyIndexes } from './commands/table.js';
import { InterceptedCall, InterceptedCalls } from './intercepted-call.js';
import type { CommandCall, CommandInterceptor, Interceptor } from './interceptors.js';
import { Reporter } from './reporter.js';
import { asIs, launchItem } from './request.js';
import type { LaunchItem, Request, Waiter } from './request.js';
import type { Scope } from './scope.js';
import { combineReplies, splitBySlot } from './split.js';

/** What a client needs of its settings. */
export type DispatcherSettings = Pick<Settings, 'name' | 'keyPrefix' | 'timeouts' | 'maxQueue' | 'drain' | 'pool'>;

/**
 * Turns requests into operations and hands them to the driver: prefix, deadline, scope, splitting for a cluster, and the
 * count of what is under way, which bounds the queue and lets close() drain.
 */
export class Dispatcher implements OperationLedger {
  readonly driver: Driver & Partial<Inquiry>;
  readonly settings: DispatcherSettings;
  readonly #split: boolean;
  readonly #interceptors: readonly CommandInterceptor[];
  /** Tells those who look on. */
  readonly reporter: Reporter;
  /** Of operations nobody is told about: they are counted, no more. */
  readonly #unseen: OperationLedger = { onOperationEnd: () => this.#leave() };
  /** What may wait for minutes; close() does not wait for it. */
  readonly #blocked = new Set<FinishedOperation & Operation>();
  readonly #intercepted = new InterceptedCalls(() => this.#tellIfIdle());
  #underWay = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(
    driver: Driver & Partial<Inquiry>,
    settings: DispatcherSettings,
    interceptors: readonly Interceptor[] = [],
  ) {
    this.driver = driver;
    this.settings = settings;
    this.#interceptors = interceptors.filter(isCommandInterceptor);
    this.reporter = new Reporter(settings, interceptors);
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
    if (this.#interceptors.length > 0) return this.request({ command, args, decode, binary }, scope);
    return new Promise((resolve, reject) => {
      const refusal = this.refusal(1, scope);
      if (refusal === undefined)
        this.driver.execute([this.#operation(command, args, decode, binary, undefined, scope, resolve, reject)]);
      else {
        this.reporter.refused(command, args, refusal);
        reject(refusal);
      }
    });
  }

  /** Any request, as a promise. */
  request<T>(request: Request<T>, scope: Scope): Promise<T> {
    return new Promise((resolve, reject) => {
      this.launch([launchItem(request, { resolve, reject })], scope);
    });
  }

  /**
   * A question of the client's own about a server, past the interceptors and past the bounds on what is under way: what
   * either of them answer says nothing about a server.
   */
  inquire<T>(request: Request<T>, scope: Scope): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        reject(new ClientClosedError());
        return;
      }
      const operation = this.operation(request, scope, { resolve, reject });
      if (this.driver.inquire) this.driver.inquire(operation);
      else this.driver.execute([operation]);
    });
  }

  /** Many requests in one go, in order; each waiter hears of its own. */
  launch(items: readonly LaunchItem[], scope: Scope): void {
    if (this.#interceptors.length === 0) this.#launch(items, scope);
    else for (const { request, waiter } of items) this.#intercept(request, scope, waiter);
  }

  #launch(items: readonly LaunchItem[], scope: Scope): void {
    const refusal = this.refusal(items.length, scope);
    if (refusal !== undefined) {
      for (const { request, waiter } of items) {
        this.reporter.refused(request.command, request.args, refusal);
        waiter.reject(refusal);
      }
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

  /** An operation that only stands for a wait: it has a deadline, and nobody is told about it. */
  waiting(
    command: CommandDescription,
    args: readonly Argument[],
    scope: Scope,
    { resolve, reject }: Waiter<Reply>,
  ): Operation {
    const wire = prefixArguments(command, args, this.settings.keyPrefix);
    return this.#prefixedOperation(
      command,
      wire,
      asIs,
      false,
      undefined,
      scope,
      undefined,
      this.#unseen,
      resolve,
      reject,
    );
  }

  /** An operation that goes along inside another, between MULTI and EXEC: it only carries its command. */
  inner({ command, args, binary, plan }: Request<unknown>): Operation {
    const wire = prefixArguments(command, args, this.settings.keyPrefix);
    return new PlainOperation(
      { command: command.name, args: wire, key: firstKey(command, wire), binary, ...plan },
      () => {
        // EXEC's reply holds its own.
      },
    );
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

  onOperationEnd(operation: FinishedOperation, outcome: Outcome): void {
    if (this.#blocked.size > 0) this.#blocked.delete(operation as FinishedOperation & Operation);
    this.#leave();
    this.reporter.ended(operation, outcome);
  }

  #leave(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.#isIdle) this.#onIdle?.();
  }

  get #isIdle(): boolean {
    return this.#underWay === 0 && this.#intercepted.isIdle;
  }

  /** Of a command that was split over nodes: it is over when its last part is, and failed if any part has. */
  #ledgerOfParts(count: number): OperationLedger {
    let left = count;
    let failure: Outcome | undefined;
    return {
      onOperationEnd: (operation, outcome) => {
        this.#leave();
        if (!outcome.ok) failure ??= outcome;
        left -= 1;
        if (left === 0) this.reporter.ended(operation, failure ?? outcome);
      },
    };
  }

  /** Through all interceptors, then on the wire; the reply is decoded only when they have all seen it. */
  #intercept(request: Request<unknown>, scope: Scope, waiter: Waiter<unknown>): void {
    const { command, args } = request;
    const ended = this.#closing ? new ClientClosedError() : scope.watch?.aborted ? scope.watch.reason : undefined;
    if (ended !== undefined) {
      this.reporter.refused(command, args, ended);
      waiter.reject(ended);
      return;
    }
    const startedAt = performance.now();
    const deadline = this.#deadlineOf(command, args, scope, startedAt);
    const call = new InterceptedCall(request, { startedAt, deadline, watch: scope.watch }, waiter, this.#intercepted);
    call.run(this.#interceptors, (sent, resolve, reject) => {
      this.#launch([launchItem(sent, { resolve, reject })], scope);
    });
  }

  #deadlineOf(
    { readOnly, blocking, name }: CommandDescription,
    args: readonly Argument[],
    { timeout }: Scope,
    startedAt: number,
  ): number {
    const { read, write } = this.settings.timeouts;
    return startedAt + (timeout ?? (readOnly ? read : write)) + (blocking ? blockingTime(name, args, timeout) : 0);
  }

  /** Takes no more work, lets what is under way finish within the drain limit, then ends everything. */
  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  async #drainAndClose(): Promise<void> {
    for (const operation of this.#blocked) operation.settle({ ok: false, error: endOfWait(operation) });
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.settings.drain);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await this.driver.close();
    await this.#intercepted.close();
    this.reporter.close();
  }

  #addOperations<T>(operations: Operation[], request: Request<T>, waiter: Waiter<T>, scope: Scope): void {
    const { command, args, binary, split, decode, plan } = request;
    const parts =
      split && this.#split ? splitBySlot(prefixArguments(command, args, this.settings.keyPrefix), split) : [];
    if (!split || parts.length < 2) {
      operations.push(this.operation(request, scope, waiter));
      return;
    }
    const call = this.reporter.begun(command, args, NOT_ARGS);
    const ledger = this.#ledgerOfParts(parts.length);
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
        this.#prefixedOperation(command, part.args, asIs, binary, plan, scope, call, ledger, resolve, waiter.reject),
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
    const call = this.reporter.begun(command, args, wire);
    return this.#prefixedOperation(command, wire, decode, binary, plan, scope, call, this, resolve, reject);
  }

  #prefixedOperation<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary: boolean,
    plan: Partial<OperationPlan> | undefined,
    scope: Scope,
    call: CommandCall | undefined,
    ledger: OperationLedger,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): Operation {
    const { readOnly, retrySafe, blocking, name } = command;
    const startedAt = performance.now();
    this.#underWay += 1;
    const own: OperationPlan = {
      command: name,
      args,
      key: firstKey(command, args),
      binary,
      readOnly,
      readFrom: scope.readFrom,
      retrySafe,
      blocking,
      deadline: this.#deadlineOf(command, args, scope, startedAt),
    };
    const operation = new ClientOperation(
      plan ? { ...own, ...plan } : own,
      startedAt,
      call,
      ledger,
      scope.watch,
      decode,
      resolve,
      reject,
    );
    if (blocking) this.#blocked.add(operation);
    return operation;
  }
}

/** The arguments of a part are never those of the call. */
const NOT_ARGS: readonly Argument[] = [];

function isCommandInterceptor(interceptor: Interceptor): interceptor is CommandInterceptor {
  return typeof (interceptor as Partial<CommandInterceptor>).intercept === 'function';
}

/** A pop that waits may have popped in this very moment. */
function endOfWait({ command, sent, readOnly }: Operation): ValkeyError {
  const closed = new ClientClosedError(command);
  return sent && !readOnly ? new OutcomeUnknownError(command, closed) : closed;
}

function queueFull(limit: number): ValkeyError {
  return new ValkeyError(
    'VALKEY_QUEUE_FULL',
    `More than ${limit} operations are under way or waiting. The server is slower than the load; raise maxQueue only if memory allows.`,
    { subject: 'maxQueue' },
  );
}
