import type { Argument, Operation, Reply } from '../driver.js';
import type { Context } from './command.js';
import type { Watches } from './watches.js';

/** What transactions and scripts need of the engine that runs them. */
export interface Runner extends Context {
  readonly watches: Watches;
  /** Refuses what could not run at all: an unknown command, a wrong number of arguments, a script without twin. */
  check(operation: Operation): void;
  /** Runs a command or script inside a transaction: nothing waits there. */
  inTransaction(operation: Operation): Reply;
  /** Runs a command where it cannot wait. */
  invoke(name: string, args: readonly Argument[]): Reply;
}
