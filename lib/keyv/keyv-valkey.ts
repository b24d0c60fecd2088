import type { CacheClient } from '../client/cache-client.js';
import { EncodeError } from '../core/codec/codec.js';
import { ArgumentError, ConfigurationError } from '../core/errors.js';

/** What of a client is used. */
export type KeyvClient = Pick<CacheClient, 'exists' | 'get' | 'mget' | 'scan' | 'set' | 'unlink'>;

/** How a store behaves. */
export interface KeyvValkeyOptions {
  /**
   * Whether `getMany`, `has`, `hasMany` and `setMany` reject when the server does not answer, as the option of the same
   * name lets Keyv's other methods do. Default: `false`, they emit `error` and answer as if nothing were stored.
   */
  readonly throwOnErrors?: boolean;
}

/** One of many things to store. */
export interface KeyvEntry {
  readonly key: string;
  /** Text: what Keyv's `serialize` made of the value. */
  readonly value: unknown;
  /** Milliseconds. Default: it stays. */
  readonly ttl?: number | undefined;
}

type ErrorListener = (error: unknown) => void;

/** Keys in one command. More would hold up a server for everybody else. */
const BATCH = 500;

/**
 * A store for Keyv 5, and so for cache-manager 7 and `@nestjs/cache-manager`, on a client of this library. Make one for
 * each Keyv. The client stays yours: `disconnect()` does not close it.
 *
 * An entry is stored under `keyv:<namespace>:<key>`, and Keyv begins the key with its namespace once more; a `:` or `%` in
 * a namespace is written as in URLs.
 *
 * @example
 * ```ts
 * const users = new Keyv({ store: new KeyvValkey(client), namespace: 'users', ttl: 60_000 });
 * ```
 */
export class KeyvValkey {
  /** What Keyv asks for to know that it may call {@link KeyvValkey.iterator}. */
  readonly opts = { dialect: 'valkey', url: '' } as const;
  readonly #client: KeyvClient;
  readonly #throwOnErrors: boolean;
  readonly #listeners = new Set<ErrorListener>();
  #namespace: string | undefined;
  /** A namespace that was used is not changed any more. */
  #settled = false;

  constructor(client: KeyvClient, options: KeyvValkeyOptions = {}) {
    this.#client = client;
    this.#throwOnErrors = checked(options).throwOnErrors ?? false;
  }

  /** What this store is for, set by Keyv. Default: none, which is one of its own. */
  get namespace(): string | undefined {
    return this.#namespace;
  }

