import { codeOf, LoadTimeoutError } from '../../core/errors.js';
import type { CacheSettings } from '../../options/cache-settings.js';
import type { CacheNews, CacheStore } from './cache-store.js';
import { Circumstances } from './circumstances.js';
import type { EntryReader } from './entry-reader.js';
import type { Found } from './found.js';
import { Lease } from './lease.js';
import type { LeaseAnswer, Manner } from './lease.js';
import type { Load } from './load-options.js';
import { runLoader, TOO_LATE } from './loader-run.js';
import type { LoaderRun } from './loader-run.js';
import { nextMoment } from './moments.js';
import { entryName } from './names.js';
import { pack } from './packing.js';
import { lifetimeOf } from './plan.js';
import type { LoadPlan } from './plan.js';
import { SharedValue } from './shared-value.js';

/** What a flight needs of its cache. */
export interface FlightPlan {
  readonly cache: string;
  readonly space: string;
  readonly settings: CacheSettings;
  readonly store: CacheStore;
  readonly reader: EntryReader;
  /** Resolves when something has happened to the entry, or after `milliseconds`. */
  readonly untilChange: (key: string, milliseconds: number) => Promise<void>;
  /** Whether a method of this process is writing the entry: it may be the one who asks, and would wait for itself. */
  readonly isBeingPut: (key: string) => boolean;
  /** Work nobody waits for. */
  readonly inBackground: (work: Promise<unknown>) => void;
}

/** Why a flight begins. */
export type Purpose =
  /** Somebody waits for a value. */
  | 'read'
  /** Somebody wants it loaded whatever is there. */
  | 'refresh'
  /** Somebody writes, and the result is the new value. */
  | 'put'
  /** A hit is near its end: nobody waits. */
  | 'ahead';

/** Who wants to know how a flight goes. */
export interface FlightListener<T> {
  /** What has been read already. */
  readonly found?: Found<T>;
  /** Head of the entry that is to be replaced, for `ahead`. */
  readonly seen?: string;
  /** Somebody else is loading. */
  readonly onWait?: () => void;
}

type FlightNews = CacheNews extends infer Each ? (Each extends unknown ? Omit<Each, 'cache'> : never) : never;

/** Milliseconds between two looks at an entry somebody else is loading, at first and at most. */
const FIRST_LOOK = 10;
const LAST_LOOK = 100;

/**
 * One way from a key to its value: reads, takes the lease or waits for whoever has it, loads, stores. Whoever asks for
 * the same key meanwhile joins it, as long as nothing has happened to the entry since it began.
 */
export class Flight<T> {
  /** What the one who began it gets. */
  readonly own: Promise<T>;
  readonly #plan: FlightPlan;
  readonly #key: string;
  readonly #load: Load<T>;
  readonly #call: LoadPlan<T>;
  readonly #name: string;
  readonly #listener: FlightListener<T>;
  /** A value for those who join; the loader's own belongs to the one who began. */
  #shared: SharedValue<T> | undefined;
  #lease: Lease | undefined;
  #circumstances: Circumstances | undefined;
  /** Whether an eviction cannot be ruled out since it was last. */
  #doubtful = false;
  #outdated = false;
  /** When what it will give was asked for. */
  #askedAt = nextMoment();
  #check: Promise<boolean> | undefined;
  /** Over when the value is stored as well. */
  #stored: Promise<void> | undefined;
  #isKept = false;

  constructor(
    plan: FlightPlan,
    key: string,
    load: Load<T>,
    call: LoadPlan<T>,
    purpose: Purpose,
    listener: FlightListener<T> = {},
  ) {
    this.#plan = plan;
    this.#listener = listener;
    this.#key = key;
    this.#load = load;
    this.#call = call;
    this.#name = entryName(plan.space, key);
    this.own = purpose === 'read' ? this.#read() : this.#reload(purpose);
  }

  /** Resolves when nothing of it is left to do, with whether the value is stored. Never rejects. */
  async end(): Promise<boolean> {
    await this.own.catch(ignore);
    await this.#stored;
    return this.#isKept;
  }

  /** The entry may have changed since; whoever joins from now on has to make sure. */
  doubt(): void {
    this.#doubtful = true;
    // A question under way may have been answered before.
    this.#check = undefined;
  }

