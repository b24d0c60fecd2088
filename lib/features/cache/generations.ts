import type { CacheClient } from '../../client/cache-client.js';
import { token } from './entry.js';
import { epochName, epochOf, EPOCHS, tagName } from './names.js';
import { NearStore } from './near-store.js';
import type { Reservation } from './near-store.js';
import { mintGeneration, renewGenerations } from './scripts.js';

/** How long a generation is remembered at the server; what carried a forgotten one is loaded anew. */
const LIFE = 30 * 24 * 3_600_000;
/** Generations kept in this process. A tag's takes about 200 bytes. */
const NEAR_BOUNDS = { maxEntries: 100_000, maxBytes: 100_000 };

/** The present generation of a tag or a cache. The object is shared: when it changes, all who hold it see that. */
export interface Generation {
  /** `undefined` once it may have changed. */
  token: string | undefined;
  /** Whether that is noticed: not so where nobody tells, or where it raced a change. */
  isWatched: boolean;
}

/**
 * The tokens that make entries valid. An entry carries those its load began with; it is valid while all are current.
 * Writing a new one invalidates every entry that carries the old, in one command and however many there are.
 */
export class Generations {
  readonly #client: CacheClient;
  readonly #near = new NearStore<Generation>(NEAR_BOUNDS, (generation) => {
    generation.token = undefined;
  });

  constructor(client: CacheClient) {
    this.#client = client;
  }

  /** Told by the server about every change from now on. */
  open(): void {
    this.#near.open();
  }

  close(): void {
    this.#near.close();
  }

  changed(name: string): void {
    this.#near.drop(name);
  }

  /** What this process knows, without asking. */
  known(name: string): Generation | undefined {
    return this.#near.get(name);
  }

  /** Before it is read. */
  reserve(name: string): Reservation | undefined {
    return this.#near.reserve(name);
  }

  /** What a read has found. It is kept if it is certain that nothing happened to it since. */
  learn(name: string, found: string | Buffer | null, reservation: Reservation | undefined): Generation | null {
    if (found === null) {
      this.#near.release(reservation);
      return null;
    }
    const token = found.toString();
    const generation: Generation = { token, isWatched: true };
    if (this.#near.admit(reservation, generation, 1)) return generation;
    // Another read may have brought it meanwhile.
    return this.#near.get(name) ?? { token, isWatched: false };
  }

  /** The generation under a name, `null` if there is none. */
  async read(name: string): Promise<Generation | null> {
    const known = this.#near.get(name);
    if (known) return known;
    const reservation = this.#near.reserve(name);
    try {
      return this.learn(name, await this.#client.get(name), reservation);
    } finally {
      this.#near.release(reservation);
    }
  }

  /** The generation under a name; where there is none, a new one. */
  async mint(name: string): Promise<string> {
    const known = this.#near.get(name)?.token;
    if (known !== undefined) return known;
    return this.#client.run<string>(mintGeneration, [name], [token(), LIFE]);
  }

  /** A new generation for a cache. */
  async renew(name: string): Promise<void> {
    await this.#write([name]);
  }

  /**
   * New generations for tags. The epochs go first: who learned its tags from a result asks for the tag, then for the
   * epoch, and must not find a new tag beside an old epoch.
   */
  async renewTags(tags: readonly string[]): Promise<void> {
    const epochs = [...new Set(tags.map(epochOf))].map(epochName);
    const names = tags.map(tagName);
    if (this.#client.topology !== 'cluster') {
      await this.#write([...epochs, ...names]);
      return;
    }
    await this.#write(epochs);
    await Promise.all(names.map((name) => this.#write([name])));
  }

  /** All epochs, or those of some tags: `null` for one that was never written. */
  epochs(tags?: readonly string[]): Promise<(string | null)[]> {
    const buckets = tags ? tags.map(epochOf) : Array.from({ length: EPOCHS }, (_, bucket) => bucket);
    return buckets.length === 0 ? Promise.resolve([]) : this.#client.mget(...buckets.map(epochName));
  }

  async #write(names: readonly string[]): Promise<void> {
    for (const name of names) this.#near.drop(name);
    try {
      await this.#client.run(renewGenerations, names, [LIFE, ...names.map(() => token())]);
    } finally {
      // Again: a read that was under way may have brought the old one meanwhile.
      for (const name of names) this.#near.drop(name);
    }
  }
}
