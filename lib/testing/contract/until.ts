import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds before {@link until} gives up. */
const PATIENCE = 5_000;
/** Milliseconds between two looks. */
const INTERVAL = 5;

/** Waits until `condition` holds; `what` completes "timed out waiting until …". */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`timed out after ${PATIENCE} ms waiting until ${what}`);
    await sleep(INTERVAL);
  }
}
