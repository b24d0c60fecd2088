import { DecisionQueue } from './decision-queue.js';
import type { Listener, Question } from './decision-queue.js';
import type { Decision } from './decision.js';
import { checkLimits, decideLimits } from './limit-scripts.js';
import { StandInStore } from './stand-in-store.js';

/** A question, and who waits for the answer. */
interface Waiting extends Question {
  readonly resolve: (decision: Decision) => void;
  readonly reject: (reason: unknown) => void;
}

interface Queues {
  readonly deciding: DecisionQueue<Waiting>;
  readonly checking: DecisionQueue<Waiting>;
}

/**
 * Decides in this process, by the same rules, while the store is away. It begins with what it counts itself: several
 * processes together admit up to their number times the limit.
 */
export class StandIn {
  readonly #store = new StandInStore();
  #queues: Promise<Queues> | undefined;

  async decide(call: Question, isCounted: boolean): Promise<Decision> {
    this.#queues ??= this.#open();
    const { deciding, checking } = await this.#queues;
    return new Promise((resolve, reject) => {
      (isCounted ? deciding : checking).ask({ ...call, resolve, reject });
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #open(): Promise<Queues> {
    const client = await this.#store.open();
    return {
      deciding: new DecisionQueue(client, decideLimits, listener),
      checking: new DecisionQueue(client, checkLimits, listener),
    };
  }
}

const listener: Listener<Waiting> = {
  answered: ({ policy, resolve }, answer, at) => resolve(policy.read(answer, at, 'local')),
  failed: ({ reject }, error) => reject(error),
};
