import { ArgumentError } from '../core/errors.js';
import type { Operation } from '../driver/driver.js';

/** Which operations something happens to. */
export interface Occasion {
  /** How many of them. Default: all. */
  readonly times?: number;
  /** Only those with this key, as it is sent: prefix included. Default: any. */
  readonly key?: string;
}

interface Rule<A> {
  readonly command: string;
  readonly key: string | undefined;
  readonly action: A;
  left: number;
}

/**
 * What is to happen to which operations. Rules with a number of times are used up in the order they were given; then the
 * last rule without one holds.
 */
export class Programme<A> {
  #rules: Rule<A>[] = [];

  /** @param command - in any case; `*` for all of them */
  add(command: string, action: A, { times = Infinity, key }: Occasion): void {
    if (times !== Infinity && (!Number.isSafeInteger(times) || times < 1)) {
      throw new ArgumentError('times must be a whole number of at least 1.', { subject: 'times' });
    }
    this.#rules.push({ command: command.toUpperCase(), key, action, left: times });
  }

  /** What is to happen to this operation, if anything; it counts as having happened. */
  take(operation: Operation): A | undefined {
    const fitting = this.#rules.filter((rule) => fits(rule, operation));
    const rule = fitting.find(({ left }) => left !== Infinity) ?? fitting.at(-1);
    if (!rule) return undefined;
    rule.left -= 1;
    if (rule.left === 0) this.#rules = this.#rules.filter((other) => other !== rule);
    return rule.action;
  }

  /** Forgets the rules for a command. Default: all rules. */
  clear(command?: string): void {
    const name = command?.toUpperCase();
    this.#rules = name === undefined ? [] : this.#rules.filter((rule) => rule.command !== name);
  }
}

function fits<A>({ command, key }: Rule<A>, operation: Operation): boolean {
  if (command !== '*' && command !== operation.command) return false;
  return key === undefined || (operation.key !== undefined && String(operation.key) === key);
}
