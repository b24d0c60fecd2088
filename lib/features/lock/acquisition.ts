import { randomUUID } from 'node:crypto';
import type { Holding, Terms } from './lock.js';
import { validity } from './lock.js';
import type { LockStore } from './lock-store.js';
import type { Bell, LockWatch } from './lock-watch.js';
import type { Patience } from './patience.js';
import type { Turns } from './turns.js';

/** What is to be locked. */
export type Wanted = Omit<Holding, 'fence' | 'token'>;

/** What was locked, and until when that is certain, by `performance.now()`. */
export interface Acquired {
  readonly holdings: readonly Holding[];
  readonly validUntil: number;
}

/** What came of asking once. */
type Asked =
  | { readonly isHad: true; readonly token: string; readonly fence: number; readonly validUntil: number }
  /** Milliseconds until it is worth asking again. */
  | { readonly isHad: false; readonly left: number };

/** Up to so many milliseconds, so that those who wait in several processes do not all ask when the holder's time is over. */
const JITTER = 5;

/** Asks for locks until they are had, or there is no patience left. */
export class Acquisition {
  readonly #terms: Terms;
  readonly #patience: Patience;
  readonly #watch: LockWatch;
  readonly #turns: Turns;

  constructor(terms: Terms, patience: Patience, watch: LockWatch, turns: Turns) {
    this.#terms = terms;
    this.#patience = patience;
    this.#watch = watch;
    this.#turns = turns;
  }

  /** All of them or none, in one order whoever asks, so that nobody waits for somebody who waits for him. */
  async takeAll(wanted: readonly Wanted[]): Promise<Acquired | undefined> {
    for (;;) {
      const acquired = await this.#tryAll(wanted);
      if (acquired || this.#patience.left === 0) return acquired;
    }
  }

  /** Gives none also when one of several ran out while the next one was waited for. */
  async #tryAll(wanted: readonly Wanted[]): Promise<Acquired | undefined> {
    const held = new Map<string, Holding>();
    const { ttl } = this.#terms;
    // Those had already should not run out while the next one is waited for. Whether they did is asked in the end.
    const keeping = wanted.length > 1 ? setInterval(() => void this.#keep(held), ttl / 3) : undefined;
    try {
      let validUntil: number | undefined;
      for (const each of wanted.toSorted((one, other) => (one.stored < other.stored ? -1 : 1))) {
        const asked = await this.#take(each.stored);
        if (!asked?.isHad) break;
        held.set(each.stored, { ...each, token: asked.token, fence: asked.fence });
        validUntil = asked.validUntil;
      }
      if (held.size === wanted.length) {
        if (held.size > 1) validUntil = await this.#renew(held);
        if (validUntil !== undefined && performance.now() < validUntil) {
          return { holdings: wanted.map(({ stored }) => held.get(stored) as Holding), validUntil };
        }
      }
      await this.#giveBack(held);
      return undefined;
    } catch (error) {
      void this.#giveBack(held);
      throw error;
    } finally {
      clearInterval(keeping);
    }
  }

  async #take(stored: string): Promise<Asked | undefined> {
    const turn = await this.#turns.enter(stored, this.#patience);
    let bell: Bell | undefined;
    let end = (): void => undefined;
    try {
      // Who has only waited for its turn is not let in before those who have been waiting for longer.
      if (!turn.isOurs && this.#patience.isGiven) return undefined;
      const listen = (): Bell => {
        const opened = this.#watch.bell(stored);
        end = this.#patience.onEnd(() => opened.ring());
        return opened;
      };
      if (this.#watch.isListening && this.#patience.isGiven) bell = listen();
      for (;;) {
        const asked = await this.#ask(stored, bell !== undefined);
        if (asked.isHad || this.#patience.left === 0) return asked;
        if (!bell) {
          bell = listen();
          // It may have become free before we began to listen.
          continue;
        }
        await bell.next(asked.left + Math.random() * JITTER);
        await this.#stepAside();
        if (this.#patience.isAborted) return undefined;
      }
    } finally {
      end();
      bell?.close();
      turn.leave();
    }
  }

  async #ask(stored: string, isAwaited: boolean): Promise<Asked> {
    const { store, ttl, drift } = this.#terms;
    // Each time another one, so that what is given back late is never what was taken since.
    const token = randomUUID();
    const validUntil = performance.now() + validity(ttl, drift);
    try {
      const taken = await store.take(stored, token, ttl, isAwaited);
      if (!taken.isTaken) return { isHad: false, left: taken.left === undefined ? Infinity : taken.left + 1 };
      // An answer that took too long is none: the lock may be somebody else's by now.
      if (performance.now() < validUntil) return { isHad: true, token, fence: taken.fence, validUntil };
    } catch (error) {
      // It may have been taken without our knowing.
      void release(store, [{ stored, token }]);
      throw error;
    }
    await release(store, [{ stored, token }]);
    return { isHad: false, left: Infinity };
  }

  /** Until when all of them are ours; undefined if one is not. */
  async #renew(held: ReadonlyMap<string, Holding>): Promise<number | undefined> {
    const { store, ttl, drift } = this.#terms;
    const validUntil = performance.now() + validity(ttl, drift);
    const answers = await Promise.all(
      Array.from(held.values(), ({ stored, token }) => store.extend(stored, token, ttl)),
    );
    return answers.includes(false) ? undefined : validUntil;
  }

  async #keep(held: ReadonlyMap<string, Holding>): Promise<void> {
    const { store, ttl } = this.#terms;
    await Promise.allSettled(Array.from(held.values(), ({ stored, token }) => store.extend(stored, token, ttl)));
  }

  async #giveBack(held: ReadonlyMap<string, Holding>): Promise<void> {
    await release(this.#terms.store, [...held.values()]);
  }

  async #stepAside(): Promise<void> {
    const { spread } = this.#terms.store;
    if (spread > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * spread));
  }
}

/** Gives back what is ours; what cannot be given back ends by itself. */
async function release(store: LockStore, held: readonly Pick<Holding, 'stored' | 'token'>[]): Promise<void> {
  await Promise.allSettled(held.map(({ stored, token }) => store.release(stored, token)));
}
