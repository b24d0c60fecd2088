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
import type { Driver, Operation } from '../driver/driver.js';
import type { Settings } from '../options/settings.js';
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
  readonly breaker: Settings['breaker'];
}

/** Retry, deadline and breaker for one route: one sick shard must not open the circuit of the healthy ones. */
export class RoutePolicy {
  readonly #plan: PolicyPlan;
  readonly #route: string;
  readonly #breaker: CircuitBreakerPolicy | undefined;

  constructor(route: string, plan: PolicyPlan) {
    this.#route = route;
    this.#plan = plan;
    this.#breaker =
      plan.breaker &&
      circuitBreaker(handleAll, {
        breaker: new ConsecutiveBreaker(plan.breaker.failures),
        halfOpenAfter: plan.breaker.halfOpenAfter,
      });
  }

  /** Sends operations of this route. Each is settled on its own. */
  execute(operations: readonly Operation[], now: number): void {
    const flight = new Flight(this.#plan, operations, now);
    const breaker = this.#breaker;
    if (!breaker) {
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

  #refuse(operations: readonly Operation[]): void {
    const error = new ValkeyError(
      'VALKEY_CIRCUIT_OPEN',
      `The circuit to ${this.#route} is open after repeated failures; nothing was sent. It tries again after resilience.breaker.halfOpenAfter.`,
      { subject: this.#route },
    );
    for (const operation of operations) if (!operation.settled) operation.settle({ ok: false, error });
  }
}

/** A flight as cockatiel wants it: resolved when the connection did its work, whatever the server answered. */
function fly(flight: Flight): Promise<void> {
  return new Promise((resolve, reject) => {
    flight.start((failure) => (failure ? reject(failure) : resolve()));
  });
}

function ignore(): void {
  // Without a breaker nobody asks how a flight went.
}
