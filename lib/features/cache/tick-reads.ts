import type { CacheClient } from '../../client/cache-client.js';
import { isValkeyError } from '../../core/errors.js';
import { letGo } from '../../core/let-go.js';

/** What is stored under a name, or why that is not known. */
export type Stored = string | Buffer | null | Error;

/** Hears what is stored under the names asked for in its tick. */
export interface Asker {
  /** `at` is when it was known, by `performance.now()`. It must not throw. */
  onAnswers(values: readonly Stored[], at: number): void;
}

/** Keys in one command at the most: it holds the server for as long as it runs. */
const MOST = 128;

/** What is asked in one tick of the event loop. */
export class Questions {
  readonly names: string[] = [];
  readonly askers: Asker[] = [];

  /** Where in the answers a name will be. */
  add(name: string): number {
    return this.names.push(name) - 1;
  }
}

/**
 * Reads of one tick, sent together: to one server as MGETs; in a cluster as GETs, so that a node that is away concerns
 * only those who ask for what it has. All hear in the same turn, without a promise for each.
 */
export class TickReads {
  readonly #client: CacheClient;
  readonly #binary: boolean;
  #questions: Questions | undefined;

  constructor(client: CacheClient, binary: boolean) {
    this.#client = client;
    this.#binary = binary;
  }

  /** The questions of this tick that still have room. */
  get questions(): Questions {
    const open = (this.#questions ??= this.#open());
    if (open.names.length < MOST) return open;
    this.#depart(open);
    return (this.#questions = this.#open());
  }

  #open(): Questions {
    const questions = new Questions();
    process.nextTick(() => this.#depart(questions));
    return questions;
  }

  #depart(questions: Questions): void {
    if (this.#questions !== questions) return;
    this.#questions = undefined;
    void this.#send(questions);
  }

  async #send({ names, askers }: Questions): Promise<void> {
    const isSingly = names.length === 1 || this.#client.topology === 'cluster';
    const values = isSingly ? await this.#readEach(names) : await this.#readAll(names);
    const at = performance.now();
    for (const asker of askers) asker.onAnswers(values, at);
    letGo(askers);
  }

  async #readAll(names: readonly string[]): Promise<readonly Stored[]> {
    try {
      return await this.#readMany(names);
    } catch (error) {
      return names.map(() => error as Error);
    }
  }

  #readMany(names: readonly string[]): Promise<readonly Stored[]> {
    return this.#binary ? this.#client.mgetBuffer(names) : this.#client.mget(names);
  }

  #readEach(names: readonly string[]): Promise<readonly Stored[]> {
    const read = (name: string): Promise<string | Buffer | null> =>
      this.#binary ? this.#client.getBuffer(name) : this.#client.get(name);
    return Promise.all(names.map((name) => read(name).catch(asMget)));
  }
}

/** What is of another type is nothing to MGET, and should be so everywhere. */
function asMget(error: unknown): null | Error {
  return isValkeyError(error, 'VALKEY_REPLY') ? null : (error as Error);
}
