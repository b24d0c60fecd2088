import {
  BrokenCircuitError,
  CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  IsolatedCircuitError,
  circuitBreaker,
  handleAll,
} from 'cockatiel';
import { ValkeyError } from '../core/errors.js';
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
    if (this.#isolated === 1) this.#publishState();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#isolated -= 1;
      if (this.#isolated === 0) this.#publishState();
    };
  }

  /** Forgets all failures so far: a closed circuit again. */
  reset(): void {
    const wasClosed = this.#state === 'closed';
    this.#breaker = this.#newBreaker();
    if (!wasClosed) this.#publishState();
  }

  /** Sends operations of this route. Each is settled on its own. */
  execute(operations: readonly Operation[], now: number): void {
    if (this.#isolated > 0) {
      this.#refuse(operations);
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
      .execute(() => fly(flight))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError || error instanceof IsolatedCircuitError) this.#refuse(operations);
        // Any other failure has been told to the callers by the flight itself.
      });
  }

  get #state(): BreakerState {
    if (this.#isolated > 0) return 'isolated';
    return this.#breaker ? STATES[this.#breaker.state] : 'closed';
  }

  #newBreaker(): CircuitBreakerPolicy | undefined {
    const { breaker } = this.#plan;
    if (!breaker) return undefined;
    const { failures, halfOpenAfter } = breaker;
    const policy = circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(failures), halfOpenAfter });
    policy.onStateChange(() => this.#publishState());
    return policy;
  }

  #publishState(): void {
    if (events.breaker.active) {
      events.breaker.publish({ ...this.#plan.identity, route: this.#route, state: this.#state });
    }
  }

  #refuse(operations: readonly Operation[]): void {
    const error = new ValkeyError(
      'VALKEY_CIRCUIT_OPEN',
      `The circuit to ${this.#route} is open after repeated failures; nothing was sent. It tries again after resilience.breaker.halfOpenAfter.`,
      { subject: this.#route },
    );
    for (const operation of operations) if (!operation.settled) operation.settle({ ok: false, error });
  }
}

const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'isolated',
};

/** A flight as cockatiel wants it: resolved when the connection did its work, whatever the server answered. */
function fly(flight: Flight): Promise<void> {
  return new Promise((resolve, reject) => {
    flight.start((failure) => (failure ? reject(failure) : resolve()));
  });
}

function ignore(): void {
  // Without a breaker nobody asks how a flight went.
}
