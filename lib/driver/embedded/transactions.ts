import type { Operation, Reply } from '../driver.js';
import type { Runner } from './runner.js';
import { toValkeyError } from './refusal.js';
import type { Watch } from './watches.js';

/**
 * Runs the commands between MULTI and EXEC as one. A command that could not run at all discards all of them, as it
 * does when queued on a server; one that fails while running leaves its error in the reply and the others go on.
 */
export function runTransaction(engine: Runner, operations: readonly Operation[], watch: Watch | undefined): Reply {
  try {
    for (const operation of operations) engine.check(operation);
    if (watch?.broken === true) return null;
    return operations.map((operation) => resultOf(engine, operation));
  } finally {
    if (watch !== undefined) engine.watches.clear(watch);
  }
}

function resultOf(engine: Runner, operation: Operation): Reply {
  try {
    return engine.inTransaction(operation);
  } catch (error) {
    return toValkeyError(error, operation.command);
  } finally {
    engine.store.trim();
  }
}
