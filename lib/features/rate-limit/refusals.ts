import { LRUCache } from 'lru-cache';
import type { Policy } from './counters.js';
import type { Decision } from './decision.js';

/** A refusal that holds until its time is over, for calls that cost the same: what costs more has to wait for longer. */
interface Refusal {
  readonly policy: Policy;
  readonly cost: number;
  readonly decision: Decision;
  /** By `performance.now()`. */
  readonly since: number;
  readonly until: number;
}

/** What was refused lately: as counters only sink, asking again before the time is over would change nothing. */
export class Refusals {
  readonly #refusals: LRUCache<string, Refusal> | undefined;
  #forgotten = 0;

  /** Remembers `most` subjects. */
  constructor(most: number) {
    this.#refusals = most > 0 ? new LRUCache({ max: most }) : undefined;
  }

  /** The refusal of a call, if it is known. */
  of(policy: Policy, subject: string, cost: number): Decision | undefined {
    // Most of the time nobody is refused, and looking for it is not free.
    if (!this.#refusals || this.#refusals.size === 0) return undefined;
    const refusal = this.#refusals.get(subject);
    if (!refusal || refusal.policy !== policy || refusal.cost !== cost) return undefined;
    const now = performance.now();
    if (now < refusal.until) return later(refusal.decision, now - refusal.since);
    this.#refusals.delete(subject);
    return undefined;
  }

  /** What a question takes along, for {@link Refusals.remember}. */
  get moment(): number {
    return this.#forgotten;
  }

  /** Unless something was forgotten since the question of that `moment`: it may have been this. */
  remember(policy: Policy, subject: string, cost: number, decision: Decision, moment: number): void {
    if (decision.admitted || decision.retryAfter === undefined || moment !== this.#forgotten) return;
    const since = performance.now();
    // Timers may fire a little early, and who has waited long enough is to be asked about.
    this.#refusals?.set(subject, { policy, cost, decision, since, until: since + decision.retryAfter - 1 });
  }

  forget(subject: string): void {
    this.#forgotten += 1;
    this.#refusals?.delete(subject);
  }
}

/** The decision as it is after some milliseconds. */
function later(decision: Decision, passed: number): Decision {
  const left = (time: number): number => Math.max(0, Math.ceil(time - passed));
  const tiers = decision.tiers.map((tier) => ({ ...tier, reset: left(tier.reset) }));
  const place = decision.tiers.findIndex((tier) => tier === decision.refusedBy);
  return {
    admitted: false,
    retryAfter: Math.max(1, left(decision.retryAfter ?? 0)),
    refusedBy: tiers[place],
    tiers,
    by: 'memory',
  };
}
