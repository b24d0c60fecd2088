import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { CacheClient } from '../../client/cache-client.js';
import { publicMembers, watchUse } from './coverage.js';
import { FAMILIES } from './families.js';
import { runnerOf } from './runner.js';
import type { DriverUnderTest, OpenSubject } from './subject.js';
import type { Trial } from './trial.js';
import { until } from './until.js';

/**
 * The tests every driver has to pass: what a client may rely on, whatever carries its commands. Call it in a test file;
 * it registers its tests with the runner, under fresh random names of keys, so that it can run on a shared server.
 *
 * @param title - Title of the whole suite.
 * @param subject - The driver, and how to make it ready.
 * @param source - Where to find `describe`, `it` and the hooks. Default: the globals, as with jest and vitest.
 *
 * @example
 * ```ts
 * driverContract('my driver', {
 *   async open() {
 *     const server = await startMyServer();
 *     return {
 *       async connect({ keyPrefix }) {
 *         const { settings } = resolveSettings({ uri: server.uri, keyPrefix });
 *         const client = createClient(settings, { driver: new MyDriver(settings) });
 *         await client.connect();
 *         return client;
 *       },
 *       close: () => server.stop(),
 *     };
 *   },
 * });
 * ```
 */
export function driverContract(title: string, subject: DriverUnderTest, source: object = globalThis): void {
  const { describe, it, beforeAll, afterAll } = runnerOf(source);
  const suite = new Suite(subject);
  describe(title, () => {
    beforeAll(() => suite.begin());
    afterAll(() => suite.end());
    for (const [name, family] of Object.entries(FAMILIES)) {
      describe(name, () => {
        family((sentence, test) => it(sentence, suite.add(test)));
      });
    }
    it('[DRV-5] uses every public method of the client', () => suite.checkCoverage());
  });
}

class Suite {
  readonly #subject: DriverUnderTest;
  readonly #keyPrefix: string;
  /** In every key of this run. */
  readonly #run = `contract-${randomBytes(5).toString('hex')}`;
  readonly #used = new Set<string>();
  #open: OpenSubject | undefined;
  #client: CacheClient | undefined;
  #added = 0;
  #begun = 0;

  constructor(subject: DriverUnderTest) {
    this.#subject = subject;
    this.#keyPrefix = subject.keyPrefix ?? '';
  }

  async begin(): Promise<void> {
    this.#open = await this.#subject.open();
    this.#client = await this.#connect(this.#keyPrefix);
  }

  /** Removes the suite's keys, for the sake of a shared server. */
  async end(): Promise<void> {
    const client = this.#client;
    try {
      if (!client) return;
      const left: string[] = [];
      for await (const key of client.scan({ match: `*${this.#run}*`, count: 1_000 })) left.push(key);
      await client.unlink(left);
    } finally {
      await client?.close();
      await this.#open?.close();
    }
  }

  add(test: (trial: Trial) => Promise<void>): () => Promise<void> {
    this.#added += 1;
    return async () => {
      this.#begun += 1;
      const opened: CacheClient[] = [];
      try {
        await test(this.#trial(opened));
      } finally {
        await Promise.all(opened.map((client) => client.close()));
      }
    };
  }

  /** Of a filtered run it cannot be told what the other tests would have used. */
  checkCoverage(): Promise<void> {
    if (this.#begun === this.#added) {
      const missing = publicMembers().filter((name) => !this.#used.has(name));
      assert.deepEqual(missing, [], `not covered by the contract suite: ${missing.join(', ')}`);
    }
    return Promise.resolve();
  }

  #trial(opened: CacheClient[]): Trial {
    const id = `${this.#run}-${this.#begun}`;
    const {
      lua = true,
      shardChannels = true,
      introspection = true,
      tracking = true,
      renamed,
    } = this.#subject.capabilities ?? {};
    return {
      client: this.#client as CacheClient,
      keyPrefix: this.#keyPrefix,
      capabilities: { lua, shardChannels, introspection, tracking, ...(renamed && { renamed }) },
      key: (name = 'key') => `{${id}}:${name}`,
      scattered: (number) => `${id}:${number}`,
      open: async (keyPrefix = this.#keyPrefix) => {
        const client = await this.#connect(keyPrefix);
        opened.push(client);
        return client;
      },
      blocked: (count) => this.#blocked(count),
    };
  }

  async #connect(keyPrefix: string): Promise<CacheClient> {
    return watchUse(await (this.#open as OpenSubject).connect({ keyPrefix }), this.#used);
  }

  async #blocked(count: number): Promise<void> {
    const subject = this.#open as OpenSubject;
    if (subject.blocked) await until(`${count} callers wait`, async () => (await subject.blocked?.()) === count);
    else await new Promise(setImmediate);
  }
}
