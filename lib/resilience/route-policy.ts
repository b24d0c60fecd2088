import {
  BrokenCircuitError,
  CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  IsolatedCircuitError,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { DeadlineError, ValkeyError } from '../core/errors.js';
import { events } from '../core/events.js';
import type { BreakerState, ClientIdentity } from '../core/events.js';
import type { Driver, Operation } from '../driver/driver.js';
import type { Settings } from '../options/settings.js';
import type { Circuit } from './circuit.js';
import type { Deadlines } from './deadlines.js';
import { Flight } from './flight.js';
import type { FlightPolicy } from './flight.js';

/** What the policies of all routes of a client share. */
export interface PolicyPlan {
  readonly driver: Driver;
  readonly deadlines: Deadlines;
  readonly attempts: number;
  readonly pauses: FlightPolicy['pauses'];
  readonly later: FlightPolicy['later'];
  readonly closed: FlightPolicy['closed'];
  readonly breaker: Settings['breaker'];
  readonly identity: ClientIdentity;
}

/** Retry, deadline and breaker for one route: one sick shard must not open the circuit of the healthy ones. */
export class RoutePolicy {
  readonly #plan: PolicyPlan;
  readonly #route: string;
  #breaker: CircuitBreakerPolicy | undefined;
  /** Held open by hand. */
  #isolated = 0;
  /** When the last broken connection was counted, by `performance.now()`. */
  #brokenAt = -Infinity;
  /** The state listeners know of. */
  #told: BreakerState = 'closed';

  constructor(route: string, plan: PolicyPlan) {
    this.#route = route;
    this.#plan = plan;
    this.#breaker = this.#newBreaker();
  }

  get circuit(): Circuit {
    return { route: this.#route, state: this.#state };
  }

  /** Lets nothing through until the function it gives is called. */
  isolate(): () => void {
    this.#isolated += 1;
    this.#publishState();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#isolated -= 1;
      this.#publishState();
    };
  }

  /** Why nothing may pass, if the circuit is held open by hand. */
  get isolation(): ValkeyError | undefined {
    if (this.#isolated === 0) return undefined;
    return new ValkeyError(
      'VALKEY_CIRCUIT_OPEN',
      `The circuit to ${this.#route} was opened by isolate(); nothing was sent. It closes when the function isolate() gave is called.`,
      { subject: this.#route },
    );
  }

  /** Forgets all failures so far: a closed circuit again, unless it is held open by hand. */
  reset(): void {
    this.#breaker = this.#newBreaker();
    this.#publishState();
  }

  /** Sends operations of this route. Each is settled on its own. */
  execute(operations: readonly Operation[], now: number): void {
    const { isolation } = this;
    if (isolation) {
      this.#refuse(operations, isolation);
      return;
    }
    const flight = new Flight(this.#plan, this.#route, operations, now);
    const breaker = this.#breaker;
    // A command that waits for minutes says nothing about the connection meanwhile; as a probe it would hold up all others.
    if (!breaker || operations.some((operation) => operation.blocking)) {
      flight.start(ignore);
      return;
    }
    // cockatiel lets further callers wait behind a half-open probe; waiting is what a breaker is there to prevent.
    if (breaker.state === CircuitState.HalfOpen) {
      this.#refuse(operations);
      return;
    }
    breaker
      .execute(() => this.#fly(flight, now))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError || error instanceof IsolatedCircuitError) this.#refuse(operations);
        // Any other failure has been told to the callers by the flight itself.
      });
  }

  /** As cockatiel wants it: resolved when the connection did its work, whatever the server answered. */
  #fly(flight: Flight, startedAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      flight.start((failure) => {
        if (!failure) resolve();
        else reject(this.#isEcho(failure, startedAt) ? ECHO : failure);
      });
    });
  }

  /**
   * One broken connection takes down every flight in the air: that is one failure, not five in a row. Otherwise a primary
   * that dies under load would open the circuit before the next one has taken over.
   */
  #isEcho(failure: ValkeyError, startedAt: number): boolean {
    if (!isBroken(failure)) return false;
    if (startedAt <= this.#brokenAt) return true;
    this.#brokenAt = performance.now();
    return false;
  }

  get #state(): BreakerState {
    if (this.#isolated > 0) return 'isolated';
    return this.#breaker ? STATES[this.#breaker.state] : 'closed';
  }

  #newBreaker(): CircuitBreakerPolicy | undefined {
    const { breaker } = this.#plan;
    if (!breaker) return undefined;
    const { failures, halfOpenAfter } = breaker;
    const policy = circuitBreaker(
      handleWhen((error) => error !== ECHO),
      { breaker: new ConsecutiveBreaker(failures), halfOpenAfter },
    );
    policy.onStateChange(() => this.#publishState());
    return policy;
  }

  /** A breaker changes under an isolation too, and one that was replaced may still hear of its last flights: no news. */
  #publishState(): void {
    const state = this.#state;
    if (state === this.#told) return;
    this.#told = state;
    if (events.breaker.active) events.breaker.publish({ ...this.#plan.identity, route: this.#route, state });
  }

  #refuse(operations: readonly Operation[], error: ValkeyError = this.#openError()): void {
    for (const operation of operations) if (!operation.settled) operation.settle({ ok: false, error });
  }

  #openError(): ValkeyError {
    return new ValkeyError(
      'VALKEY_CIRCUIT_OPEN',
      `The circuit to ${this.#route} is open after repeated failures; nothing was sent. It tries again after resilience.breaker.halfOpenAfter.`,
      { subject: this.#route },
    );
  }
}

/** States in cockatiel's words, and in ours. */
const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'isolated',
};

/** A failure that tells the breaker nothing new. */
const ECHO = new Error('This failure is counted already.');

/** Whether a connection broke, or could not be opened; a silent one is another matter. */
function isBroken({ code, cause }: ValkeyError): boolean {
  if (code === 'VALKEY_OUTCOME_UNKNOWN') return !(cause instanceof DeadlineError);
  return code === 'VALKEY_CONNECTION_FAILED';
}

function ignore(): void {
  // Without a breaker nobody asks how a flight went.
}
