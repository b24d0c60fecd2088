import { ArgumentError } from '../core/errors.js';
import type { Argument, Reply } from '../driver/driver.js';
import type { OperationPlan } from '../driver/pending-operation.js';
import type { CommandDescription } from './commands/command.js';
import type { Decoder, SplitRule } from './commands/command-set.js';
import { describeCommand } from './commands/table.js';
import type { CommandCall } from './interceptors.js';

/** One command as a caller means it: arguments without prefix, and what to make of the reply. */
export interface Request<T> {
  readonly command: CommandDescription;
  readonly args: readonly Argument[];
  readonly decode: Decoder<T>;
  readonly binary: boolean;
  /** For commands over many keys. */
  readonly split?: SplitRule | undefined;
  /** What of {@link OperationPlan} is not to be had from the command. */
  readonly plan?: Partial<OperationPlan>;
}

/** Resolvers of the one who waits. */
export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** A request with its waiter; what its result type is, only the two know. */
export interface LaunchItem {
  readonly request: Request<unknown>;
  readonly waiter: Waiter<unknown>;
}

/** Forgets the result type, so that requests of different types can travel together. */
export function launchItem<T>(request: Request<T>, waiter: Waiter<T>): LaunchItem {
  return { request, waiter } as unknown as LaunchItem;
}

/** A request as interceptors have left it. What is known about the old command does not hold for another one. */
export function asCalled(request: Request<unknown>, call: CommandCall): Request<Reply> {
  if (typeof call?.command !== 'string' || !Array.isArray(call.args)) throw noCall();
  const { binary, command, plan } = request;
  const name = call.command.toUpperCase();
  if (name !== command.name) {
    const described = describeCommand(name, call.args);
    if (!described) throw unknownCommand(name);
    return { command: described, args: call.args, decode: asIs, binary };
  }
  // Arguments decide too: SET is repeatable, SET with NX is not. Of a script only its author knows.
  const unchanged = call.args === request.args || plan?.script !== undefined;
  const described = unchanged ? command : (describeCommand(name, call.args) ?? command);
  return { ...request, command: described, args: call.args, decode: asIs };
}

function noCall(): ArgumentError {
  return new ArgumentError('An interceptor called next() without a command. Hand it the call: next(call).', {
    subject: 'interceptors',
  });
}

function unknownCommand(command: string): ArgumentError {
  return new ArgumentError(
    `An interceptor turned a command into ${command}, which is not known here, so its keys are not either.`,
    { subject: command },
  );
}

/** The reply as it is. */
export function asIs(reply: Reply): Reply {
  return reply;
}
