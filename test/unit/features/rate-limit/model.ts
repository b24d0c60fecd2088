import type { LimitAlgorithm } from '../../../../lib/index.js';

/** A tier as the model sees it; times in milliseconds. */
export interface ModelTier {
  readonly algorithm: LimitAlgorithm;
  readonly limit: number;
  readonly window: number;
  readonly burst?: number;
  readonly block?: number;
}

/** What was admitted: so much, then. */
interface Admission {
  readonly at: number;
  readonly cost: number;
}

export interface ModelDecision {
  readonly admitted: boolean;
  /** Milliseconds. */
  readonly retryAfter: number;
  /** The number of the tier. */
  readonly refusedBy: number | undefined;
  readonly tiers: readonly { readonly remaining: number; readonly reset: number }[];
}

/**
 * One subject and its limits, as naively as the definitions can be written down: everything is remembered, nothing is
 * computed ahead, and every figure is found by trying. Costs are at most what the tiers can hold.
 */
export class Model {
  readonly #tiers: readonly ModelCounter[];

  constructor(tiers: readonly ModelTier[]) {
    this.#tiers = tiers.map((tier) => counterFor(tier));
  }

  consume(now: number, cost: number): ModelDecision {
    const decision = this.#decide(now, cost, true);
    if (!decision.admitted || cost === 0) return decision;
    for (const tier of this.#tiers) tier.admit(now, cost);
    return { ...decision, tiers: this.#figures(now) };
  }

  check(now: number, cost: number): ModelDecision {
    const decision = this.#decide(now, cost, false);
    if (!decision.admitted || cost === 0) return decision;
    const undo = this.#tiers.map((tier) => tier.save());
    for (const tier of this.#tiers) tier.admit(now, cost);
    const tiers = this.#figures(now);
    for (const back of undo) back();
    return { ...decision, tiers };
  }

  refund(now: number, cost: number): void {
    for (const tier of this.#tiers) tier.refund(now, cost);
  }

  reset(): void {
    for (const tier of this.#tiers) tier.clear();
  }

  #decide(now: number, cost: number, isCounted: boolean): ModelDecision {
    const waits = this.#tiers.map((tier) => (cost === 0 ? 0 : tier.waitFor(now, cost, isCounted)));
    const retryAfter = Math.max(...waits);
    return {
      admitted: retryAfter === 0,
      retryAfter,
      refusedBy: retryAfter === 0 ? undefined : waits.indexOf(retryAfter),
      tiers: this.#figures(now),
    };
  }

  #figures(now: number): ModelDecision['tiers'] {
    return this.#tiers.map((tier) => ({ remaining: tier.remaining(now), reset: tier.reset(now) }));
  }
}

/** How one algorithm counts. What fits at a moment fits at all later ones, if nothing more is admitted. */
abstract class ModelCounter {
  protected admissions: Admission[] = [];
  #blockedUntil = 0;

  constructor(protected readonly tier: ModelTier) {}

  /** Whether so much more fits. */
  abstract fits(now: number, cost: number): boolean;
  abstract get capacity(): number;

  admit(now: number, cost: number): void {
    this.admissions.push({ at: now, cost });
  }

  /** Milliseconds until it fits and no block is in force; 0: now. */
  waitFor(now: number, cost: number, isCounted: boolean): number {
    const wait = least((passed) => this.fits(now + passed, cost));
    const { block = 0 } = this.tier;
    if (this.#blockedUntil > now) return Math.max(wait, this.#blockedUntil - now);
    if (wait === 0) return 0;
    const longer = Math.max(wait, block);
    if (isCounted && block > 0) this.#blockedUntil = now + longer;
    return longer;
  }

  remaining(now: number): number {
    let room = 0;
    while (room < this.capacity && this.fits(now, room + 1)) room += 1;
    return room;
  }

  reset(now: number): number {
    return least((passed) => this.fits(now + passed, this.capacity));
  }

  /** Takes back the latest of what was admitted. */
  refund(_now: number, cost: number): void {
    for (let left = cost; left > 0;) {
      const last = this.admissions.pop();
      if (!last) return;
      if (last.cost > left) this.admissions.push({ at: last.at, cost: last.cost - left });
      left -= last.cost;
    }
  }

  clear(): void {
    this.admissions = [];
    this.#blockedUntil = 0;
  }

  save(): () => void {
    const kept = [...this.admissions];
    return () => void (this.admissions = kept);
  }

  /** What was admitted from `from` until before `to`. */
  protected sum(from: number, to: number): number {
    return this.admissions.reduce((sum, { at, cost }) => (at >= from && at < to ? sum + cost : sum), 0);
  }
}

/** Never more than the limit in any window: exact. */
class Log extends ModelCounter {
  readonly capacity = this.tier.limit;

  fits(now: number, cost: number): boolean {
    return this.sum(now - this.tier.window + 1, Infinity) + cost <= this.tier.limit;
  }
}

/** A window begins with the first admission after the one before has ended. */
class FixedWindow extends ModelCounter {
  readonly capacity = this.tier.limit;
  #start = -Infinity;

  fits(now: number, cost: number): boolean {
    const start = now < this.#start + this.tier.window ? this.#start : now;
    return this.sum(start, start + this.tier.window) + cost <= this.tier.limit;
  }

  override admit(now: number, cost: number): void {
    if (now >= this.#start + this.tier.window) this.#start = now;
    super.admit(now, cost);
  }

  override refund(now: number, cost: number): void {
    if (now < this.#start + this.tier.window) super.refund(now, Math.min(cost, this.sum(this.#start, Infinity)));
  }

  override clear(): void {
    this.#start = -Infinity;
    super.clear();
  }

  override save(): () => void {
    const [start, back] = [this.#start, super.save()];
    return () => {
      this.#start = start;
      back();
    };
  }
}

/**
 * Windows follow one another from the first admission on, until one passes in which nothing was; the one before counts
 * by the part of it that is within a window's length from now, in whole calls.
 */
class SlidingWindow extends ModelCounter {
  readonly capacity = this.tier.limit;
  /** Where the window of the latest admission begins. */
  #start = -Infinity;

  fits(now: number, cost: number): boolean {
    const { window, limit } = this.tier;
    const start = this.#windowOf(now);
    const inSight = BigInt(start + window - now);
    const before = BigInt(this.sum(start - window, start));
    const within = BigInt(this.sum(start, Infinity) + cost);
    return (before * inSight) / BigInt(window) + within <= BigInt(limit);
  }

  override admit(now: number, cost: number): void {
    this.#start = this.#windowOf(now);
    super.admit(now, cost);
  }

  override refund(now: number, cost: number): void {
    super.refund(now, Math.min(cost, this.sum(this.#start - this.tier.window, Infinity)));
  }

  override clear(): void {
    this.#start = -Infinity;
    super.clear();
  }

  override save(): () => void {
    const [start, back] = [this.#start, super.save()];
    return () => {
      this.#start = start;
      back();
    };
  }

  #windowOf(now: number): number {
    const { window } = this.tier;
    if (now < this.#start + window) return this.#start;
    return now < this.#start + 2 * window ? this.#start + window : now;
  }
}

/** A bucket that admissions fill, and that empties by the limit in each window. */
class TokenBucket extends ModelCounter {
  readonly capacity = this.tier.burst ?? this.tier.limit;

  fits(now: number, cost: number): boolean {
    const { window } = this.tier;
    return this.#level(now) + BigInt(cost) * BigInt(window) <= BigInt(this.capacity) * BigInt(window);
  }

  override refund(now: number, cost: number): void {
    this.admissions.push({ at: now, cost: -cost });
  }

  /** In parts of an admission: as many as the window has milliseconds. */
  #level(now: number): bigint {
    const { window, limit } = this.tier;
    let level = 0n;
    let at = 0;
    for (const admission of [...this.admissions, { at: now, cost: 0 }]) {
      level = atLeastNothing(level - BigInt(admission.at - at) * BigInt(limit));
      level = atLeastNothing(level + BigInt(admission.cost) * BigInt(window));
      at = admission.at;
    }
    return level;
  }
}

function atLeastNothing(level: bigint): bigint {
  return level < 0n ? 0n : level;
}

/** The least number of milliseconds for which something holds that goes on holding. */
function least(holds: (passed: number) => boolean): number {
  if (holds(0)) return 0;
  let [low, high] = [0, 1];
  while (!holds(high)) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function counterFor(tier: ModelTier): ModelCounter {
  switch (tier.algorithm) {
    case 'fixed-window':
      return new FixedWindow(tier);
    case 'sliding-window':
      return new SlidingWindow(tier);
    case 'sliding-log':
      return new Log(tier);
    case 'token-bucket':
      return new TokenBucket(tier);
  }
}
