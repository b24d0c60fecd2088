import type { CacheClient } from '../../client/cache-client.js';
import {
  ArgumentError,
  codeOf,
  isValkeyError,
  RateLimitExceededError,
  RateLimitUnavailableError,
} from '../../core/errors.js';
import { events } from '../../core/events.js';
import { checkCost, resolveLimiter } from '../../options/limit-options.js';
import type { Limits, RateLimiterOptions, RateLimiterSettings } from '../../options/limit-options.js';
import { unknownName } from '../../options/problem.js';
import { Policy, subjectName } from './counters.js';
import { DecisionQueue } from './decision-queue.js';
import type { Question } from './decision-queue.js';
import type { Decision } from './decision.js';
import { checkLimits, decideLimits, refundLimits } from './limit-scripts.js';
import { Refusals } from './refusals.js';
import { StandIn } from './stand-in.js';

/** The name of limits that have none. */
export const DEFAULT_LIMIT = 'default';

/** What is counted, and how much of it. */
export interface ConsumeOptions {
  /** Whose counter: subjects of one name are counted apart from those of another. Default: `'default'`. */
  readonly name?: string;
  /** What the call costs; 0 only looks. Default: `1`. */
  readonly cost?: number;
}

const CALL_OPTIONS: readonly string[] = ['name', 'cost'] satisfies (keyof ConsumeOptions)[];

/** A call, and who waits for what is decided. One object for all that a decision needs on its way: there are many. */
interface Waiting extends Question {
  /** By the refusals that are remembered. */
  readonly moment: number;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Decides how much of something a subject may do: an address, a user, a tenant. Exact over all processes, with the
 * server's time; every decision is one script, and all of one turn of the event loop travel together.
 *
 * @example
 * ```ts
 * constructor(@Inject(RATE_LIMITER) private readonly limiter: RateLimiter) {}
 *
 * async login(name: string, password: string): Promise<Session> {
 *   await this.limiter.enforce(name, LOGIN_LIMIT, { name: 'login' });
 *   return this.sessions.open(name, password);
 * }
 * ```
 */
export class RateLimiter {
  readonly #client: CacheClient;
  readonly #settings: RateLimiterSettings;
  readonly #deciding: DecisionQueue<Waiting>;
  readonly #checking: DecisionQueue<Waiting>;
  readonly #refusals: Refusals;
  readonly #standIn: StandIn;
  readonly #policies = new WeakMap<object, Policy>();

