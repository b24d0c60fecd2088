import type { CacheClient } from '../../client/cache-client.js';
import { gatherTurn } from '../../core/end-of-turn.js';
import { letGo } from '../../core/let-go.js';
import type { Script } from '../../driver/script.js';
import type { Policy } from './counters.js';
import { unpacked } from './figures.js';

/**
 * Decisions in one script call at the most: it holds the server as long as it runs, and two that are in the air keep both
 * ends busy.
 */
const MOST = 128;

/**
 * So far back is looked for the same subject: where requests share one, an address or a limit for all, it was asked for a
 * moment ago. To look at all of them would cost more than it saves where they do not.
 */
const NEARBY = 4;

/** A decision that is asked for. */
export interface Question {
  readonly policy: Policy;
  readonly name: string;
  /** Whose counters, as the caller has said it: mostly one piece, which is compared at a glance. */
  readonly whose: string;
  /** Where the keys of the subject begin: what name and whose are put together to. */
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
  size = 0;
  /** The first of calls that ask the same about a subject, one after the other; mostly there is but one. */
  readonly #first: Q[] = [];
  /** Those that follow it, by its place. */
  readonly #following = new Map<number, Q[]>();

  add(question: Q): void {
    this.size += 1;
    const place = this.#placeOf(question);
    if (place < 0) {
      this.#first.push(question);
      return;
    }
    const following = this.#following.get(place);
    if (following) following.push(question);
    else this.#following.set(place, [question]);
  }

  /** Where a question can follow others, -1 if nowhere: calls of one subject keep their order. */
  #placeOf(question: Q): number {
    const first = this.#first;
    const end = Math.max(0, first.length - NEARBY);
    for (let place = first.length - 1; place >= end; place -= 1) {
      const other = first[place] as Q;
      if (other.whose === question.whose && other.name === question.name) return isSame(other, question) ? place : -1;
    }
    return -1;
  }

  keys(): readonly string[] {
    const keys: string[] = [];
    for (const { policy, subject } of this.#first) policy.addKeys(subject, keys);
    return keys;
  }

  args(): readonly (string | number)[] {
    const policies = new Map<Policy, number>();
    /** Policy, cost, subjects and calls of each, see `limit-scripts.ts`. */
    const runs: number[] = [];
    let last: Q | undefined;
    let at = 0;
    for (const question of this.#first) {
      const calls = 1 + (this.#following.get(at)?.length ?? 0);
      at += 1;
      const end = runs.length - 1;
      if (last && isSame(question, last) && runs[end] === calls) {
        runs[end - 1] = (runs[end - 1] as number) + 1;
      } else {
        const { policy, cost } = question;
        const place = policies.get(policy) ?? policies.size + 1;
        policies.set(policy, place);
        runs.push(place, cost, 1, calls);
      }
      last = question;
    }
    return [policies.size, ...Array.from(policies.keys(), ({ rules }) => rules).flat(), ...runs];
  }

  /** In the order of the answers. */
  questions(): readonly Q[] {
    if (this.#following.size === 0) return this.#first;
    return this.#first.flatMap((question, place) => [question, ...(this.#following.get(place) ?? [])]);
  }
}

function isSame(one: Question, other: Question): boolean {
  return one.policy === other.policy && one.cost === other.cost;
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
    if (batch.size < MOST) return;
    this.#batches.delete(place);
    void this.#send(batch);
  }

  /** Sends what was gathered so far. */
  flush(): void {
    const batches = this.#batches;
    if (!batches) return;
    this.#batches = undefined;
    for (const batch of batches.values()) void this.#send(batch);
  }

  #open(): Map<string, Batch<Q>> {
    const batches = new Map<string, Batch<Q>>();
    gatherTurn(() => {
      if (this.#batches === batches) this.flush();
    });
    return batches;
  }

  async #send(batch: Batch<Q>): Promise<void> {
    const questions = batch.questions();
    let answer: Float64Array;
    try {
      answer = unpacked(await this.#client.run<Buffer>(this.#script, batch.keys(), batch.args(), { binary: true }));
    } catch (error) {
      for (const question of questions) this.#listener.failed(question, error);
      return;
    }
    let at = 0;
    for (const question of questions) {
      this.#listener.answered(question, answer, at);
      at += question.policy.width(answer, at);
    }
    letGo(questions);
  }
}
