import { setTimeout as sleep } from 'node:timers/promises';

/** What callers that go on and on have met so far. */
export interface Load {
  readonly succeeded: number;
  /** In the order in which they came. */
  readonly errors: readonly unknown[];
  /** Milliseconds the slowest call took. */
  readonly longest: number;
  /** Lets every caller finish the call it is in. */
  stop(): Promise<void>;
}

/** Milliseconds a caller rests between two calls, so that the servers get some of the machine as well. */
const REST = 1;

/** So many callers, each of which makes one call after the other. */
export function startLoad(callers: number, call: (caller: number, turn: number) => Promise<unknown>): Load {
  const errors: unknown[] = [];
  const load = { succeeded: 0, errors, longest: 0 };
  const order = { goesOn: true };
  const run = async (caller: number): Promise<void> => {
    for (let turn = 0; order.goesOn; turn += 1) {
      const startedAt = performance.now();
      try {
        await call(caller, turn);
        load.succeeded += 1;
      } catch (error) {
        errors.push(error);
      }
      load.longest = Math.max(load.longest, performance.now() - startedAt);
      await sleep(REST);
    }
  };
  const running = Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)));
  return Object.assign(load, {
    async stop() {
      order.goesOn = false;
      await running;
    },
  });
}

/** How often each code occurs, in a form that fits on a failure's page. */
export function codesOf(errors: readonly unknown[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const error of errors) {
    const { code, name, message } = error as { code?: string; name?: string; message?: string };
    const word = code ?? `${name}: ${message}`;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