  /** @throws ConfigurationError with everything that is wrong with `options` */
  constructor(client: CacheClient, options: RateLimiterOptions = {}) {
    this.#settings = resolveLimiter(options);
    this.#client = client.with({ timeout: this.#settings.timeout });
    this.#deciding = new DecisionQueue(this.#client, decideLimits, {
      answered: (call, answer, at) => this.#decided(call, answer, at),
      failed: (call, error) => this.#failed(call, error, true),
    });
    this.#checking = new DecisionQueue(this.#client, checkLimits, {
      answered: ({ policy, resolve }, answer, at) => resolve(policy.read(answer, at, 'store')),
      failed: (call, error) => this.#failed(call, error, false),
    });
    this.#refusals = new Refusals(this.#settings.blockList);
    this.#standIn = new StandIn();
  }

  /**
   * Counts a call if all tiers admit it; a refusal changes nothing. Limits are checked when they are first seen, so give
   * the same object again rather than a new one each time.
   *
   * Rejects with a ConfigurationError for wrong limits, an ArgumentError for a wrong cost, subject or name, and a
   * RateLimitUnavailableError when the store is away and `onStoreDown` is `'closed'`.
   */
  consume(subject: string, limits: Limits, options?: ConsumeOptions): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const call = this.#waiting(subject, limits, options, resolve, reject);
      const known = this.#known(call);
      if (known) {
        this.#publish(call, known);
        resolve(known);
        return;
      }
      this.#deciding.ask(call);
    });
  }

  /**
   * The same, but a refusal is thrown.
   *
   * @throws RateLimitExceededError, and what {@link RateLimiter.consume} rejects with
   */
  async enforce(subject: string, limits: Limits, options?: ConsumeOptions): Promise<Decision> {
    const decision = await this.consume(subject, limits, options);
    if (decision.admitted) return decision;
    throw new RateLimitExceededError(options?.name ?? DEFAULT_LIMIT, decision.retryAfter, decision.refusedBy);
  }

  /** What {@link RateLimiter.consume} would answer now. Counts nothing and blocks nobody. */
  check(subject: string, limits: Limits, options?: ConsumeOptions): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const call = this.#waiting(subject, limits, options, resolve, reject);
      const known = this.#known(call);
      if (known) {
        resolve(known);
        return;
      }
      this.#checking.ask(call);
    });
  }

  /** How a subject stands. */
  peek(subject: string, limits: Limits, options?: Pick<ConsumeOptions, 'name'>): Promise<Decision> {
    return this.check(subject, limits, { ...options, cost: 0 });
  }

  /**
   * Gives back what a call has cost, as far as it still counts: for work that was never done. Wait for the call's decision
   * first. A block stays. Other processes that remember a refusal stay with it until its time is over. Rejects when the store
   * is away.
   */
  async refund(subject: string, limits: Limits, options?: ConsumeOptions): Promise<void> {
    const call = this.#call(subject, limits, options);
    if (call.cost === 0) return;
    try {
      await this.#client.run(refundLimits, call.policy.counterKeys(call.subject), [call.cost, ...call.policy.units]);
    } finally {
      this.#refusals.forget(call.subject);
    }
  }

  /** Forgets what was counted of a subject, and its block. Rejects when the store is away. */
  async reset(subject: string, limits: Limits, options?: Pick<ConsumeOptions, 'name'>): Promise<void> {
    const call = this.#call(subject, limits, options);
    const keys: string[] = [];
    call.policy.addKeys(call.subject, keys);
    try {
      await this.#client.del(...keys);
    } finally {
      this.#refusals.forget(call.subject);
    }
  }

  /** Sends what is still to be decided, and ends what stands in for the store. The client stays open. */
  close(): Promise<void> {
    this.#deciding.flush();
    this.#checking.flush();
    return this.#standIn.close();
  }

  #call(subject: string, limits: Limits, options: ConsumeOptions | undefined): Question {
    return this.#waiting(subject, limits, options, nobody, nobody);
  }

  #waiting(
    whose: string,
    limits: Limits,
    options: ConsumeOptions | undefined,
    resolve: Waiting['resolve'],
    reject: Waiting['reject'],
  ): Waiting {
    let name = DEFAULT_LIMIT;
    let cost = 1;
    if (options) {
      ({ name = DEFAULT_LIMIT, cost = 1 } = options);
      for (const option in options) if (!CALL_OPTIONS.includes(option)) throw badOption(option);
      checkCost(cost);
    }
    let policy = this.#policies.get(limits);
    if (!policy) {
      policy = new Policy(limits, `the rate limit "${name}"`);
      this.#policies.set(limits, policy);
    }
    const subject = subjectName(name, whose);
    return { name, policy, whose, subject, cost, moment: this.#refusals.moment, resolve, reject };
  }

  /** What can be said without asking. */
  #known({ policy, subject, cost }: Question): Decision | undefined {
    if (cost > policy.capacity) return policy.tooCostly();
    return this.#refusals.of(policy, subject, cost);
  }

  #decided(call: Waiting, answer: Float64Array, at: number): void {
    const { policy, subject, cost, moment, resolve } = call;
    const decision = policy.read(answer, at, 'store');
    this.#refusals.remember(policy, subject, cost, decision, moment);
    this.#publish(call, decision);
    resolve(decision);
  }

  #failed(call: Waiting, error: unknown, isCounted: boolean): void {
    this.#withoutStore(call, error, isCounted).then(call.resolve, call.reject);
  }

  async #withoutStore(call: Question, error: unknown, isCounted: boolean): Promise<Decision> {
    // The application ends: nothing is to begin any more, whatever stands in for a store that is away.
    if (isValkeyError(error, 'VALKEY_CLIENT_CLOSED')) throw error;
    const { onStoreDown } = this.#settings;
    if (onStoreDown === 'closed') {
      if (isCounted) this.#publish(call, { ...call.policy.undecided(), admitted: false }, error);
      throw new RateLimitUnavailableError(call.name, error);
    }
    const decision = onStoreDown === 'open' ? call.policy.undecided() : await this.#standIn.decide(call, isCounted);
    if (isCounted) this.#publish(call, decision, error);
    return decision;
  }

  #publish({ name }: Question, { admitted, by, refusedBy }: Decision, error?: unknown): void {
    if (!events.rateLimit.active) return;
    events.rateLimit.publish({
      ...this.#client.identity,
      limit: name,
      outcome: admitted ? 'admitted' : 'refused',
      by,
      tier: refusedBy?.name,
      code: codeOf(error),
    });
  }
}

function nobody(): void {
  // A call that nobody waits for in the queue.
}

function badOption(option: string): ArgumentError {
  return new ArgumentError(`A call of a rate limit ${unknownName(option, CALL_OPTIONS)}`, { subject: option });
}
