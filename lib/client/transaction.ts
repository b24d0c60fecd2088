import { toNames } from './arguments.js';
import { ArgumentError, CrossSlotError, ReplyError, ValkeyError } from '../core/errors.js';
import { slotOf } from '../core/slot.js';
import { asIs } from './request.js';
import type { Argument, Operation, Reply, Session } from '../driver/driver.js';
import type { CommandQueue, QueueEntry } from './command-queue.js';
import { ALL_KEYS, NO_KEYS } from './commands/command.js';
import type { CommandDescription } from './commands/command.js';
import type { Key } from './commands/command-set.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import type { Request, Waiter } from './request.js';
import { checkBuilt, countFailed } from './pipeline.js';
import type { Settled } from './pipeline-error.js';
import type { Scope } from './scope.js';

/** How a transaction with watched keys is run. */
export interface WatchOptions {
  /** Keys whose change by anybody else between reading and EXEC makes the transaction start over. */
  readonly watch: readonly Key[];
  /** How often it is tried at the most. Default 10. */
  readonly attempts?: number;
}

const EXEC: CommandDescription = { name: 'EXEC', keys: NO_KEYS, readOnly: false, retrySafe: false, blocking: false };
const WATCH: CommandDescription = { name: 'WATCH', keys: ALL_KEYS, readOnly: true, retrySafe: true, blocking: false };
const NOTHING: CommandDescription = { ...EXEC, name: 'WATCH' };

/** Runs queued commands between MULTI and EXEC; `null` when a watched key was changed. */
export async function executeTransaction(
  dispatcher: Dispatching,
  scope: Scope,
  queue: CommandQueue,
  session?: Session,
): Promise<readonly Settled<unknown>[] | null> {
  const queued = queue.entries.filter((entry) => entry.request !== undefined);
  if (queued.length === 0) return queue.entries.map(({ value }) => ({ ok: true, value }));
  const commands = queued.map(({ request }) => dispatcher.inner(request as Request<unknown>));
  const key = commonKey(dispatcher, commands);
  const finish = dispatcher.reporter.group('transaction', commands.length);
  try {
    const replies = await exec(dispatcher, scope, commands, key, session);
    const results = replies && settleEntries(queue.entries, queued, replies);
    finish(results ? countFailed(results) : 0);
    return results;
  } catch (error) {
    finish(commands.length);
    throw refusedTransaction(error);
  }
}

/** One operation for the whole transaction; EXEC answers with all replies, or null when a watched key was changed. */
function exec(
  dispatcher: Dispatching,
  scope: Scope,
  transaction: readonly Operation[],
  key: Argument | undefined,
  session: Session | undefined,
): Promise<readonly Reply[] | null> {
  return new Promise<Reply>((resolve, reject) => {
    const refusal = dispatcher.refusal(1, scope);
    if (refusal !== undefined) {
      reject(refusal);
      return;
    }
    const request = { command: EXEC, args: [], decode: asIs, binary: false, plan: { key, transaction } };
    const operation = dispatcher.operation(request, scope, { resolve, reject });
    (session ?? dispatcher.driver).execute([operation]);
  }) as Promise<readonly Reply[] | null>;
}

/**
 * WATCH, let the caller read and queue, EXEC; from the start again as long as somebody else changes a watched key.
 */
export async function executeWatched<T>(
  dispatcher: Dispatching,
  scope: Scope,
  { watch, attempts = 10 }: WatchOptions,
  newQueue: () => CommandQueue,
  build: (queue: CommandQueue) => Promise<T> | T,
): Promise<{ readonly built: T; readonly results: readonly Settled<unknown>[] }> {
  toNames('transaction()', 'watch', watch);
  if (watch.length === 0)
    throw new ArgumentError('transaction(): watch must name at least one key.', { subject: 'watch' });
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new ArgumentError('transaction(): attempts must be a whole number of at least 1.', { subject: 'attempts' });
  }
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const outcome = await tryWatched(dispatcher, scope, watch, newQueue, build);
    if (outcome) return outcome;
  }
  throw new ValkeyError(
    'VALKEY_TRANSACTION_CONFLICT',
    `A watched key was changed by somebody else in each of ${attempts} attempts; nothing was applied. Raise attempts, or let the writers take turns with a lock.`,
    { subject: 'EXEC' },
  );
}

