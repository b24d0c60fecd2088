import { ClientClosedError, ConnectionError, DeadlineError, OutcomeUnknownError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';
import { events } from '../core/events.js';
import type { ClientIdentity } from '../core/events.js';
import { letGo } from '../core/let-go.js';
import type { Driver, Observer, Operation, Outcome } from '../driver/driver.js';
import { classify, isConnectionFailure } from './failure-class.js';
import type { Pauses } from './backoff.js';
import type { Deadlines, Timed } from './deadlines.js';

/** What a flight needs of the policy it flies under. */
export interface FlightPolicy {
  readonly driver: Driver;
  readonly deadlines: Deadlines;
  /** How often a command that may have reached a server is repeated; 0 repeats nothing at all. */
  readonly attempts: number;
  /** Starts a sequence of pauses between repetitions. */
  readonly pauses: () => Pauses;
  /** Calls `run` after `milliseconds`, or when the client closes, whichever is first. */
  later(milliseconds: number, run: () => void): void;
  readonly identity: ClientIdentity;
  readonly traffic: Traffic;
  /** Whether the client is closed, so that nothing is tried again. */
  closed(): boolean;
}

/** The flights of a client that are in the air. */
export class Traffic {
  #flights = 0;

  get isNone(): boolean {
    return this.#flights === 0;
  }

  takeOff(): void {
    this.#flights += 1;
  }

  land(): void {
    this.#flights -= 1;
  }
}

/**
 * Operations of one route that were sent together, from take-off until the last has landed. Each lands on its own, as
 * soon as its own reply is there; what may be repeated takes off again after a pause.
 */
export class Flight implements Observer, Timed {
  readonly #policy: FlightPolicy;
  readonly #route: string;
  readonly #operations: readonly Operation[];
  readonly #startedAt: number;
  /** When the last attempt began. */
  #takenOffAt: number;
  #due: number;
  #airborne: number;
  #failure: ValkeyError | undefined;
  /** Why the last attempt came to nothing. */
  #setback: ValkeyError | undefined;
  /** What takes off again together. */
  #again: Operation[] | undefined;
  #attempt = 0;
  /** Attempts after which it was unknown, of something at least, whether it had been executed. */
  #losses = 0;
  /** What takes off again after the loss counted last. */
  #afterLoss: Operation[] | undefined;
  #pauses: Pauses | undefined;
  /** Whether all that failed is that there was no connection, and nothing was silent. */
  #isOnlyAway = true;
  /** Whether the server has answered anything. */
  #isAnswered = false;
  #onLanded: ((failure: ValkeyError | undefined) => void) | undefined;

  /** `operations` become its own. */
  constructor(policy: FlightPolicy, route: string, operations: readonly Operation[], now: number) {
    this.#policy = policy;
    this.#route = route;
    this.#operations = operations;
    this.#startedAt = now;
    this.#takenOffAt = now;
    this.#airborne = operations.length;
    this.#due = earliestDeadline(operations);
  }

  get due(): number {
    return this.#due;
  }

  /** Whether what was wrong was that there was no connection: one that works again is then all that is needed. */
  get foundNoConnection(): boolean {
    return this.#isOnlyAway;
  }

  /** Whether the server has answered anything; a flight whose callers all gave up says nothing about it. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Whether something was sent and nothing has come for it. */
  get isSilent(): boolean {
    return this.#operations.some(({ sent, settled }) => sent && !settled);
  }

  /** Takes off. `onLanded` hears, once, when all is over, what was wrong with the connection, if anything was. */
  start(onLanded: (failure: ValkeyError | undefined) => void): void {
    this.#onLanded = onLanded;
    this.#policy.traffic.takeOff();
    this.#policy.deadlines.add(this);
    for (const operation of this.#operations) {
      // Its caller gave up before take-off: nobody will tell how it ended.
      if (operation.settled) this.#airborne -= 1;
      else operation.observer = this;
    }
    this.#policy.driver.execute(this.#operations);
  }

  onOutcome(operation: Operation, outcome: Outcome): boolean {
    if (outcome.ok) {
      this.#isAnswered = true;
      this.#land();
      return false;
    }
    const failure = classify(outcome.error);
    if (failure === 'answered') {
      this.#isAnswered ||= operation.sent && outcome.error.code !== 'VALKEY_ABORTED';
      this.#land();
      return false;
    }
    if (this.#mayRepeat(operation, failure)) {
      this.#setback = outcome.error;
      this.#repeat(operation, outcome.error, failure === 'unknown');
      return true;
    }
    operation.observer = undefined;
    operation.settle({ ok: false, error: this.#finalError(operation, outcome.error) });
    this.#failure = outcome.error;
    this.#isOnlyAway &&= isConnectionFailure(outcome.error);
    this.#land();
    return true;
  }

  /** Ends what is over time; the rest gets the next deadline. */
  onDue(now: number): void {
    let next = Infinity;
    for (const operation of this.#operations) {
      if (operation.settled) continue;
      if (operation.deadline > now) next = Math.min(next, operation.deadline);
      else this.#expire(operation);
    }
    this.#due = next;
    this.#policy.deadlines.add(this);
  }

  #expire(operation: Operation): void {
    const error = lateError(operation, this.#startedAt, this.#setback);
    if (operation.sent && !operation.blocking) this.#policy.driver.suspect?.(operation, this.#takenOffAt);
    operation.observer = undefined;
    operation.settle({ ok: false, error });
    this.#failure = error;
    this.#isOnlyAway &&= !operation.sent && this.#setback !== undefined && isConnectionFailure(this.#setback);
    this.#land();
  }

  #mayRepeat(operation: Operation, failure: 'not-executed' | 'unknown' | 'refused'): boolean {
    if (this.#policy.attempts === 0 || failure === 'refused' || this.#policy.closed()) return false;
    // What never reached a server does no harm, however often it is tried: its deadline is bound enough. Without one it
    // has as many attempts as what may have reached it; who takes off again together does so on one account.
    if (failure === 'not-executed') {
      return operation.deadline !== Infinity || this.#again !== undefined || this.#attempt < this.#policy.attempts;
    }
    const isCounted = this.#again !== undefined && this.#again === this.#afterLoss;
    return operation.retrySafe && (isCounted || this.#losses < this.#policy.attempts);
  }

  #repeat(operation: Operation, { code }: ValkeyError, isLoss: boolean): void {
    operation.sent = false;
    const joined = this.#again;
    const again = joined ?? [];
    again.push(operation);
    this.#again = again;
    if (isLoss && this.#afterLoss !== again) {
      this.#afterLoss = again;
      this.#losses += 1;
    }
    if (joined) return;
    this.#attempt += 1;
    this.#pauses ??= this.#policy.pauses();
    const delayMs = this.#pauses(this.#attempt);
    if (events.retry.active) {
      const { identity } = this.#policy;
      events.retry.publish({ ...identity, route: this.#route, attempt: this.#attempt, delayMs, code });
    }
    this.#policy.later(delayMs, () => {
      this.#again = undefined;
      this.#takenOffAt = performance.now();
      this.#policy.driver.execute(again.filter((waiting) => !waiting.settled));
    });
  }

  /** A reading command whose connection broke has changed nothing: no need to frighten anybody about its outcome. */
  #finalError(operation: Operation, error: ValkeyError): ValkeyError {
    const unknown = error.code === 'VALKEY_OUTCOME_UNKNOWN';
    if (this.#policy.closed() && (unknown ? operation.retrySafe : classify(error) === 'not-executed')) {
      return new ClientClosedError(operation.command);
    }
    if (!unknown || !operation.retrySafe) return error;
    return new ConnectionError(
      `The connection broke before ${operation.command} was answered, ${this.#attempt + 1} times. Check the server and the network.`,
      { cause: error.cause, subject: operation.command },
    );
  }

  #land(): void {
    this.#airborne -= 1;
    if (this.#airborne > 0) return;
    this.#policy.traffic.land();
    this.#policy.deadlines.remove(this);
    letGo(this.#operations);
    if (this.#attempt > 0 && events.retryEnd.active) {
      const { identity } = this.#policy;
      events.retryEnd.publish({ ...identity, route: this.#route, attempt: this.#attempt, code: this.#failure?.code });
    }
    this.#onLanded?.(this.#failure);
  }
}

/** The error for an operation whose deadline has passed; `startedAt` counts if its caller's call is not known. `setback` is why it had no answer before, if that is known. */
export function lateError(operation: Operation, startedAt: number, setback?: ValkeyError): ValkeyError {
  const timeout = Math.round(operation.deadline - (operation.startedAt ?? startedAt));
  const late = new DeadlineError(operation.command, timeout, setback);
  return !operation.sent || operation.retrySafe ? late : new OutcomeUnknownError(operation.command, late);
}

function earliestDeadline(operations: readonly Operation[]): number {
  let due = Infinity;
  for (const { deadline } of operations) if (deadline < due) due = deadline;
  return due;
}
