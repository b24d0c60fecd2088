import { ArgumentError } from '../../core/errors.js';
import type { Load } from './load-options.js';

/** Loads many values at once: by key, or in the order of the keys it was given. */
export type LoadMany<T> = (
  missing: readonly string[],
) => Promise<ReadonlyMap<string, T> | readonly T[]> | ReadonlyMap<string, T> | readonly T[];

interface Request<T> {
  readonly key: string;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Gathers the keys that turn out to be missing, until it is known of every key whether it is: then the loader is called
 * once for all of them.
 */
export class Batch<T> {
  readonly #load: LoadMany<T>;
  /** In which order the keys were asked for. */
  readonly #places: ReadonlyMap<string, number>;
  readonly #undecided: Set<string>;
  #wanted: Request<T>[] = [];

  constructor(keys: readonly string[], load: LoadMany<T>) {
    this.#places = new Map(keys.map((key, place) => [key, place]));
    this.#undecided = new Set(keys);
    this.#load = load;
  }

  /** The loader of one key. */
  loaderOf(key: string): Load<T> {
    return () =>
      new Promise<T>((resolve, reject) => {
        this.#wanted.push({ key, resolve, reject });
        this.decide(key);
      });
  }

  /** The loader need not wait for this key any longer: it is there, wanted, or somebody else is loading it. */
  decide(key: string): void {
    this.#undecided.delete(key);
    if (this.#undecided.size > 0 || this.#wanted.length === 0) return;
    const wanted = this.#wanted;
    this.#wanted = [];
    void this.#serve(wanted.toSorted((one, other) => this.#place(one) - this.#place(other)));
  }

  #place({ key }: Request<T>): number {
    return this.#places.get(key) ?? 0;
  }

  async #serve(wanted: readonly Request<T>[]): Promise<void> {
    try {
      const values = await this.#load(wanted.map(({ key }) => key));
      if (!(values instanceof Map) && !(Array.isArray(values) && values.length === wanted.length)) {
        throw new ArgumentError(
          `The loader of many was asked for ${wanted.length} values and has to give a Map by key, or an array of as many, in their order.`,
          { subject: 'getOrLoadMany' },
        );
      }
      for (const [index, { key, resolve }] of wanted.entries()) {
        resolve((values instanceof Map ? values.get(key) : values[index]) as T);
      }
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}
