import { ValkeyError } from '../core/errors.js';
import type { Argument, Outcome } from '../driver/driver.js';
import { PendingOperation } from '../driver/pending-operation.js';
import type { OperationPlan } from '../driver/pending-operation.js';
import type { Decoder } from './commands/command-set.js';
import type { CommandCall } from './interceptors.js';
import type { Abortable, SignalWatch } from './scope.js';

/** What is left to know of an operation that is over. */
export interface FinishedOperation {
  readonly command: string;
  /** With the key prefix. */
  readonly args: readonly Argument[];
  readonly readOnly: boolean;
  /** The command as the caller meant it, where it was kept. */
  readonly call: CommandCall | undefined;
  readonly startedAt: number;
}

/** Who keeps count of what is under way, and tells those who look on. */
export interface OperationLedger {
  onOperationEnd(operation: FinishedOperation, outcome: Outcome): void;
}

/** An operation a caller waits for: its outcome is decoded and goes to two functions, mostly a promise's. */
export class ClientOperation<T> extends PendingOperation implements Abortable, FinishedOperation {
  /** The command as the caller meant it; only there if a hook saw it before, or sees another one on the wire. */
  readonly call: CommandCall | undefined;
  /** When the caller called, by `performance.now()`. */
  readonly startedAt: number;
  readonly #ledger: OperationLedger;
  readonly #watch: SignalWatch | undefined;
  readonly #decode: Decoder<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    plan: OperationPlan,
    startedAt: number,
    call: CommandCall | undefined,
    ledger: OperationLedger,
    watch: SignalWatch | undefined,
    decode: Decoder<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    super(plan);
    this.startedAt = startedAt;
    this.call = call;
    this.#ledger = ledger;
    this.#watch = watch;
    this.#decode = decode;
    this.#resolve = resolve;
    this.#reject = reject;
    watch?.add(this);
  }

  /** The caller has lost interest: it hears at once, with the reason it gave itself. */
  abort(reason: unknown): void {
    this.settle({ ok: false, error: new AbortedError(this.command, reason) });
  }

  protected override finish(outcome: Outcome): void {
    this.#ledger.onOperationEnd(this, outcome);
    this.#watch?.remove(this);
    if (!outcome.ok) {
      this.#reject(outcome.error instanceof AbortedError ? outcome.error.cause : outcome.error);
      return;
    }
    let value: T;
    try {
      value = this.#decode(outcome.value, this.command);
    } catch (error) {
      this.#reject(error);
      return;
    }
    this.#resolve(value);
  }
}

/** On its way through the policies an abort is an outcome like any other; the caller gets its cause. */
export class AbortedError extends ValkeyError {
  constructor(command: string, reason: unknown) {
    super('VALKEY_ABORTED', `${command} was aborted.`, { cause: reason, subject: command });
  }
}
