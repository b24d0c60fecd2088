import { ReplyError } from '../../core/errors.js';
import type { Operation, Reply } from '../driver.js';
import type { Engine } from './engine.js';
import { toValkeyError } from './refusal.js';
import type { Watch } from './watches.js';

/**
 * Runs the commands between MULTI and EXEC as one. A command that could not run at all discards all of them, as it
 * does when queued on a server; one that fails while running leaves its error in the reply and the others go on.
 */
export function runTransaction(engine: Engine, operations: readonly Operation[], watch: Watch | undefined): Reply {
  try {
    for (const operation of operations) checkQueued(engine, operation);
    if (watch?.broken === true) return null;
    return engine.store.atOneInstant(() => operations.map((operation) => resultOf(engine, operation)));
  } finally {
    if (watch !== undefined) engine.watches.clear(watch);
  }
}

function checkQueued(engine: Engine, operation: Operation): void {
  try {
    engine.check(operation);
  } catch (error) {
    const cause = toValkeyError(error, operation.command);
    throw new ReplyError(
      'EXECABORT',
      `The server refused EXEC: EXECABORT Transaction discarded because of previous errors. ${cause.message}`,
      { cause, subject: operation.command },
    );
  }
}

function resultOf(engine: Engine, operation: Operation): Reply {
  try {
    return engine.inTransaction(operation);
  } catch (error) {
    return toValkeyError(error, operation.command);
  } finally {
    engine.store.trim();
  }
}
