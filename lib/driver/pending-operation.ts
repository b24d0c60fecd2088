import type { Argument, Observer, Operation, Outcome, ReadFrom, Route } from './driver.js';
import type { Script } from './script.js';

/** What an operation is, before anybody has carried it anywhere. */
export interface OperationPlan {
  readonly command: string;
  readonly args: readonly Argument[];
  readonly key?: Argument | undefined;
  readonly binary?: boolean;
  readonly readOnly?: boolean;
  /** Default: `primary`. */
  readonly readFrom?: ReadFrom;
  readonly retrySafe?: boolean;
  readonly blocking?: boolean;
  readonly target?: Route | undefined;
  readonly script?: Script | undefined;
  readonly transaction?: readonly Operation[] | undefined;
  /** Default: never. */
  readonly deadline?: number;
}

/** The common half of every operation: it ends once, and tells who is concerned in the right order. */
export abstract class PendingOperation implements Operation {
  readonly command: string;
  readonly args: readonly Argument[];
  readonly key: Argument | undefined;
  readonly binary: boolean;
  readonly readOnly: boolean;
  readonly readFrom: ReadFrom;
  readonly retrySafe: boolean;
  readonly blocking: boolean;
  readonly target: Route | undefined;
  readonly script: Script | undefined;
  readonly transaction: readonly Operation[] | undefined;
  readonly deadline: number;
  sent = false;
  settled = false;
  onEnd: (() => void) | undefined = undefined;
  observer: Observer | undefined = undefined;

  constructor(plan: OperationPlan) {
    this.command = plan.command;
    this.args = plan.args;
    this.key = plan.key;
    this.binary = plan.binary ?? false;
    this.readOnly = plan.readOnly ?? false;
    this.readFrom = plan.readFrom ?? 'primary';
    this.retrySafe = plan.retrySafe ?? false;
    this.blocking = plan.blocking ?? false;
    this.target = plan.target;
    this.script = plan.script;
    this.transaction = plan.transaction;
    this.deadline = plan.deadline ?? Infinity;
  }

  settle(outcome: Outcome): void {
    if (this.settled) return;
    if (this.observer?.onOutcome(this, outcome)) return;
    this.settled = true;
    const { onEnd } = this;
    if (onEnd) {
      this.onEnd = undefined;
      onEnd();
    }
    this.finish(outcome);
  }

  /** Hands the outcome to whoever waits for it; called once. */
  protected abstract finish(outcome: Outcome): void;
}

/** An operation whose outcome goes to a function: for drivers' and policies' own commands. */
export class PlainOperation extends PendingOperation {
  readonly #done: (outcome: Outcome) => void;

  constructor(plan: OperationPlan, done: (outcome: Outcome) => void) {
    super(plan);
    this.#done = done;
  }

  protected override finish(outcome: Outcome): void {
    this.#done(outcome);
  }
}
