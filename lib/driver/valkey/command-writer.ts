import type { Command, Redis } from 'iovalkey';
import { ArgumentError, ValkeyError } from '../../core/errors.js';
import type { Operation } from '../driver.js';
import type { Script } from '../script.js';
import { Answer, TransactionAnswer } from './answers.js';
import type { AnswerJudge } from './answers.js';
import { isTooLarge, LARGEST, WireCommand } from './wire-command.js';
import type { WireListener } from './wire-command.js';

/** From this many operations on, a batch is one write, whatever the server does. */
const ONE_WRITE = 16;

/** Writes operations to the socket of one connection, and keeps count of what has not been answered. */
export class CommandWriter {
  readonly #redis: Redis;
  readonly #judge: AnswerJudge;
  /** Scripts this socket's server has run since the socket is open. */
  readonly #scripts = new Set<string>();
  #unanswered = 0;
  #answeredAt = 0;
  /** When something was written while nothing was unanswered. */
  #owedSince = 0;

  constructor(redis: Redis, judge: AnswerJudge) {
    this.#redis = redis;
    this.#judge = judge;
  }

  /** Commands written and not answered yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** When the last answer came, by `performance.now()`. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Milliseconds for which an answer has been owed and none has come; 0 while none is owed. */
  get silence(): number {
    return this.#unanswered === 0 ? 0 : performance.now() - Math.max(this.#owedSince, this.#answeredAt);
  }

  /** The socket is another one: nothing is known of its server. */
  reset(): void {
    this.#scripts.clear();
  }

  /** The server does not know this script any more. */
  forget(script: Script): void {
    this.#scripts.delete(script.sha);
  }

  /**
   * A large batch goes out in one write, and so does any while the server has something to do. A small one that finds it
   * idle is streamed: the server answers the first command while the next is still being written, and that overlap is
   * worth more than the saved system calls.
   */
  write(operations: readonly Operation[]): void {
    const { stream } = this.#redis;
    const { length } = operations;
    const inOneWrite = length >= ONE_WRITE || (length > 1 && this.#unanswered > 0);
    if (inOneWrite) stream.cork();
    for (const operation of operations) if (!operation.settled) this.#tryDispatch(operation);
    if (inOneWrite) stream.uncork();
  }

  /** One raw command of the driver's own. */
  raw(command: string, args: readonly (string | Buffer)[], listener: WireListener): void {
    if (this.#unanswered === 0) this.#owedSince = performance.now();
    const wire = new WireCommand(command, args, listener, this.#onAnswered);
    this.#unanswered += 1;
    try {
      // sendCommand needs no more of a command than WireCommand has; its type asks for the whole class.
      this.#redis.sendCommand(wire as unknown as Command);
    } catch (error) {
      this.#unanswered -= 1;
      throw error;
    }
  }

  /** What cannot be written fails alone: the others of the batch have nothing to do with it. */
  #tryDispatch(operation: Operation): void {
    try {
      this.#dispatch(operation);
    } catch (cause) {
      operation.sent = false;
      const text = `${operation.command} could not be written: an argument is neither a string nor a Buffer. Nothing was sent.`;
      operation.settle({ ok: false, error: new ArgumentError(text, { subject: operation.command, cause }) });
    }
  }

  #dispatch(operation: Operation): void {
    if (isOversized(operation)) {
      operation.settle({ ok: false, error: tooLarge(operation.command) });
      return;
    }
    operation.sent = true;
    if (operation.transaction) this.#dispatchTransaction(operation, operation.transaction);
    else if (operation.script) this.#dispatchScript(operation, operation.script);
    else this.raw(operation.command.toLowerCase(), operation.args, new Answer(this.#judge, operation));
  }

  /** The text goes out the first time a socket sees a script, its SHA from then on. */
  #dispatchScript(operation: Operation, { sha, lua }: Script): void {
    const known = this.#scripts.has(sha) && operation.command !== 'EVAL';
    this.#scripts.add(sha);
    const args = [known ? sha : lua, ...operation.args.slice(1)];
    this.raw(known ? 'evalsha' : 'eval', args, new Answer(this.#judge, operation, known));
  }

  #dispatchTransaction(operation: Operation, commands: readonly Operation[]): void {
    // Looked at before MULTI: what fails afterwards would leave the others of the connection in a transaction.
    for (const { args } of commands) for (const arg of args) Buffer.byteLength(arg);
    const listener = new TransactionAnswer(this.#judge, operation);
    this.raw('multi', [], listener.queued);
    for (const command of commands) {
      // The whole text of a script: NOSCRIPT inside MULTI would let the rest of the transaction commit without it.
      if (command.script) this.raw('eval', [command.script.lua, ...command.args.slice(1)], listener.queued);
      else this.raw(command.command.toLowerCase(), command.args, listener.queued);
    }
    this.raw('exec', [], listener);
  }

  readonly #onAnswered = (): void => {
    this.#unanswered -= 1;
    this.#answeredAt = performance.now();
  };
}

/** Before MULTI, because a command that is left out afterwards would not keep the others from being applied. */
function isOversized({ args, transaction }: Operation): boolean {
  return isTooLarge(args) || (transaction?.some((command) => isTooLarge(command.args)) ?? false);
}

function tooLarge(command: string): ValkeyError {
  return new ValkeyError(
    'VALKEY_VALUE_TOO_LARGE',
    `${command} has an argument of more than ${LARGEST / 2 ** 20} MB, which no server takes. It was not sent. Store it in parts, or elsewhere.`,
    { subject: command },
  );
}
