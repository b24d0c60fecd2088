import { setTimeout as pause } from 'node:timers/promises';

import { isValkeyError } from '../../lib/core/errors.ts';
import { defineScript } from '../../lib/driver/script.ts';

const CALLERS = 12;
/** Keys that are read and written without counting. */
const KEYS = Array.from({ length: 200 }, (_, index) => `key:${index}`);
/** Milliseconds between two calls of a caller. */
const REST = 4;
const increment = defineScript({ name: 'increment', lua: "return redis.call('INCR', KEYS[1])" });

/**
 * Mixed calls that go on and on. Every increment has a key of its own, so that a second application shows: as an answer
 * other than expected, or in the key itself.
 */
export class Load {
  calls = 0;
  succeeded = 0;
  slowest = 0;
  /** By code. @type {Map<string, number>} */
  failures = new Map();
  /** Errors that should not be. @type {string[]} */
  strange = [];
  /** Answers that prove a second application. */
  wrong = 0;
  /** Counters that prove one. */
  twice = 0;
  checked = 0;
  #client;
  #random;
  #goesOn = true;
  #pending = 0;
  #callers = Promise.resolve();
  /** Counters of calls that are over, with what they hold if all is well. @type {Map<string, string>} */
  #counted = new Map();
  /** The same for calls that may still run somewhere: looked at in the end. @type {Map<string, string>} */
  #unknown = new Map();

  /**
   * @param {import('../../lib/index.js').CacheClient} client
   * @param {() => number} random
   */
  constructor(client, random) {
    this.#client = client;
    this.#random = random;
  }

  start() {
    this.#callers = Promise.all(Array.from({ length: CALLERS }, (_, caller) => this.#run(caller)));
  }

  /**
   * Ends the load and tells how many calls are not over after `patience` milliseconds.
   *
   * @param {number} patience
   */
  async stop(patience) {
    this.#goesOn = false;
    const over = new AbortController();
    const patient = pause(patience, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([this.#callers, patient]);
    over.abort();
    return this.#pending;
  }

  /**
   * Looks at the counters of calls that are over.
   *
   * @param {boolean} [all] - those of unknown outcome as well
   */
  async check(all = false) {
    if (all) for (const [key, due] of this.#unknown) this.#counted.set(key, due);
    const due = [...this.#counted];
    try {
      for (let start = 0; start < due.length; start += 200) {
        const part = due.slice(start, start + 200);
        const keys = part.map(([key]) => key);
        const values = await this.#client.with({ timeout: '5s' }).mget(keys);
        for (const [index, [key, expected]] of part.entries()) {
          // A failover can lose what was confirmed; it can never double it.
          if (values[index] !== null && Number(values[index]) > Number(expected)) this.twice += 1;
          this.#counted.delete(key);
          this.checked += 1;
        }
        await this.#client.with({ timeout: '5s' }).unlink(...keys);
      }
    } catch (error) {
      // Things are broken just now: the next look sees the same counters.
      if (!isValkeyError(error)) this.strange.push(String(error));
    }
  }

  async #run(caller) {
    let turn = 0;
    while (this.#goesOn) {
      turn += 1;
      const startedAt = performance.now();
      this.calls += 1;
      this.#pending += 1;
      try {
        await this.#call(`{${caller}}:${turn}`);
        this.succeeded += 1;
      } catch (error) {
        if (isValkeyError(error) && error.code !== 'VALKEY_REPLY') count(this.failures, error.code);
        else this.strange.push(String(error?.stack ?? error));
      }
      this.#pending -= 1;
      this.slowest = Math.max(this.slowest, performance.now() - startedAt);
      await pause(REST);
    }
  }

  /** @param {string} id - never used before */
  #call(id) {
    const client = this.#client;
    const key = KEYS[Math.floor(this.#random() * KEYS.length)];
    const kind = Math.floor(this.#random() * 12);
    switch (kind) {
      case 0:
      case 1:
        return client.set(key, id);
      case 2:
        return client.mget(KEYS.slice(0, 20));
      case 3:
        return Promise.all(KEYS.slice(0, 40).map((one) => client.get(one)));
      case 4:
        return this.#counting(`n:${id}`, 1, (counter) => client.incr(counter));
      case 5:
        return this.#counting(`s:${id}`, 1, (counter) => client.run(increment, [counter]));
      case 6:
        return this.#counting(`t:${id}`, 2, async (counter) => {
          const [, second] = await client.transaction((t) => [t.incr(counter), t.incr(counter)]);
          return second;
        });
      case 7:
        return this.#counting(`p:${id}`, 1, async (counter) => {
          const [, answer] = await client.pipeline((p) => [p.set(key, id), p.incr(counter), p.get(key)]);
          return answer;
        });
      case 8:
        return this.#counting(`h:${id}`, 1, (counter) =>
          client.with({ timeout: 20 + this.#random() * 200 }).incr(counter),
        );
      case 9:
        return client.blpop([`queue:${id}`], { timeout: 50 });
      default:
        return client.get(key);
    }
  }

  /**
   * @param {string} key
   * @param {number} expected
   * @param {(key: string) => Promise<unknown>} call
   */
  async #counting(key, expected, call) {
    let ledger = this.#unknown;
    try {
      const answer = await call(key);
      if (answer !== expected) this.wrong += 1;
      ledger = this.#counted;
    } finally {
      ledger.set(key, String(expected));
    }
  }
}

/**
 * @param {Map<string, number>} counts
 * @param {string} name
 */
function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
