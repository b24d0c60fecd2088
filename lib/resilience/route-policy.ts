import { BrokenCircuitError, CircuitState, IsolatedCircuitError } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import { ValkeyError } from '../core/errors.js';
import { events } from '../core/events.js';
import type { BreakerState, ClientIdentity } from '../core/events.js';
import type { Driver, Operation } from '../driver/driver.js';
import type { Settings } from '../options/settings.js';
import { breakerOf, STATES } from './breaker.js';
import type { Circuit } from './circuit.js';
import type { Deadlines } from './deadlines.js';
import { Bulkhead } from './bulkhead.js';
import { isBroken } from './failure-class.js';
import { Flight } from './flight.js';
import type { FlightPolicy } from './flight.js';
import { Probe } from './probe.js';

/** What the policies of all routes of a client share. */
export interface PolicyPlan {
  readonly driver: Driver;
  readonly deadlines: Deadlines;
  readonly attempts: number;
  readonly pauses: FlightPolicy['pauses'];
  readonly later: FlightPolicy['later'];
  readonly closed: FlightPolicy['closed'];
  readonly traffic: FlightPolicy['traffic'];
  readonly breaker: Settings['breaker'];
  /** Milliseconds others are kept waiting for the outcome of a probe. */
  readonly patience: number;
  readonly bulkhead: Settings['bulkhead'];
  /** Sends operations of one tick, once they may fly. */
  readonly send: (policy: RoutePolicy, operations: readonly Operation[]) => void;
  readonly identity: ClientIdentity;
}

/** Bulkhead, retry, deadline and breaker for one route: one sick shard must not open the circuit of the healthy ones. */
export class RoutePolicy {
  readonly #plan: PolicyPlan;
  readonly #route: string;
  readonly #bulkhead: Bulkhead | undefined;
  #breaker: CircuitBreakerPolicy | undefined;
  /** Held open by hand. */
  #isolated = 0;
  /** When the last broken connection was counted, by `performance.now()`. */
  #brokenAt = -Infinity;
  /** Whether all that failed since the last success was that there was no connection. */
  #wasOnlyAway = true;
  /** The state listeners know of. */
  #told: BreakerState = 'closed';

  constructor(route: string, plan: PolicyPlan) {
    this.#route = route;
    this.#plan = plan;
    this.#breaker = this.#newBreaker();
    this.#bulkhead = plan.bulkhead && this.#newBulkhead(plan.bulkhead);
  }

  get circuit(): Circuit {
    const { state } = this.#bulkhead ?? {};
    return { route: this.#route, state: this.#state, ...(state && { bulkhead: state }) };
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

  /** Whether everything passes. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Forgets all failures so far: a closed circuit again, unless it is held open by hand. */
  reset(): void {
    this.#breaker = this.#newBreaker();
    this.#publishState();
  }

  /**
   * The connection to this route is open, and the server has answered on it. Where nothing but its absence opened the
   * circuit, that is all a probe could find out.
   */
  onReady(): void {
    if (this.#wasOnlyAway && this.#breaker?.state === CircuitState.Open) this.reset();
  }

  /** Ends what waits for its turn. */
  close(): void {
    this.#bulkhead?.close();
  }

  /** Takes operations of this route that arrived together; a bulkhead may let some wait or end them. */
  accept(operations: readonly Operation[]): void {
    if (this.#bulkhead) this.#bulkhead.admit(operations);
    else this.#plan.send(this, operations);
  }

  /** Sends operations of this route. Each is settled on its own. */
  execute(operations: readonly Operation[], now: number): void {
    const { isolation } = this;
    if (isolation) {
      this.#refuse(operations, isolation);
      return;
    }
    // A flight without passengers would be a probe that finds out nothing.
    if (operations.every(({ settled }) => settled)) return;
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
      .execute(() => this.#fly(flight, now, breaker))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError || error instanceof IsolatedCircuitError) this.#refuse(operations);
        // Any other failure has been told to the callers by the flight itself.
      });
  }

  /** As cockatiel wants it: resolved when the connection did its work, whatever the server answered. */
  #fly(flight: Flight, startedAt: number, breaker: CircuitBreakerPolicy): Promise<void> {
    return new Promise((resolve, reject) => {
      // What cockatiel runs though the circuit is not closed is the probe; it becomes half-open only after that.
      const probe = breaker.state === CircuitState.Closed ? undefined : this.#newProbe(flight, reject);
      flight.start((failure) => {
        probe?.end();
        if (failure) {
          this.#wasOnlyAway &&= flight.foundNoConnection;
          reject(this.#isEcho(failure, startedAt) ? ECHO : failure);
        } else if (flight.isAnswered) {
          this.#wasOnlyAway = true;
          // Late, but an answer to what was asked after the circuit had opened.
          if (probe?.isGivenUp && breaker === this.#breaker && breaker.state !== CircuitState.Closed) this.reset();
          resolve();
        } else {
          // Nobody waited for the answer. A probe that says nothing must not close the circuit.
          reject(this.#breaker?.state === CircuitState.HalfOpen ? UNHEARD : ECHO);
        }
      });
    });
  }

  /** The deadline of a probe may be far away; the others are not kept out for so long. */
  #newProbe(flight: Flight, fail: (reason: Error) => void): Probe {
    return new Probe(this.#plan.deadlines, this.#plan.patience, () => {
      this.#wasOnlyAway &&= !flight.isSilent;
      fail(SILENT);
    });
  }

  /**
   * One broken connection takes down every flight in the air: that is one failure, not five in a row. Otherwise a primary
   * that dies under load would open the circuit before the next one has taken over.
   */
  #isEcho(failure: ValkeyError, startedAt: number): boolean {
    if (!isBroken(failure)) return false;
    // Of a probe every failure is news: cockatiel takes what does not count for a success.
    if (startedAt <= this.#brokenAt && this.#breaker?.state !== CircuitState.HalfOpen) return true;
    this.#brokenAt = performance.now();
    return false;
  }

  get #state(): BreakerState {
    if (this.#isolated > 0) return 'isolated';
    return this.#breaker ? STATES[this.#breaker.state] : 'closed';
  }

  #newBulkhead(settings: NonNullable<Settings['bulkhead']>): Bulkhead {
    const gate = {
      route: this.#route,
      send: (operations: readonly Operation[]) => this.#plan.send(this, operations),
      closed: () => this.isolation ?? (this.#state === 'closed' ? undefined : this.#openError()),
    };
    return new Bulkhead(settings, gate, this.#plan.deadlines);
  }

  #newBreaker(): CircuitBreakerPolicy | undefined {
    const { breaker } = this.#plan;
    if (!breaker) return undefined;
    const policy = breakerOf(breaker, (error) => error !== ECHO);
    policy.onStateChange(() => this.#publishState());
    return policy;
  }

  /** A breaker changes under an isolation too, and one that was replaced may still hear of its last flights: no news. */
  #publishState(): void {
    const state = this.#state;
    if (state === this.#told) return;
    this.#told = state;
    this.#bulkhead?.refuseQueued();
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

/** How a flight ended that tells the breaker nothing new. */
const ECHO = new Error('This is counted already.');

/** Why a probe counts as failed before it is over. */
const SILENT = new Error('The probe has not been answered for too long.');

/** How a probe ended that nobody waited for. */
const UNHEARD = new Error('The probe was given up before it was answered.');

function ignore(): void {
  // Without a breaker nobody asks how a flight went.
}
