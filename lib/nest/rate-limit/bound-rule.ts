import { LRUCache } from 'lru-cache';
import { ArgumentError, isValkeyError, RateLimitExceededError, RateLimitUnavailableError } from '../../core/errors.js';
import { shortName } from '../../core/stored-name.js';
import type { Decision } from '../../features/rate-limit/decision.js';
import type { RateLimiter } from '../../features/rate-limit/rate-limiter.js';
import { isWhole } from '../../options/checks.js';
import { planLimits } from '../../options/limit-options.js';
import type { Limit, LimitPreset, Limits } from '../../options/limit-options.js';
import { shown } from '../../options/problem.js';
import { isFunction } from '../decorated-method.js';
import { headerForm } from './headers.js';
import type { HeaderForm } from './headers.js';
import type { Awaitable, RateLimitHeaders, RateLimitRefusal } from './rate-limit-options.js';
import type { Rule } from './rule.js';
import { ask, isPromise, subjectOf } from './subject.js';
import type { Call } from './subject.js';

/** Limits of subjects, and different limits, that are remembered at the most. */
const MOST = 10_000;

/** What a client's decorators have in common. */
export interface ClientLimits {
  readonly limiter: RateLimiter;
  readonly isEnabled: boolean;
  readonly presets: Readonly<Record<LimitPreset, Limit>>;
  readonly headers: Required<RateLimitHeaders>;
  readonly error: ((refusal: RateLimitRefusal) => Error) | undefined;
}

/** What a rule says of a call. */
export interface Verdict {
  readonly rule: BoundRule;
  readonly subject: string;
  readonly limits: Limits;
  readonly cost: number;
  readonly decision: Decision;
}

/** A rule with the limiter that decides it. */
export class BoundRule {
  readonly name: string;
  readonly headers: Required<RateLimitHeaders>;
  readonly error: ((refusal: RateLimitRefusal) => Error) | undefined;
  readonly #rule: Rule;
  readonly #client: ClientLimits;
  readonly #limitsOf: (call: Call, subject: string) => Awaitable<Limits>;
  readonly #prefix: string;
  readonly #forms = new WeakMap<Limits, HeaderForm>();

  /** `isOne`: it is one of several of its method, and its tiers have to be told from those of the others. */
  constructor(rule: Rule, client: ClientLimits, isOne: boolean) {
    this.name = rule.name;
    this.headers = headersOf(rule.headers, client.headers);
    this.error = rule.error ?? client.error;
    this.#rule = rule;
    this.#client = client;
    this.#limitsOf = limitsOf(rule, client);
    this.#prefix = isOne ? `${rule.name}/` : '';
  }

