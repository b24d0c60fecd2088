import { ConnectionError, DeadlineError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';
import { letGo } from '../core/let-go.js';
import type { Operation, Outcome, Reply } from '../driver/driver.js';
import { PendingOperation, PlainOperation } from '../driver/pending-operation.js';

/** What a merged read reports to the one that made it. */
export interface MergedReadListener {
  /** Bytes of text per value, on average, in this reply. */
  onReplySize(average: number): void;
  /** The server will not take MGET from us: do not merge again. */
  onRefused(): void;
  /** Sends operations singly, without merging. */
  sendSingly(operations: readonly Operation[]): void;
}

/**
 * Many GETs as one MGET. The callers must not notice: MGET answers null where GET says WRONGTYPE, so before a null is
 * passed on, EXISTS (one more command for all of them) has to confirm it; and what the server refuses as a whole is
 * taken apart and sent singly.
 */
export class MergedRead extends PendingOperation {
  readonly #reads: readonly Operation[];
  readonly #listener: MergedReadListener;
  readonly #madeAt = performance.now();

  /** `reads` become its own. */
  constructor(reads: readonly Operation[], listener: MergedReadListener) {
    const [first] = reads;
    const keys = reads.map(({ key }) => key as string | Buffer);
    super({
      command: 'MGET',
      args: keys,
      key: keys[0],
      binary: first?.binary ?? false,
      readOnly: true,
      readFrom: first?.readFrom ?? 'primary',
      retrySafe: true,
      deadline: latestDeadline(reads),
    });
    this.#reads = reads;
    this.#listener = listener;
  }

  protected override finish(outcome: Outcome): void {
    if (!outcome.ok) this.#fail(outcome.error);
    else this.#spread(outcome.value as readonly Reply[]);
  }

  #spread(values: readonly Reply[]): void {
    const missing: Operation[] = [];
    let length = 0;
    for (let index = 0; index < this.#reads.length; index += 1) {
      const read = this.#reads[index] as Operation;
      const value = values[index] as string | Buffer | null;
      if (value === null) {
        missing.push(read);
      } else {
        length += value.length;
        read.settle({ ok: true, value });
      }
    }
    this.#listener.onReplySize(length / this.#reads.length);
    letGo(this.#reads);
    if (missing.length > 0) this.#confirm(missing);
  }

  /** Null for all of them, if none exists; otherwise a single GET each tells which is of another type. */
  #confirm(missing: readonly Operation[]): void {
    const keys = missing.map(({ key }) => key as string | Buffer);
    const plan = {
      command: 'EXISTS',
      args: keys,
      key: keys[0],
      readOnly: true,
      readFrom: this.readFrom,
      retrySafe: true,
      deadline: this.deadline,
    };
    const check = new PlainOperation(plan, (outcome) => {
      if (outcome.ok && outcome.value === 0) {
        for (const read of missing) read.settle({ ok: true, value: null });
      } else {
        this.#listener.sendSingly(missing.map(typeCheck));
      }
    });
    this.#listener.sendSingly([check]);
  }

  /** The caller has never heard of an MGET. */
  #asOf({ command, deadline, startedAt = this.#madeAt }: Operation, error: ValkeyError): ValkeyError {
    const { cause, subject } = error;
    if (subject !== this.command) return error;
    if (error instanceof DeadlineError) return new DeadlineError(command, Math.round(deadline - startedAt), cause);
    if (!(error instanceof ConnectionError)) return error;
    return new ConnectionError(error.message.replaceAll(this.command, command), { cause, subject: command });
  }

  #fail(error: ValkeyError): void {
    if (error.code === 'VALKEY_REPLY') {
      this.#listener.onRefused();
      this.#listener.sendSingly(this.#reads);
    } else if (error.code === 'VALKEY_SERVER_BUSY' || error.code === 'VALKEY_CROSS_SLOT') {
      this.#listener.sendSingly(this.#reads);
    } else {
      for (const read of this.#reads) read.settle({ ok: false, error: this.#asOf(read, error) });
    }
  }
}

/**
 * Asks again for a key that MGET found empty, and believes errors only: a value has been written since, perhaps by the
 * caller itself, who must not read it before.
 */
function typeCheck(read: Operation): Operation {
  const { command, args, key, binary, readOnly, readFrom, retrySafe, deadline } = read;
  return new PlainOperation({ command, args, key, binary, readOnly, readFrom, retrySafe, deadline }, (outcome) =>
    read.settle(outcome.ok ? { ok: true, value: null } : outcome),
  );
}

function latestDeadline(operations: readonly Operation[]): number {
  let latest = 0;
  for (const { deadline } of operations) if (deadline > latest) latest = deadline;
  return latest;
}
