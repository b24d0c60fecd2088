import { letGo } from '../../core/let-go.js';
import type { CacheStore } from './cache-store.js';
import type { Found } from './found.js';
import type { Generation } from './generations.js';
import { entryName, tagName } from './names.js';
import type { Reservation } from './near-store.js';
import { serverTime } from './scripts.js';
import type { Asker, Questions, Stored } from './tick-reads.js';

/** Generations that travelled along with reads, by name, or why one is not known; `undefined` if none had to. */
export type Told = ReadonlyMap<string, Generation | null | Error> | undefined;

/** One read of one entry. A class and no literal: the compiler lets literals of this path grow old, with all they hold. */
export class Reading<T> {
  readonly key: string;
  /** Where its entry is in the answers. */
  readonly place: number;
  readonly node: string;
  readonly tags: readonly string[];
  /** Over when the time at its node is known; `undefined` if it is. */
  readonly clock: Promise<void> | undefined;
  readonly reservation: Reservation | undefined;
  /** Hears what was found. It must not throw. */
  readonly onFound: (found: Found<T>) => void;

  constructor(
    key: string,
    place: number,
    node: string,
    tags: readonly string[],
    clock: Promise<void> | undefined,
    reservation: Reservation | undefined,
    onFound: (found: Found<T>) => void,
  ) {
    this.key = key;
    this.place = place;
    this.node = node;
    this.tags = tags;
    this.clock = clock;
    this.reservation = reservation;
    this.onFound = onFound;
  }
}

/** The cache a tick belongs to. */
export interface TickPlan {
  readonly space: string;
  /** Name of its generation. */
  readonly generation: string;
  readonly store: CacheStore;
  /** What is stored under a reading's name. It must not throw. */
  readonly onStored: (reading: Reading<unknown>, raw: Stored, told: Told, at: number) => void;
}

interface Asked {
  readonly place: number;
  readonly reservation: Reservation | undefined;
}

/** What one cache reads in one tick: each entry once, however many want it, and the generations and times that judge them. */
export class CacheTick implements Asker {
  readonly questions: Questions;
  readonly #plan: TickPlan;
  readonly #readings: Reading<unknown>[] = [];
  readonly #byKey = new Map<string, Reading<unknown>>();
  readonly #asked = new Map<string, Asked>();
  readonly #clocks = new Map<string, Promise<void>>();
  /** In this process it costs nothing to ask for the time, and a test may have moved its clock. */
  readonly #asksTime: boolean;

  constructor(plan: TickPlan, questions: Questions) {
    this.#plan = plan;
    this.questions = questions;
    this.#asksTime = plan.store.client.topology === 'embedded';
    questions.askers.push(this);
  }

  /** Tags that are known before travel along. */
  read<T>(
    key: string,
    tags: readonly string[],
    reservation: Reservation | undefined,
    onFound: (found: Found<T>) => void,
  ): void {
    const { store, space, generation } = this.#plan;
    const same = this.#byKey.get(key);
    let reading: Reading<unknown>;
    if (same) {
      reading = new Reading(key, same.place, same.node, tags, same.clock, reservation, onFound as OnFound);
    } else {
      const name = entryName(space, key);
      const node = store.nodeOf(name);
      const clock = this.#asksTime || !store.clock.knows(node) ? this.#askTime(node, name) : undefined;
      const place = this.questions.add(name);
      reading = new Reading(key, place, node, tags, clock, reservation, onFound as OnFound);
      this.#byKey.set(key, reading);
    }
    if (this.#readings.push(reading) === 1) this.#askAlong(generation);
    for (const tag of tags) this.#askAlong(tagName(tag));
  }

  onAnswers(values: readonly Stored[], at: number): void {
    const told = this.#learn(values);
    for (const reading of this.#readings) this.#plan.onStored(reading, values[reading.place] as Stored, told, at);
    letGo(this.#readings);
  }

  /** Asks for a generation that is not known here. */
  #askAlong(name: string): void {
    const { generations } = this.#plan.store;
    if (this.#asked.has(name) || generations.known(name)) return;
    this.#asked.set(name, { place: this.questions.add(name), reservation: generations.reserve(name) });
  }

  #learn(values: readonly Stored[]): Told {
    if (this.#asked.size === 0) return undefined;
    const { generations } = this.#plan.store;
    const told = new Map<string, Generation | null | Error>();
    for (const [name, { place, reservation }] of this.#asked) {
      const value = values[place] as Stored;
      const isFailure = value instanceof Error;
      const generation = generations.learn(name, isFailure ? null : value, reservation);
      told.set(name, isFailure ? value : generation);
    }
    return told;
  }

  /** Asks what time it is at a node. */
  #askTime(node: string, name: string): Promise<void> {
    const known = this.#clocks.get(node);
    if (known) return known;
    const { store } = this.#plan;
    const sentAt = performance.now();
    const asked = store.client.run<number>(serverTime, [name]).then((now) => store.clock.learn(node, now, sentAt));
    // Whoever waits for it hears of a failure; nobody does if the read itself has failed.
    asked.catch(ignore);
    this.#clocks.set(node, asked);
    return asked;
  }
}

/** What the values of a reading are, only the one who asks knows. */
type OnFound = (found: Found<unknown>) => void;

function ignore(): void {
  // See #askTime().
}
