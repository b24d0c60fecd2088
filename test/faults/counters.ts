import { type CacheClient, isValkeyError } from '../../lib/index.js';

/**
 * Increments that tell when one was applied twice: every call has a counter of its own, so the answer has to be 1, and
 * nothing may ever read 2.
 */
export class Counters {
  readonly #client: CacheClient;
  /** Made ours by a tag, so that a test can choose the shard. */
  readonly #prefix: string;
  readonly #keys: string[] = [];
  acknowledged = 0;
  unknown = 0;
  /** Answers other than 1. */
  readonly wrong: unknown[] = [];
  /** Errors other than an unknown outcome. */
  readonly errors: unknown[] = [];

  constructor(client: CacheClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  get calls(): number {
    return this.#keys.length;
  }

  get underWay(): number {
    return this.#keys.length - this.acknowledged - this.unknown - this.errors.length;
  }

  async next(): Promise<void> {
    const key = `${this.#prefix}:${this.#keys.length}`;
    this.#keys.push(key);
    try {
      const answer = await this.#client.incr(key);
      this.acknowledged += 1;
      if (answer !== 1) this.wrong.push(answer);
    } catch (error) {
      if (isValkeyError(error, 'VALKEY_OUTCOME_UNKNOWN')) this.unknown += 1;
      else this.errors.push(error);
    }
  }

  /** What stands in the counters now: how many hold something, and what is not 1. */
  async tally(): Promise<{ readonly applied: number; readonly twice: readonly string[] }> {
    const values = (await this.#client.mget(this.#keys)).filter((value) => value !== null);
    return { applied: values.length, twice: values.filter((value) => value !== '1') };
  }
}