async function tryWatched<T>(
  dispatcher: Dispatching,
  scope: Scope,
  watch: readonly Key[],
  newQueue: () => CommandQueue,
  build: (queue: CommandQueue) => Promise<T> | T,
): Promise<{ readonly built: T; readonly results: readonly Settled<unknown>[] } | undefined> {
  const request: Request<Reply> = { command: WATCH, args: watch, decode: asIs, binary: false };
  const session = await openSession(dispatcher, scope, request);
  try {
    await new Promise<Reply>((resolve, reject) => {
      session.execute([dispatcher.operation(request, scope, { resolve, reject })]);
    });
    const queue = newQueue();
    const built = await build(queue);
    checkBuilt(built, queue.entries);
    const results = await executeTransaction(dispatcher, scope, queue, session);
    return results === null ? undefined : { built, results };
  } finally {
    session.release();
  }
}

/** The wait for a free connection is an operation too, so that deadline, signal and close() end it. */
async function openSession(dispatcher: Dispatching, scope: Scope, request: Request<Reply>): Promise<Session> {
  const refusal = dispatcher.refusal(1, scope);
  if (refusal !== undefined) throw refusal;
  return new Promise((resolve, reject) => {
    const ignore: Waiter<Reply>['resolve'] = () => undefined;
    const operation = dispatcher.waiting({ ...NOTHING, keys: ALL_KEYS }, request.args, scope, {
      resolve: ignore,
      reject,
    });
    dispatcher.driver.session(operation).then(
      (session) => {
        // Whoever has given up meanwhile will not give it back.
        if (operation.settled) session.release();
        operation.settle({ ok: true, value: null });
        resolve(session);
      },
      (error: unknown) => operation.settle({ ok: false, error: error as ValkeyError }),
    );
  });
}

/** In a cluster everything between MULTI and EXEC has to be on one slot, and something has to say on which. */
function commonKey(dispatcher: Dispatching, commands: readonly Operation[]): Argument | undefined {
  const key = commands.find((command) => command.key !== undefined)?.key;
  if (dispatcher.driver.topology !== 'cluster') return key;
  if (key === undefined) {
    throw new ArgumentError(
      'A transaction on a cluster needs at least one command with a key: the key decides which node runs it.',
      { subject: 'EXEC' },
    );
  }
  const slot = slotOf(key);
  for (const command of commands) {
    for (const other of dispatcher.keysOf(command))
      if (slotOf(other) !== slot) throw new CrossSlotError('the transaction');
  }
  return key;
}

function settleEntries(
  entries: readonly QueueEntry[],
  queued: readonly QueueEntry[],
  replies: readonly Reply[],
): readonly Settled<unknown>[] {
  const replyOf = new Map(queued.map((entry, index) => [entry, replies[index] ?? null]));
  return entries.map((entry) => {
    if (!entry.request) return { ok: true, value: entry.value };
    return decodeReply(entry.request, replyOf.get(entry) ?? null);
  });
}

function decodeReply({ decode, command }: Request<unknown>, reply: Reply): Settled<unknown> {
  if (reply instanceof ValkeyError) return { ok: false, error: reply };
  try {
    return { ok: true, value: decode(reply, command.name) };
  } catch (error) {
    return { ok: false, error };
  }
}

/** A command the server would not even queue: EXEC then applies nothing. */
function refusedTransaction(error: unknown): unknown {
  if (!(error instanceof ReplyError) || error.code !== 'VALKEY_REPLY') return error;
  return new ValkeyError(
    'VALKEY_TRANSACTION_FAILED',
    'The server refused a command of the transaction, so none of it was applied. See the cause for the command.',
    { subject: error.subject ?? 'EXEC', cause: error },
  );
}
