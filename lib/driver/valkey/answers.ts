import { ValkeyError } from '../../core/errors.js';
import { toReplyError } from '../../core/reply-error.js';
import type { Operation, Outcome, Reply } from '../driver.js';
import { readReply } from './wire-command.js';
import type { WireListener } from './wire-command.js';

/** Who decides what an error means for an operation: follow it, run it again, or pass it on. */
export interface AnswerJudge {
  /** @param bySha - whether a script went without its text, so that the server can answer that it does not know it */
  judge(operation: Operation, error: Error, bySha: boolean): void;
}

/** Hears the answer to one operation. */
export class Answer implements WireListener {
  readonly #judge: AnswerJudge;
  readonly #operation: Operation;
  readonly #bySha: boolean;

  constructor(judge: AnswerJudge, operation: Operation, bySha = false) {
    this.#judge = judge;
    this.#operation = operation;
    this.#bySha = bySha;
  }

  onReply(raw: unknown): void {
    if (!this.#operation.settled) this.#operation.settle(decode(raw, this.#operation));
  }

  onError(error: Error): void {
    if (!this.#operation.settled) this.#judge.judge(this.#operation, error, this.#bySha);
  }
}

/** Hears EXEC's answer, and the errors with which commands were refused while queueing. */
export class TransactionAnswer implements WireListener {
  readonly #judge: AnswerJudge;
  readonly #operation: Operation;
  #refusal: Error | undefined;

  constructor(judge: AnswerJudge, operation: Operation) {
    this.#judge = judge;
    this.#operation = operation;
  }

  /** For everything between MULTI and EXEC. */
  readonly queued: WireListener = {
    onReply: () => {
      // QUEUED says nothing; the reply comes with EXEC's.
    },
    onError: (error) => {
      this.#refusal ??= error;
    },
  };

  onReply(raw: unknown): void {
    if (!this.#operation.settled) this.#operation.settle(decode(raw, this.#operation));
  }

  onError(error: Error): void {
    if (this.#operation.settled) return;
    // EXECABORT only says that something was wrong; what it was, the refusal of the single command says.
    const cause = isServerError(error) && this.#refusal ? this.#refusal : error;
    this.#judge.judge(this.#operation, cause, false);
  }
}

/** Whether the server said it; anything else means that the connection is gone. */
export function isServerError(error: Error): boolean {
  return error.name === 'ReplyError';
}

function decode(raw: unknown, operation: Operation): Outcome {
  try {
    const value = operation.transaction
      ? readTransaction(raw, operation.transaction)
      : readReply(raw, operation.binary, (error) => toReplyError(error.message, operation.command));
    return { ok: true, value };
  } catch (error) {
    // All that reading can fail at is text longer than a string may be.
    return { ok: false, error: tooLong(operation.command, error) };
  }
}

function readTransaction(raw: unknown, commands: readonly Operation[]): Reply {
  if (!Array.isArray(raw)) return null;
  return raw.map((item: unknown, index) => {
    const { binary = false, command = 'EXEC' } = commands[index] ?? {};
    return readReply(item, binary, (error) => toReplyError(error.message, command));
  });
}

function tooLong(command: string, cause: unknown): ValkeyError {
  return new ValkeyError(
    'VALKEY_VALUE_TOO_LARGE',
    `The reply to ${command} is longer than a string can be. Read it as bytes, with getBuffer(), or in parts, with GETRANGE.`,
    { subject: command, cause },
  );
}
