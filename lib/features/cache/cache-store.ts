import type { CacheClient } from '../../client/cache-client.js';
import { isValkeyError } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { CacheEvent, ClientIdentity } from '../../core/events.js';
import { Generations } from './generations.js';
import { readName, ROOT } from './names.js';
import { mayBeOwed, OwedRemovals } from './owed-removals.js';
import type { Removal } from './owed-removals.js';
import { ServerClock } from './server-clock.js';
import { TickReads } from './tick-reads.js';

/** An event without the client it is about. */
export type CacheNews = CacheEvent extends infer Each
  ? Each extends unknown
    ? Omit<Each, keyof ClientIdentity>
    : never
  : never;

/** Hears what happens to the entries of one cache. */
export interface EntryListener {
  /** An entry or its lease has changed, or ended. */
  onChange(key: string): void;
  /** From now on every change is told (`true`), or none is (`false`), and some may have been missed. */
  onCoverage(covered: boolean): void;
}

/** What all caches of one client share: its connection, the generations, the servers' clocks, the news of changes. */
export class CacheStore {
  readonly client: CacheClient;
  readonly generations: Generations;
  readonly clock = new ServerClock();
  readonly #listeners = new Map<string, EntryListener>();
  readonly #isCluster: boolean;
  readonly #texts: TickReads;
  readonly #bytes: TickReads;
  readonly #owed: OwedRemovals;
  #covered = false;

  constructor(client: CacheClient) {
    this.client = client;
    this.#isCluster = client.topology === 'cluster';
    // Another connection may lead to another server, with another clock.
    client.onStatus(() => this.clock.forget());
    this.#texts = new TickReads(client, false);
    this.#bytes = new TickReads(client, true);
    this.generations = new Generations(client);
    this.#owed = new OwedRemovals(client);
  }

  /** Starts to hear about changes. With a driver that cannot tell them nothing is kept in this process. */
  listen(): void {
    try {
      this.client.track(ROOT, {
        changed: (name) => this.#changed(name),
        covered: (covered) => this.#cover(covered),
      });
    } catch (error) {
      if (!isValkeyError(error)) throw error;
      this.publish({ cache: undefined, kind: 'background-error', code: error.code });
    }
  }

  /** Whether every change at the servers is told. */
  get isCovered(): boolean {
    return this.#covered;
  }

  /** One cache for each space. */
  register(space: string, listener: EntryListener): void {
    this.#listeners.set(space, listener);
    listener.onCoverage(this.#covered);
  }

  /** The store did not take a removal, and its caller goes on: it is made up for. */
  owe(removal: Removal, error: unknown): void {
    if (mayBeOwed(error)) this.#owed.add(removal);
  }

  publish(event: CacheNews): void {
    if (events.cache.active) events.cache.publish({ ...this.client.identity, ...event });
  }

  /** Reads of all caches, sent together; `binary` gives bytes. */
  readsOf(binary: boolean): TickReads {
    return binary ? this.#bytes : this.#texts;
  }

  learnTime(name: string, server: number, sentAt: number): void {
    this.clock.learn(this.nodeOf(name), server, sentAt);
  }

  /** The node that serves a name. Where there is one at a time it need not be looked up. */
  nodeOf(name: string): string {
    return this.#isCluster ? this.client.nodeOf(name) : '';
  }

  #changed(name: string): void {
    const named = readName(name);
    if (named?.kind === 'generation') this.generations.changed(name);
    else if (named) this.#listeners.get(named.space)?.onChange(named.key);
  }

  #cover(covered: boolean): void {
    this.#covered = covered;
    if (covered) this.generations.open();
    else this.generations.close();
    this.publish({ cache: undefined, kind: covered ? 'near-on' : 'near-off' });
    for (const listener of this.#listeners.values()) listener.onCoverage(covered);
  }
}