  /** Tags were invalidated. Nobody joins from now on, if what comes may carry one of them. */
  invalidated(tags: ReadonlySet<string>): void {
    if (!this.#lease || this.#circumstances?.mayCarry(tags) !== false) this.outdate();
  }

  /** Nobody joins from now on. */
  outdate(): void {
    this.#outdated = true;
  }

  /** Whether joining gives what was true when the one who joins began, at the moment `began`. */
  isCurrent(began: number): boolean | Promise<boolean> {
    if (this.#outdated) return false;
    // Whatever happened before it asked, it has seen.
    if (!this.#lease) return !this.#doubtful && this.#askedAt > began;
    if (!this.#doubtful && this.#plan.store.isCovered && this.#circumstances?.areKnown() === true) return true;
    if (this.#check) return this.#check;
    const check = this.#ask().finally(() => {
      if (this.#check === check) this.#check = undefined;
    });
    this.#check = check;
    return check;
  }

  /** The value for one who joins. */
  async joined(): Promise<T> {
    const value = await this.own;
    return this.#shared ? this.#shared.take() : value;
  }

  /** Asks the server whether the lease is still ours and no tag has been invalidated. */
  async #ask(): Promise<boolean> {
    this.#doubtful = false;
    try {
      const [held, same] = await Promise.all([this.#lease?.isHeld(), this.#circumstances?.stillHold()]);
      if (held === true && same === true) return !this.#outdated;
      this.#outdated = true;
      return false;
    } catch {
      // The store is away: nobody can have evicted anything with success since we heard of it last.
      return !this.#outdated;
    }
  }

  async #read(): Promise<T> {
    const { reader } = this.#plan;
    const giveUpAt = performance.now() + this.#call.hardTimeout;
    let look = FIRST_LOOK;
    let found = this.#listener.found ?? (await reader.read<T>(this.#key, this.#call.tags()));
    for (;;) {
      if (found.kind === 'fresh') return this.#hit('hit', found.value);
      if (found.kind === 'away') return this.#loadWithout(found.error);
      const stale = found.kind === 'stale' ? found.value : undefined;
      this.#askedAt = nextMoment();
      const step = await this.#askForLease(found.seen, stale ? 'polite' : 'urgent');
      if (step.kind === 'away') return stale ? this.#loadOrStale(stale, step.error) : this.#loadWithout(step.error);
      if (step.kind === 'lease') return this.#loadUnder(step.lease, stale);
      if (step.kind === 'entry' && performance.now() < giveUpAt) {
        found = await this.#judge(step.raw);
        continue;
      }
      // Somebody else is loading.
      if (stale) return this.#hit('stale', stale);
      if (step.kind === 'entry' || performance.now() >= giveUpAt) return this.#loadWithout(undefined);
      this.#listener.onWait?.();
      if (this.#plan.isBeingPut(this.#key)) return this.#loadWithout(undefined);
      await this.#plan.untilChange(this.#key, Math.min(look, step.leftMs < 0 ? look : Math.max(1, step.leftMs)));
      look = Math.min(LAST_LOOK, look * 2);
      // Whatever has happened: it looks again.
      this.#doubtful = false;
      this.#askedAt = nextMoment();
      found = await reader.read<T>(this.#key, this.#call.tags());
    }
  }

  /** Loads although there may be a good entry. */
  async #reload(purpose: 'refresh' | 'put' | 'ahead'): Promise<T> {
    const isAhead = purpose === 'ahead';
    const { seen = '' } = this.#listener;
    const step = await this.#askForLease(seen, isAhead ? 'polite' : 'force');
    if (step.kind === 'lease') return this.#loadUnder(step.lease, undefined, isAhead);
    if (step.kind === 'away') {
      if (isAhead) throw step.error;
      return this.#loadWithout(step.error);
    }
    // Somebody else has refreshed it, or is about to.
    throw ALREADY;
  }

  /** Takes the lease and writes down the circumstances, in one round trip. */
  async #askForLease(
    seen: string,
    how: Manner,
  ): Promise<LeaseAnswer | { readonly kind: 'away'; readonly error: unknown }> {
    const { store, settings, space } = this.#plan;
    const answer = Lease.take(store, this.#name, settings.lease, { seen, how, binary: settings.binary });
    try {
      const [step, circumstances] = await Promise.all([
        answer,
        Circumstances.now(store.generations, space, this.#call.tags(), this.#call.tagsFrom !== undefined),
      ]);
      this.#circumstances = circumstances;
      return step;
    } catch (error) {
      // Without its circumstances the lease is of no use to us, and others need not wait for its end.
      answer.then((step) => (step.kind === 'lease' ? step.lease.release() : undefined)).catch(ignore);
      return { kind: 'away', error };
    }
  }

  async #judge(raw: string | Buffer): Promise<Found<T>> {
    try {
      return await this.#plan.reader.judge<T>(this.#key, raw);
    } catch (error) {
      return { kind: 'away', error };
    }
  }

  #hit(kind: 'hit' | 'stale', value: SharedValue<T>): T {
    this.#publish({ kind });
    this.#shared = value;
    return value.take();
  }

  /** The store is away, or others take too long: the loader runs as if there were no cache. */
  async #loadWithout(error: unknown): Promise<T> {
    if (error !== undefined) this.#publish({ kind: 'background-error', code: codeOf(error) });
    this.#publish({ kind: 'miss' });
    this.#askedAt = nextMoment();
    return this.#run().result;
  }

  async #loadOrStale(stale: SharedValue<T>, error: unknown): Promise<T> {
    try {
      return await this.#loadWithout(error);
    } catch (failure) {
      if (!this.#call.staleOn(failure)) throw failure;
      return this.#hit('stale', stale);
    }
  }

  /**
   * We have the lease: load, and store what comes. With a stale value at hand nobody waits longer than the soft timeout.
   * When there is another value as long as this fails, the next attempt has to wait.
   */
  async #loadUnder(lease: Lease, stale: SharedValue<T> | undefined, isAhead = false): Promise<T> {
    this.#lease = lease;
    lease.keep();
    this.#publish({ kind: 'miss' });
    const run = this.#run();
    const stored = run.result.then(
      (value) => this.#keep(lease, value),
      (error: unknown) => this.#setBack(lease, isAhead || (stale !== undefined && this.#call.staleOn(error))),
    );
    this.#stored = stored;
    this.#plan.inBackground(stored);
    try {
      const { softTimeout, hardTimeout } = this.#call;
      return await (stale && softTimeout < hardTimeout ? run.within(softTimeout) : run.result);
    } catch (error) {
      const isLate = error === TOO_LATE;
      if (!stale || !(isLate || this.#call.staleOn(error))) throw error;
      return this.#hit('stale', stale);
    }
  }

  #run(): LoaderRun<T> {
    const { hardTimeout } = this.#call;
    return runLoader(this.#load, hardTimeout, {
      onLate: () => new LoadTimeoutError(this.#plan.cache, hardTimeout),
      onEnd: (durationMs, failed) => this.#publish({ kind: 'load', durationMs, failed }),
    });
  }

  /** Stores a loaded value, if it is still true. */
  async #keep(lease: Lease, value: T): Promise<void> {
    try {
      await this.#fill(lease, value);
    } catch (error) {
      this.#publish({ kind: 'background-error', code: codeOf(error) });
      // It ends by itself if this fails as well.
      await lease.release().catch(ignore);
    }
  }

  async #fill(lease: Lease, value: T): Promise<void> {
    const { settings } = this.#plan;
    const { codec, compressAbove, share } = settings;
    const lifetime = lifetimeOf(this.#call, value);
    if (!lifetime) {
      await lease.release();
      return;
    }
    // At once: the value is the caller's, who may change it.
    const encoded = codec.encode(value);
    this.#shared = new SharedValue<T>(encoded, (data) => codec.decode(data), share);
    const valid = await this.#circumstances?.with(this.#call.tagsFrom?.(value) ?? []);
    const packed = await pack(encoded, codec, compressAbove);
    if (valid) this.#isKept = await lease.fill(packed, lifetime, valid);
    else await lease.release();
    if (!this.#isKept) this.#publish({ kind: 'fill-refused' });
  }

  /** The load has failed. Where another value stands in, the next attempt has to wait. */
  async #setBack(lease: Lease, hasSubstitute: boolean): Promise<void> {
    await (hasSubstitute ? lease.rest(this.#call.staleRetry) : lease.release()).catch(ignore);
  }

  #publish(news: FlightNews): void {
    this.#plan.store.publish({ cache: this.#plan.cache, ...news });
  }
}

/** Nobody has to be told: the entry is refreshed already. */
export const ALREADY = new Error('Somebody else refreshes this entry.');

function ignore(): void {
  // Told by an event, or to those who wait.
}
