import { ArgumentError } from '../../core/errors.js';
import { storedName } from '../../core/stored-name.js';
import { counterOf, LETTERS, resolveLimits } from '../../options/limit-options.js';
import type { Limits, Tier } from '../../options/limit-options.js';
import type { Decision, TierState } from './decision.js';

/** Everything of the limits begins with this. */
const ROOT = 'limit:';
const BLOCK = '!block';
const NAME = /^[\w.-]{1,128}$/;

/** The tiers of a limit, ready to be sent. */
export class Policy {
  readonly tiers: readonly Tier[];
  /** As the scripts read it: the number of tiers and five figures for each. */
  readonly rules: readonly (string | number)[];
  /** The most one call may cost. */
  readonly capacity: number;
  /** For a refund: the letter and the window of each tier. */
  readonly units: readonly (string | number)[];
  /** What the keys of a subject end with. */
  readonly #counters: readonly string[];
  readonly #endings: readonly string[];

  constructor(limits: Limits, place: string) {
    this.tiers = resolveLimits(limits, place);
    this.capacity = Math.min(...this.tiers.map(({ capacity }) => capacity));
    const each = this.tiers.map((tier) => ({
      ...tier,
      letter: LETTERS[tier.algorithm],
      ending: `}${counterOf(tier)}`,
    }));
    this.rules = [
      each.length,
      ...each.flatMap(({ letter, limit, window, capacity, block }) => [letter, limit, window, capacity, block]),
    ];
    this.units = each.flatMap(({ letter, window }) => [letter, window]);
    this.#counters = each.map(({ ending }) => ending);
    this.#endings = each.flatMap(({ ending, block }) => (block > 0 ? [ending, ending + BLOCK] : [ending]));
  }

  /** The keys of a subject as the scripts want them: counters and blocks. They share one slot. */
  addKeys(subject: string, keys: string[]): void {
    for (const ending of this.#endings) keys.push(subject + ending);
  }

  /** The keys of its counters alone. */
  counterKeys(subject: string): readonly string[] {
    return this.#counters.map((ending) => subject + ending);
  }

  /** How many figures the answer that begins at `at` has. */
  width(answer: ArrayLike<number>, at: number): number {
    return 1 + 2 * this.tiers.length + (answer[at] === 0 ? 0 : 1);
  }

  /** Reads the answer that begins at `at`. */
  read(answer: ArrayLike<number>, at: number, by: Decision['by']): Decision {
    const tiers = this.tiers.map(({ name, capacity, window }, index): TierState => {
      const place = at + 1 + 2 * index;
      return { name, limit: capacity, window, remaining: answer[place] ?? 0, reset: answer[place + 1] ?? 0 };
    });
    const refusing = answer[at] ?? 0;
    return {
      admitted: refusing === 0,
      retryAfter: refusing === 0 ? 0 : (answer[at + 1 + 2 * tiers.length] ?? 0),
      refusedBy: refusing === 0 ? undefined : tiers[refusing - 1],
      tiers,
      by,
    };
  }

  /** What becomes of a call that costs more than there ever is. */
  tooCostly(): Decision {
    const least = this.tiers.findIndex(({ capacity }) => capacity === this.capacity);
    const full = this.tiers.flatMap(({ capacity }) => [capacity, 0]);
    return { ...this.read([least + 1, ...full, 0], 0, 'memory'), tiers: [], retryAfter: undefined };
  }

  /** What becomes of a call when nobody decides. */
  undecided(): Decision {
    return { admitted: true, retryAfter: 0, refusedBy: undefined, tiers: [], by: 'none' };
  }
}

/**
 * Where the counters of a subject begin. The braces make them share a slot, whatever the subject is.
 *
 * @throws ArgumentError for what is no name or no subject
 */
export function subjectName(name: string, subject: string): string {
  return `${spaceName(name)}${storedName(subject, 'The subject of a rate limit')}`;
}

/** What the keys of a name begin with: names are few, and looked at once. */
const spaces = new Map<string, string>();

function spaceName(name: string): string {
  const known = spaces.get(name);
  if (known !== undefined) return known;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new ArgumentError(
      'The name of a rate limit must be 1 to 128 letters, digits, dots, hyphens or underscores.',
      { subject: 'name' },
    );
  }
  const space = `${ROOT}${name}{:`;
  if (spaces.size < 1_000) spaces.set(name, space);
  return space;
}
