import type { Argument, Driver, Operation, Outcome, Reply, Session } from '../../../../lib/driver/driver.js';
import { EmbeddedDriver, type EmbeddedDriverOptions } from '../../../../lib/driver/embedded/embedded-driver.js';
import { PlainOperation, type OperationPlan } from '../../../../lib/driver/pending-operation.js';

const opened: EmbeddedDriver[] = [];

/** A driver that {@link closeAll} ends. */
export function open(options: Partial<EmbeddedDriverOptions> = {}): EmbeddedDriver {
  const driver = new EmbeddedDriver({ maxEntries: 100_000, maxBytes: 64 * 1024 * 1024, ...options });
  opened.push(driver);
  return driver;
}

export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((driver) => driver.close()));
}

/** A clock that stands still until told otherwise. */
export class StoppedClock {
  constructor(public time = 1_700_000_000_000) {}

  now(): number {
    return this.time;
  }
}

type Executor = Pick<Driver | Session, 'execute'>;

export interface Started {
  readonly operation: Operation;
  readonly outcome: Promise<Outcome>;
}

/** Sends one operation and does not wait. */
export function start(executor: Executor, plan: OperationPlan): Started {
  let operation!: PlainOperation;
  const outcome = new Promise<Outcome>((resolve) => {
    operation = new PlainOperation(plan, resolve);
  });
  executor.execute([operation]);
  return { operation, outcome };
}

async function valueOf({ outcome }: Started): Promise<Reply> {
  const result = await outcome;
  if (!result.ok) throw result.error;
  return result.value;
}

/** Runs a command; its reply, or its error thrown. */
export function run(executor: Executor, command: string, ...args: Argument[]): Promise<Reply> {
  return valueOf(start(executor, { command, args }));
}

/** The same with bytes for text. */
export function runBinary(executor: Executor, command: string, ...args: Argument[]): Promise<Reply> {
  return valueOf(start(executor, { command, args, binary: true }));
}

export function plan(executor: Executor, given: OperationPlan): Promise<Reply> {
  return valueOf(start(executor, given));
}

/** Runs commands as one transaction. */
export function transact(
  executor: Executor,
  ...commands: readonly (readonly [string, ...Argument[]])[]
): Promise<Reply> {
  const transaction = commands.map(([command, ...args]) => new PlainOperation({ command, args }, () => undefined));
  return plan(executor, { command: 'EXEC', args: [], transaction });
}
