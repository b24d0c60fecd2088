import type { CacheClient } from '../../client/cache-client.js';
import { letGo } from '../../core/let-go.js';
import type { Script } from '../../driver/script.js';
import type { Policy } from './counters.js';
import { unpacked } from './figures.js';

/**
 * Decisions in one script call at the most: it holds the server as long as it runs, and two that are in the air keep both
 * ends busy.
 */
const MOST = 128;

/** A decision that is asked for. */
export interface Question {
  readonly policy: Policy;
  /** Where the keys of the subject begin. */
  readonly subject: string;
  readonly cost: number;
}

/** Hears what became of questions. Must not throw. */
export interface Listener<Q extends Question> {
  /** Gets the figures of the script, from `at` on. */
  answered(question: Q, answer: Float64Array, at: number): void;
  /** The store did not answer. */
  failed(question: Q, error: unknown): void;
}

/** What is decided in one script call. */
class Batch<Q extends Question> {
  readonly keys: string[] = [];
  readonly questions: Q[] = [];
  readonly #policies = new Map<Policy, number>();
  /** The policy, the cost and the number of questions that have both and follow one another. */
  readonly #runs: number[] = [];

  add(question: Q): void {
    const { policy, subject, cost } = question;
    let place = this.#policies.get(policy);
    if (place === undefined) {
      place = this.#policies.size + 1;
      this.#policies.set(policy, place);
    }
    policy.addKeys(subject, this.keys);
    this.questions.push(question);
    const runs = this.#runs;
    const last = runs.length - 3;
    if (runs[last] === place && runs[last + 1] === cost) runs[last + 2] = (runs[last + 2] as number) + 1;
    else runs.push(place, cost, 1);
  }

  args(): readonly (string | number)[] {
    const rules = Array.from(this.#policies.keys(), (policy) => policy.rules).flat();
    return [this.#policies.size, ...rules, ...this.#runs];
  }
}

/**
 * Decisions of one turn of the event loop, sent together: in one script call, or in a cluster in one for each subject,
 * which the client sends together to each node.
 */
export class DecisionQueue<Q extends Question> {
  readonly #client: CacheClient;
  readonly #script: Script;
  readonly #listener: Listener<Q>;
  #batches: Map<string, Batch<Q>> | undefined;

  constructor(client: CacheClient, script: Script, listener: Listener<Q>) {
    this.#client = client;
    this.#script = script;
    this.#listener = listener;
  }

  ask(question: Q): void {
    this.#batches ??= this.#open();
    const place = this.#client.topology === 'cluster' ? question.subject : '';
    let batch = this.#batches.get(place);
    if (!batch) {
      batch = new Batch();
      this.#batches.set(place, batch);
    }
    batch.add(question);
    if (batch.questions.length < MOST) return;
    this.#batches.delete(place);
    void this.#send(batch);
  }

  #open(): Map<string, Batch<Q>> {
    const batches = new Map<string, Batch<Q>>();
    // Not the end of the tick: each request that a server has read has one of its own, and a write of its own would cost
    // more than all the rest.
    setImmediate(() => {
      this.#batches = undefined;
      for (const batch of batches.values()) void this.#send(batch);
    });
    return batches;
  }

  async #send(batch: Batch<Q>): Promise<void> {
    let answer: Float64Array;
    try {
      answer = unpacked(await this.#client.run<Buffer>(this.#script, batch.keys, batch.args(), { binary: true }));
    } catch (error) {
      for (const question of batch.questions) this.#listener.failed(question, error);
      return;
    }
    let at = 0;
    for (const question of batch.questions) {
      this.#listener.answered(question, answer, at);
      at += question.policy.width(answer, at);
    }
    letGo(batch.questions);
  }
}
