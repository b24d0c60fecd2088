import { jest } from '@jest/globals';
import * as fc from 'fast-check';
import type { Lock, LockService } from '../../../../lib/index.js';
import { FakeClock, TestStore } from '../../../../lib/testing/index.js';
import { closeLocks, locksOn } from './places.js';

const SEED = 20_241_121;
const NAMES = ['a', 'b'];
const TTL = 1_000;
/** Milliseconds between two looks at who holds what. */
const STRIDE = 50;

/** One thing that happens. */
type Step =
  | { readonly kind: 'acquire'; readonly actor: number; readonly names: readonly string[]; readonly extend: boolean }
  | { readonly kind: 'release' | 'extend' | 'crash'; readonly actor: number }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  /** How long commands and replies are under way from now on, and whether they arrive at all. */
  | { readonly kind: 'weather'; readonly delay: number; readonly isDown: boolean }
  /** The clock by which fencing tokens are made is set back. */
  | { readonly kind: 'clock'; readonly milliseconds: number };

const actor = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('acquire' as const),
      actor,
      names: fc.subarray(NAMES, { minLength: 1 }),
      extend: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'extend' as const), actor }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), actor }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 0, max: 1_500 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('weather' as const),
      delay: fc.constantFrom(0, 0, 5, 200, 700),
      isDown: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('clock' as const), milliseconds: fc.integer({ min: 1, max: 5_000 }) }),
  },
);

/** One application. */
interface Actor {
  readonly service: LockService;
  readonly held: Set<Lock>;
  /** Whether its process is there. */
  readonly life: { isOver: boolean };
}

/** Applications that lock on the same stores, in a time that passes by steps only. */
class World {
  readonly tally = { had: 0, refused: 0, lost: 0, failed: 0 };
  readonly #actors: Actor[] = [];
  #stores: readonly TestStore[] = [];
  /** The highest fencing token of each name so far. */
  readonly #highest = new Map<string, number>();
  #weather = { delay: 0, isDown: false };
  #setBack = 0;

  /** Three applications on so many independent stores. */
  async begin(count: number): Promise<void> {
    const clock = Object.assign(new FakeClock(), { now: () => Date.now() - this.#setBack });
    this.#stores = Array.from({ length: count }, () => new TestStore({ clock }));
    for (let index = 0; index < 3; index += 1) this.#actors.push(await this.#application());
  }

  async #application(): Promise<Actor> {
    const life = { isOver: false };
    const fail = (): void => {
      if (this.#weather.isDown || life.isOver) throw new Error('The store is away.');
    };
    const around = {
      intercept: async <C, R>(call: C, next: (call: C) => Promise<R>): Promise<R> => {
        const { delay } = this.#weather;
        if (delay > 0) await pause(delay);
        fail();
        const reply = await next(call);
        if (delay > 0) await pause(delay);
        fail();
        return reply;
      },
    };
    const [store] = this.#stores as [TestStore];
    const options = { ttl: TTL, wait: 2_000 };
    const service = await locksOn(this.#stores.length === 1 ? store : this.#stores, options, around);
    return { service, held: new Set(), life };
  }

  async end(): Promise<void> {
    this.#weather = { delay: 0, isDown: false };
    const state = { isOver: false };
    const ended = closeLocks().then(() => (state.isOver = true));
    while (!state.isOver) await jest.advanceTimersByTimeAsync(STRIDE);
    await ended;
  }

  async take(each: Step): Promise<void> {
    if (each.kind === 'weather') this.#weather = each;
    else if (each.kind === 'clock') this.#setBack += each.milliseconds;
    else if (each.kind === 'pass') await this.#pass(each.milliseconds);
    else await this.#act(each);
    await this.#pass(0);
  }

  async #act(each: Exclude<Step, { kind: 'weather' | 'clock' | 'pass' }>): Promise<void> {
    const own = this.#actors[each.actor] as Actor;
    if (each.kind === 'crash') {
      // It goes without a word, and another one comes; what it held ends by itself.
      own.life.isOver = true;
      own.held.clear();
      this.#actors[each.actor] = await this.#application();
    }
    if (each.kind === 'acquire') {
      own.service.acquire(each.names, { extend: each.extend }).then(
        (lock) => {
          if (own.life.isOver) return;
          this.tally.had += 1;
          own.held.add(lock);
          this.#checkTokens(lock);
        },
        (error: { readonly code?: string }) => {
          if (error.code === 'VALKEY_LOCK_NOT_ACQUIRED') this.tally.refused += 1;
          else this.tally.failed += 1;
        },
      );
    }
    for (const lock of own.held) {
      if (each.kind === 'release') void lock.release();
      if (each.kind === 'extend') lock.extend().catch(() => undefined);
    }
  }

  async #pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed <= milliseconds; passed += STRIDE) {
      await jest.advanceTimersByTimeAsync(Math.min(STRIDE, milliseconds - passed));
      this.#checkHolders();
    }
  }

  /** Nobody believes to hold what another one believes to hold. */
  #checkHolders(): void {
    const holders = new Map<string, number>();
    for (const { held } of this.#actors) {
      for (const lock of held) {
        if (lock.signal.aborted) this.tally.lost += 1;
        if (!lock.isHeld) held.delete(lock);
        else for (const name of lock.names) holders.set(name, (holders.get(name) ?? 0) + 1);
      }
    }
    for (const [name, count] of holders) expect([name, count]).toEqual([name, 1]);
  }

  #checkTokens(lock: Lock): void {
    for (const name of lock.names) {
      const token = lock.fencingTokenOf(name) as number;
      expect(token).toBeGreaterThan(this.#highest.get(name) ?? 0);
      this.#highest.set(name, token);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe('[LCK-1] [L16] in every order of events', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  });
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['one store', 1, 40],
    ['[LCK-2] a quorum of three', 3, 15],
  ])(
    'no two hold the same lock at once, and fencing tokens grow: %s',
    async (_what, count, runs) => {
      const tally = { had: 0, refused: 0, lost: 0, failed: 0 };
      const failures: unknown[] = [];
      const note = (reason: unknown): void => void failures.push(reason);
      process.on('unhandledRejection', note);
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
            const world = new World();
            await world.begin(count);
            try {
              for (const each of steps) await world.take(each);
            } finally {
              await world.end();
            }
            for (const kind of ['had', 'refused', 'lost', 'failed'] as const) tally[kind] += world.tally[kind];
          }),
          { seed: SEED, numRuns: runs },
        );
      } finally {
        process.off('unhandledRejection', note);
      }
      expect(failures).toEqual([]);
      // The steps are about something.
      for (const kind of ['had', 'refused', 'lost', 'failed'] as const)
        expect([kind, tally[kind] > 10]).toEqual([kind, true]);
    },
    60_000,
  );
});