  /**
   * Asks the limiter; `undefined` for a call that is not counted.
   *
   * Rejects with whatever the functions of the rule throw, and as {@link RateLimiter.consume} does.
   */
  async decide(call: Call): Promise<Verdict | undefined> {
    if (!this.#client.isEnabled) return undefined;
    const { by, cost: costs, skip, place, name } = this.#rule;
    if (skip) {
      const skipped = ask<Awaitable<boolean>>(skip, call);
      if (isPromise(skipped) ? await skipped : skipped) return undefined;
    }
    const whose = subjectOf(by, call, place);
    const subject = isPromise(whose) ? await whose : whose;
    const said = this.#limitsOf(call, subject);
    const limits = isPromise(said) ? await said : said;
    const price = isFunction(costs) ? ask<Awaitable<number>>(costs, call) : costs;
    const cost = checkedCost(isPromise(price) ? await price : price, place);
    const decision = await this.#client.limiter.consume(subject, limits, { name, cost });
    return { rule: this, subject, limits, cost, decision };
  }

  /** Gives back what an admitted call has cost, because it is not made. Never rejects: then it stays counted. */
  async refund({ subject, limits, cost, decision }: Verdict): Promise<void> {
    if (decision.by !== 'store') return;
    const refunded = this.#client.limiter.refund(subject, limits, { name: this.name, cost });
    await Promise.allSettled([refunded]);
  }

  /** The error of a refusal. */
  exceeded({ decision }: Verdict): RateLimitExceededError {
    return new RateLimitExceededError(this.name, decision.retryAfter, decision.refusedBy);
  }

  formOf(limits: Limits): HeaderForm {
    let form = this.#forms.get(limits);
    if (!form) {
      form = headerForm(limits, this.#prefix, this.#rule.place);
      this.#forms.set(limits, form);
    }
    return form;
  }

  /** What a tier is called in headers. */
  policyName(tier: string): string {
    return this.#prefix + tier;
  }
}

/** Whether the limiter could not decide, and is not to admit then. */
export function isUnavailable(error: unknown): error is RateLimitUnavailableError {
  return isValkeyError(error) && error.code === 'VALKEY_RATE_LIMIT_UNAVAILABLE';
}

/** @throws ArgumentError for what a function gave that is no cost */
function checkedCost(cost: number, place: string): number {
  if (isWhole(cost, 0, 2 ** 40)) return cost;
  throw new ArgumentError(
    `The rate limit of ${place} costs what a function gives, which was ${shown(cost)}: it must be a whole number of at least 0.`,
    { subject: place },
  );
}

function headersOf(
  own: RateLimitHeaders | false | undefined,
  usual: Required<RateLimitHeaders>,
): Required<RateLimitHeaders> {
  return own === false ? { standard: false, legacy: false } : { ...usual, ...own };
}

function limitsOf({ source, place }: Rule, client: ClientLimits): (call: Call, subject: string) => Awaitable<Limits> {
  switch (source.kind) {
    case 'fixed':
      return () => source.limits;
    case 'preset':
      return () => client.presets[source.preset];
    case 'plans':
      return (call) => {
        const plan = ask<Awaitable<string>>(source.plan, call);
        if (!isPromise(plan)) return planLimits(source.plans, plan, place);
        return Promise.resolve(plan).then((settled) => planLimits(source.plans, settled, place));
      };
    case 'asked': {
      const known = sameAgain();
      return (call) => {
        const limits = ask<Awaitable<Limits>>(source.limits, call);
        return isPromise(limits) ? Promise.resolve(limits).then(known) : known(limits);
      };
    }
    case 'loaded':
      return loadedLimits(source.load, source.key, source.ttl);
  }
}

function loadedLimits(
  load: Rule['cost'] & object,
  key: (Rule['cost'] & object) | undefined,
  ttl: number,
): (call: Call, subject: string) => Promise<Limits> {
  const known = sameAgain();
  const cache = new LRUCache<string, Limits, Call>({
    max: MOST,
    ttl,
    noDeleteOnFetchRejection: true,
    // Whoever waits for limits gets them, also when others have taken their place meanwhile.
    ignoreFetchAbort: true,
    fetchMethod: async (_key, old, { options, context }) => {
      // Whoever has limits keeps them when they cannot be fetched anew; who has none is told why.
      options.allowStaleOnFetchRejection = old !== undefined;
      return known(await ask<Awaitable<Limits>>(load, context));
    },
  });
  return async (call, subject) => {
    const own = key === undefined ? subject : String(await ask<Awaitable<string | number>>(key, call));
    // Callers may choose it: long ones are remembered by their hash.
    return (await cache.fetch(own && shortName(own, 'The key of limits'), { context: call })) as Limits;
  };
}

/** Gives the same object for equal limits: what is prepared for limits is found by it again. */
function sameAgain(): (limits: Limits) => Limits {
  const seen = new LRUCache<string, Limits>({ max: MOST });
  const known = new WeakSet<object>();
  return (limits) => {
    // What is no object is refused by the limiter, in the same words for everybody.
    if (typeof limits !== 'object' || limits === null || known.has(limits)) return limits;
    try {
      const text = JSON.stringify(limits);
      let same = seen.get(text);
      if (!same) {
        same = structuredClone(limits);
        seen.set(text, same);
        known.add(same);
      }
      return same;
    } catch {
      // Neither are functions or large numbers limits.
      return limits;
    }
  };
}
