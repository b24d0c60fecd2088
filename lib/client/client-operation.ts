import { ValkeyError } from '../core/errors.js';
import type { Outcome } from '../driver/driver.js';
import { PendingOperation } from '../driver/pending-operation.js';
import type { OperationPlan } from '../driver/pending-operation.js';
import type { Decoder } from './commands/command-set.js';
import type { Abortable, SignalWatch } from './scope.js';

/** Who counts what is under way. */
export interface OperationCounter {
  onOperationEnd(): void;
}

/** An operation a caller waits for: its outcome is decoded and goes to two functions, mostly a promise's. */
export class ClientOperation<T> extends PendingOperation implements Abortable {
  readonly #counter: OperationCounter;
  readonly #watch: SignalWatch | undefined;
  readonly #decode: Decoder<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    plan: OperationPlan,
    counter: OperationCounter,
    watch: SignalWatch | undefined,
    decode: Decoder<T>,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    super(plan);
    this.#counter = counter;
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
    this.#counter.onOperationEnd();
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
class AbortedError extends ValkeyError {
  constructor(command: string, reason: unknown) {
    super('VALKEY_ABORTED', `${command} was aborted.`, { cause: reason, subject: command });
  }
}
