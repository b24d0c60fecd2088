import { codeOf } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { BreakerState } from '../../core/events.js';
import { resolvePolicy } from '../../options/policy.js';
import type { PolicyOptions, PolicySettings } from '../../options/policy.js';
import { pausesOf } from '../backoff.js';
import type { Pauses } from '../backoff.js';
import { Call } from './call.js';
import { MethodCircuit } from './method-circuit.js';
import { underSignal } from './signal.js';
import { Slots } from './slots.js';
import { isFailure, judge } from './verdict.js';
import type { Outcome, Verdict } from './verdict.js';

/** What a policy runs. The signal fires when the deadline has passed. */
export type ResilientTask<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/**
 * Deadline, retry, breaker and bulkhead around anything asynchronous. One policy is one circuit and one set of slots:
 * make it once, for each thing that can fail on its own.
 *
 * @example
 * ```ts
 * const prices = new ResiliencePolicy('prices', { timeout: '2s', retry: { attempts: 2 }, breaker: { failures: 5 } });
 *
 * const response = await prices.execute((signal) => fetch('https://prices.internal/today', { signal }));
 * ```
 */
export class ResiliencePolicy {
  /** What errors and events call it. */
  readonly name: string;
  readonly #settings: PolicySettings;
  readonly #circuit: MethodCircuit | undefined;
  readonly #slots: Slots | undefined;
  readonly #retryIf: (error: unknown) => boolean;
  readonly #pauses: (() => Pauses) | undefined;

  /** @throws ConfigurationError with everything that is wrong with `options` */
  constructor(name: string, options: PolicyOptions) {
    const settings = resolvePolicy(name, options);
    this.name = name;
    this.#settings = settings;
    this.#circuit =
      settings.breaker && new MethodCircuit(name, settings.breaker, (refusal) => this.#slots?.refuse(refusal));
    this.#slots = settings.bulkhead && new Slots(name, settings.bulkhead);
    this.#retryIf = settings.retryIf ?? isFailure;
    this.#pauses = settings.retry && pausesOf(settings.retry);
  }

  /** The state of its circuit; `undefined` without a breaker. */
  get state(): BreakerState | undefined {
    return this.#circuit?.state;
  }

  /** Lets nothing through until the function it gives is called. Without a breaker it does nothing. */
  isolate(): () => void {
    return this.#circuit?.isolate() ?? (() => undefined);
  }

  /** Closes a circuit that failures have opened. */
  reset(): void {
    this.#circuit?.reset();
  }

  /**
   * Runs `task` under this policy. When all has failed, `fallback` gets the last error and may give a result instead;
   * what it throws goes to the caller.
   */
  async execute<T>(task: ResilientTask<T>, fallback?: (error: unknown) => T | PromiseLike<T>): Promise<Awaited<T>> {
    const call = new Call(this.name, this.#settings.timeout);
    try {
      return await this.#inSlot(task, call);
    } catch (error) {
      // Inside a call that is over itself nobody waits for what a fallback gives.
      if (!fallback || call.over === 'abandoned') throw error;
      if (events.methodFallback.active) events.methodFallback.publish({ method: this.name, code: codeOf(error) });
      try {
        return await fallback(error);
      } catch (failure) {
        throw withCause(failure, error);
      }
    } finally {
      call.end();
    }
  }

  async #inSlot<T>(task: ResilientTask<T>, call: Call): Promise<Awaited<T>> {
    if (call.over) throw call.signal.reason;
    if (this.#circuit?.refuses === true) throw this.#circuit.refusal;
    if (!this.#slots) return this.#repeat(task, call);
    const slots = this.#slots;
    await slots.take(call);
    try {
      return await this.#repeat(task, call);
    } finally {
      // What was left behind at the deadline still runs, and its slot is taken until it ends.
      if (call.running) void call.running.then(() => slots.release());
      else slots.release();
    }
  }

  async #repeat<T>(task: ResilientTask<T>, call: Call): Promise<Awaited<T>> {
    const attempts = this.#settings.retry?.attempts ?? 0;
    let last: { readonly error: unknown } | undefined;
    let pauses: Pauses | undefined;
    for (let attempt = 1; ; attempt += 1) {
      if (call.over) throw call.signal.reason;
      const outcome = this.#circuit
        ? await this.#circuit.pass(async () => this.#try(task, call))
        : await this.#try(task, call);
      // Somebody else's failure has opened the circuit during the pause; the caller is told what happened here.
      if (!outcome) throw last ? last.error : this.#circuit?.refusal;
      if (outcome.ok) return outcome.value;
      if (outcome.verdict !== 'failure' || attempt > attempts || call.over || this.#circuit?.refuses === true) {
        throw outcome.error;
      }
      last = outcome;
      call.setback = outcome.error;
      pauses ??= this.#pauses?.();
      await this.#pause(attempt, pauses?.(attempt) ?? 0, call);
    }
  }

  async #try<T>(task: ResilientTask<T>, call: Call): Promise<Outcome<Awaited<T>>> {
    try {
      return { ok: true, value: await call.run(underSignal(call.signal, task)) };
    } catch (error) {
      if (!call.over) return this.#judged(error);
      return { ok: false, error: call.signal.reason, verdict: call.over === 'late' ? 'failure' : 'nothing' };
    }
  }

  #judged(error: unknown): Outcome<never> {
    let verdict: Verdict;
    try {
      verdict = judge(error, this.#retryIf);
    } catch (failure) {
      return { ok: false, error: withCause(failure, error), verdict: 'nothing' };
    }
    return { ok: false, error, verdict };
  }

  async #pause(attempt: number, delayMs: number, call: Call): Promise<void> {
    if (events.methodRetry.active) {
      events.methodRetry.publish({ method: this.name, attempt, delayMs, code: codeOf(call.setback) });
    }
    await call.pause(delayMs);
  }
}

/** `error`, which says what led to it unless it does already. */
function withCause(error: unknown, cause: unknown): unknown {
  if (error instanceof Error && error !== cause && error.cause === undefined && Object.isExtensible(error)) {
    error.cause = cause;
  }
  return error;
}