  /** @throws ArgumentError when it has another one already: two Keyvs on one store would clear each other's entries */
  set namespace(namespace: string | undefined) {
    const isSame = (namespace ?? '') === (this.#namespace ?? '');
    if (this.#settled && !isSame) {
      throw new ArgumentError(
        `This store belongs to the ${named(this.#namespace)} and cannot serve the ${named(namespace)} too. Make a KeyvValkey for each Keyv; they may share a client.`,
        { subject: 'namespace' },
      );
    }
    this.#settled = true;
    this.#namespace = namespace;
  }

  /** Hears of errors that Keyv is not told by a rejection. */
  on(event: string, listener: (...values: never[]) => void): this {
    if (event === 'error') this.#listeners.add(listener as ErrorListener);
    return this;
  }

  /** The text under a key. Emits `error` when it rejects, because Keyv says nothing then. */
  async get<Value = string>(key: string): Promise<Value | undefined> {
    try {
      return ((await this.#client.get(this.#name(key))) ?? undefined) as Value | undefined;
    } catch (error) {
      this.#emit(error);
      throw error;
    }
  }

  /** The texts under keys, in their order. */
  async getMany<Value = string>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const read = async (): Promise<(Value | undefined)[]> => {
      const found: (Value | undefined)[] = [];
      for (const batch of batches(keys)) {
        const texts = await this.#client.mget(batch.map((key) => this.#name(key)));
        found.push(...texts.map((text) => (text ?? undefined) as Value | undefined));
      }
      return found;
    };
    return this.#orElse(read, () => keys.map(() => undefined));
  }

  /**
   * Stores text for `ttl` milliseconds. Without a ttl, or with 0, it stays; a ttl below 0 removes what is there.
   *
   * @throws EncodeError for anything but text
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const name = this.#name(key);
    if (typeof value !== 'string') throw notText(value);
    const milliseconds = wholeTtl(ttl);
    if (milliseconds !== undefined && milliseconds < 0) {
      await this.#client.unlink(name);
      return true;
    }
    await this.#client.set(name, value, milliseconds === undefined ? undefined : { ttl: milliseconds });
    return true;
  }

  /** Stores many texts; says of each whether it was stored. */
  async setMany(entries: readonly KeyvEntry[]): Promise<boolean[]> {
    const stored: boolean[] = [];
    let first: PromiseRejectedResult | undefined;
    for (const batch of batches(entries)) {
      const results = await Promise.allSettled(batch.map(({ key, value, ttl }) => this.set(key, value, ttl)));
      stored.push(...results.map(({ status }) => status === 'fulfilled'));
      first ??= results.find((result) => result.status === 'rejected');
    }
    if (first && this.#throwOnErrors) throw first.reason;
    if (first) this.#emit(first.reason);
    return stored;
  }

  /** Removes an entry; answers whether there was one. */
  async delete(key: string): Promise<boolean> {
    return (await this.#client.unlink(this.#name(key))) > 0;
  }

  /** Removes entries; answers whether there was any. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    let removed = 0;
    for (const batch of batches(keys)) removed += await this.#client.unlink(batch.map((key) => this.#name(key)));
    return removed > 0;
  }

  /** Whether there is an entry. */
  async has(key: string): Promise<boolean> {
    return this.#orElse(
      async () => (await this.#client.exists(this.#name(key))) > 0,
      () => false,
    );
  }

  /** Whether there are entries, in the order of the keys. */
  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const look = async (): Promise<boolean[]> => {
      const found: boolean[] = [];
      for (const batch of batches(keys)) {
        const counts = await Promise.all(batch.map((key) => this.#client.exists(this.#name(key))));
        found.push(...counts.map((count) => count > 0));
      }
      return found;
    };
    return this.#orElse(look, () => keys.map(() => false));
  }

  /**
   * Removes all entries of the namespace, and of no other, on every primary. It scans: entries made void by a generation
   * would keep their memory for good, as Keyv's mostly have no ttl.
   */
  async clear(): Promise<void> {
    const names: string[] = [];
    for await (const name of this.#scan(this.namespace, false)) {
      if (names.push(name) < BATCH) continue;
      await this.#client.unlink(names.splice(0));
    }
    await this.#client.unlink(names);
  }

  /** All entries, by key: those of this store's namespace, or of another one. */
  async *iterator<Value = string>(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<[key: string, value: Value], void> {
    const start = space(namespace).length;
    const names: string[] = [];
    for await (const name of this.#scan(namespace, true)) {
      if (names.push(name) === BATCH) yield* this.#entries<Value>(names.splice(0), start);
    }
    yield* this.#entries<Value>(names, start);
  }

  /** Nothing: whoever made the client closes it. */
  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  async *#entries<Value>(names: readonly string[], start: number): AsyncGenerator<[key: string, value: Value], void> {
    const texts = await this.#client.mget(names);
    for (const [index, name] of names.entries()) {
      const text = texts[index] ?? null;
      // It can have expired since it was scanned.
      if (text !== null) yield [name.slice(start), text as Value];
    }
  }

  #scan(namespace: string | undefined, unique: boolean): AsyncIterable<string> {
    this.#settled = true;
    return this.#client.scan({ match: `${literal(space(namespace))}*`, count: BATCH, unique });
  }

  #name(key: string): string {
    this.#settled = true;
    return space(this.#namespace) + key;
  }

  /** For what Keyv would let reject whatever its own options say. */
  async #orElse<T>(run: () => Promise<T>, fallback: () => T): Promise<T> {
    try {
      return await run();
    } catch (error) {
      this.#emit(error);
      if (this.#throwOnErrors) throw error;
      return fallback();
    }
  }

  #emit(error: unknown): void {
    for (const listener of this.#listeners) listener(error);
  }
}

/** Ends with a colon that no name of a namespace holds, so that `user` does not begin `users` or `user:a`. */
function space(namespace = ''): string {
  return `keyv:${namespace.replaceAll('%', '%25').replaceAll(':', '%3A')}:`;
}

/** A pattern that matches the text itself. */
function literal(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, '\\$&');
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

/** What the server takes; rounded up, so that it does not go before its time. */
function wholeTtl(ttl: number | undefined): number | undefined {
  if (ttl === undefined || ttl === 0 || ttl === Infinity) return undefined;
  if (typeof ttl !== 'number' || Number.isNaN(ttl)) {
    throw new ArgumentError('The ttl of an entry must be a number of milliseconds.', { subject: 'ttl' });
  }
  return ttl < 0 ? -1 : Math.ceil(ttl);
}

function notText(value: unknown): EncodeError {
  return new EncodeError(
    `Keyv gave this store a ${typeof value} to keep, and it keeps text. Leave Keyv's serialize as it is, or take typedValues of nestjs-valkey/keyv.`,
  );
}

function checked(options: KeyvValkeyOptions): KeyvValkeyOptions {
  const { throwOnErrors, ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    throw new ConfigurationError(`KeyvValkey has no option '${name}'. Known here: throwOnErrors.`, { subject: name });
  }
  if (throwOnErrors !== undefined && typeof throwOnErrors !== 'boolean') {
    throw new ConfigurationError('KeyvValkey: throwOnErrors must be true or false.', { subject: 'throwOnErrors' });
  }
  return options;
}

function named(namespace: string | undefined): string {
  return namespace === undefined || namespace === '' ? 'Keyv without a namespace' : `namespace '${namespace}'`;
}
