import { BrokenCircuitError, CircuitState } from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import { ValkeyError } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { BreakerState } from '../../core/events.js';
import type { BreakerSettings } from '../../options/settings.js';
import { breakerOf, STATES } from '../breaker.js';
import type { Outcome } from './verdict.js';

/** The circuit of one policy. */
export class MethodCircuit {
  readonly #name: string;
  readonly #settings: BreakerSettings;
  readonly #onShut: (refusal: ValkeyError) => void;
  #breaker: CircuitBreakerPolicy;
  #openedAt = 0;
  /** Held open by hand. */
  #isolated = 0;
  /** The state listeners know of. */
  #told: BreakerState = 'closed';

  /** `onShut` hears whenever it lets nothing more through, and what to tell those who wait. */
  constructor(name: string, settings: BreakerSettings, onShut: (refusal: ValkeyError) => void) {
    this.#name = name;
    this.#settings = settings;
    this.#onShut = onShut;
    this.#breaker = this.#newBreaker();
  }

  get state(): BreakerState {
    return this.#isolated > 0 ? 'isolated' : STATES[this.#breaker.state];
  }

  /** Whether an attempt now would be refused. */
  get refuses(): boolean {
    const { state } = this;
    return state === 'open' ? performance.now() - this.#openedAt < this.#settings.halfOpenAfter : state !== 'closed';
  }

  /** Lets one attempt through and counts how it ended; `undefined` if it is not let through. */
  async pass<T>(attempt: () => Promise<Outcome<T>>): Promise<Outcome<T> | undefined> {
    // cockatiel lets further callers wait behind a half-open probe; waiting is what a breaker is there to prevent.
    if (this.refuses) return undefined;
    const breaker = this.#breaker;
    // What cockatiel is not told to count closes a half-open circuit: a probe that says nothing must not.
    const isProbe = breaker.state !== CircuitState.Closed;
    try {
      return await breaker.execute(async () => {
        const outcome = await attempt();
        // An answer is told as success: in between failures it shows that all is well.
        if (!outcome.ok && outcome.verdict !== 'answer') throw new Miss(outcome, isProbe);
        return outcome;
      });
    } catch (error) {
      if (error instanceof Miss) return error.outcome;
      if (error instanceof BrokenCircuitError) return undefined;
      throw error;
    }
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

  /** Forgets all failures so far: a closed circuit again, unless it is held open by hand. */
  reset(): void {
    this.#breaker = this.#newBreaker();
    this.#publishState();
  }

  get refusal(): ValkeyError {
    const why =
      this.#isolated > 0
        ? 'was opened by isolate(); nothing was called. It closes when the function isolate() gave is called.'
        : 'is open after repeated failures; nothing was called. It tries again after breaker.halfOpenAfter.';
    return new ValkeyError('VALKEY_CIRCUIT_OPEN', `The circuit of ${this.#name} ${why}`, { subject: this.#name });
  }

  #newBreaker(): CircuitBreakerPolicy {
    const breaker = breakerOf(this.#settings, (error) => error instanceof Miss && error.counts);
    breaker.onStateChange((state) => {
      if (state === CircuitState.Open) this.#openedAt = performance.now();
      this.#publishState();
    });
    return breaker;
  }

  /** A breaker changes under an isolation too, and one that was replaced may still hear of its last attempts: no news. */
  #publishState(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    if (state === 'open' || state === 'isolated') this.#onShut(this.refusal);
    if (events.methodBreaker.active) events.methodBreaker.publish({ method: this.#name, state });
  }
}

/** An attempt that did not succeed, as cockatiel wants to be told. */
class Miss extends Error {
  readonly counts: boolean;

  constructor(
    readonly outcome: Outcome<never> & { readonly ok: false },
    isProbe: boolean,
  ) {
    super('An attempt did not succeed.');
    this.counts = isProbe || outcome.verdict === 'failure';
  }
}
