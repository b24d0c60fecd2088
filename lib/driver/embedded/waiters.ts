import { ClientClosedError } from '../../core/errors.js';
import type { Operation, Outcome, Reply } from '../driver.js';
import type { Wait } from './command.js';
import type { Atom } from './data/bytes.js';
import { toValkeyError } from './refusal.js';

/** The longest a timer can be set; longer waits take several. */
const LONGEST_TIMER = 2 ** 31 - 1;

interface Waiter {
  readonly operation: Operation;
  readonly wait: Wait;
  readonly present: (reply: Reply) => Reply;
  timer: NodeJS.Timeout | undefined;
}

/** Commands that wait for a key, served in the order they came. */
export class Waiters {
  readonly #byKey = new Map<Atom, Set<Waiter>>();
  readonly #ready = new Set<Atom>();

  /** Notes that a key changed; who waits for it is served by {@link Waiters.serve}. */
  notice(key: Atom): void {
    if (this.#byKey.size > 0 && this.#byKey.has(key)) this.#ready.add(key);
  }

  /** Lets an operation wait. */
  add(operation: Operation, wait: Wait, present: (reply: Reply) => Reply): void {
    const waiter: Waiter = { operation, wait, present, timer: undefined };
    for (const key of wait.keys) {
      const queue = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, queue);
      queue.add(waiter);
    }
    operation.onEnd = () => this.#remove(waiter);
    if (wait.timeout > 0) this.#startTimer(waiter, wait.timeout);
  }

  /** Serves whoever can go on since keys changed. What they do may make further keys ready. */
  serve(): void {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      for (const waiter of [...(this.#byKey.get(key) ?? [])]) this.#tryAgain(waiter);
    }
  }

  close(): void {
    for (const queue of [...this.#byKey.values()]) {
      for (const waiter of [...queue]) {
        this.#settle(waiter, { ok: false, error: new ClientClosedError(waiter.operation.command) });
      }
    }
    this.#ready.clear();
  }

  #tryAgain(waiter: Waiter): void {
    if (waiter.operation.settled) return this.#remove(waiter);
    try {
      const reply = waiter.wait.attempt();
      if (reply !== undefined) this.#settle(waiter, { ok: true, value: waiter.present(reply) });
    } catch (error) {
      if (waiter.wait.failsOnError) {
        this.#settle(waiter, { ok: false, error: toValkeyError(error, waiter.operation.command) });
      }
    }
  }

  #settle(waiter: Waiter, outcome: Outcome): void {
    this.#remove(waiter);
    waiter.operation.settle(outcome);
  }

  #remove(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    waiter.operation.onEnd = undefined;
    for (const key of waiter.wait.keys) {
      const queue = this.#byKey.get(key);
      if (queue?.delete(waiter) === true && queue.size === 0) this.#byKey.delete(key);
    }
  }

  /** Not unref'ed: like a socket, a wait keeps the process alive for as long as it may last. */
  #startTimer(waiter: Waiter, left: number): void {
    const step = Math.min(left, LONGEST_TIMER);
    waiter.timer = setTimeout(() => {
      if (left > step) this.#startTimer(waiter, left - step);
      else this.#settle(waiter, { ok: true, value: null });
    }, step);
  }
}
