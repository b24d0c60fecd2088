import { setTimeout as sleep } from 'node:timers/promises';

import { hostProcess } from './host-process.js';

/** How long and how often {@link until} looks. */
export interface UntilOptions {
  /** What is waited for, in the words of the failure: "timed out waiting until <what>". */
  readonly what: string;
  /** Milliseconds before giving up. Default 10 000. */
  readonly timeout?: number;
  /** Milliseconds between two looks. Default 10. */
  readonly interval?: number;
}

/**
 * Waits until `condition` gives something truthy and returns it.
 *
 * A condition that throws counts as "not yet": a server that is starting refuses connections. Its last error becomes
 * the `cause` of the timeout.
 *
 * @example await until(async () => (await server.info()).role === 'master', { what: 'the replica is promoted' });
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeout = 10_000, interval = 10 }: UntilOptions,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const seen = await condition();
      if (seen) return seen as Exclude<T, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`timed out after ${timeout} ms waiting until ${what}`, { cause });
    }
    await sleep(interval);
  }
}

/** A watch for rejections nobody handled. */
export interface UnhandledWatch {
  /** The reasons seen so far. */
  readonly rejections: readonly unknown[];
  /** Waits for the rejections already under way, then hands the process back to jest. */
  stop(): Promise<readonly unknown[]>;
}

/**
 * Collects unhandled rejections in place of jest's own listener, so that a test can assert there were none (or which).
 */
export function watchUnhandled(): UnhandledWatch {
  const rejections: unknown[] = [];
  const collect = (reason: unknown): void => void rejections.push(reason);
  const others = hostProcess.rawListeners('unhandledRejection') as NodeJS.UnhandledRejectionListener[];
  hostProcess.removeAllListeners('unhandledRejection');
  hostProcess.on('unhandledRejection', collect);
  let watching = true;
  return {
    rejections,
    async stop() {
      // Node reports a rejection after the microtasks of the turn it happened in, so let two turns of the loop pass.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      if (watching) {
        watching = false;
        hostProcess.off('unhandledRejection', collect);
        for (const listener of others) hostProcess.on('unhandledRejection', listener);
      }
      return rejections;
    },
  };
}
