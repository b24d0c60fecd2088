import type { Duration } from '../core/duration.js';
import {
  ConnectionError,
  DeadlineError,
  OutcomeUnknownError,
  type ErrorCode,
  type ValkeyError,
} from '../core/errors.js';
import type {
  Argument,
  Driver,
  DriverStatus,
  NodeInfo,
  Operation,
  Reply,
  Route,
  Session,
  SubscriptionRequest,
  Topology,
} from '../driver/driver.js';
import { PlainOperation } from '../driver/pending-operation.js';
import { failureOf } from './failure.js';
import type { FakeClock } from './fake-clock.js';
import { Programme, type Occasion } from './programme.js';

/** One operation as it reached the driver. */
export interface RecordedOperation {
  /** In upper case. */
  readonly command: string;
  /** With the key prefix. */
  readonly args: readonly Argument[];
  /** The key that decides on the route, if there is one. */
  readonly key: Argument | undefined;
  /** What stands between MULTI and EXEC, if it is an EXEC. */
  readonly transaction: readonly RecordedOperation[] | undefined;
}

/** A reply, or a function that makes one. */
export type ProgrammedReply = Reply | ((operation: RecordedOperation) => Reply);

type Send = (batch: readonly Operation[]) => void;
type Action = (operation: Operation, send: Send) => void;

/**
 * A driver that notes what it is asked and hands it on, unless it was told to do something else. Commands are named as
 * they are sent, `*` stands for all; a transaction is one `EXEC`, a script an `EVALSHA` or, in a pipeline, an `EVAL`.
 */
export class RecordingDriver implements Driver {
  readonly name: string;
  readonly topology: Topology;
  /** Left out where the driver leaves it out. */
  readonly track?: NonNullable<Driver['track']>;
  readonly #driver: Driver;
  readonly #clock: FakeClock;
  readonly #programme = new Programme<Action>();
  readonly #listeners = new Set<(status: DriverStatus) => void>();
  /** What hangs or is held back. */
  readonly #held = new Set<Operation>();
  #operations: RecordedOperation[] = [];
  #down: ValkeyError | undefined;

  /**
   * @param driver - What does the work.
   * @param clock - By which delays end.
   */
  constructor(driver: Driver, clock: FakeClock) {
    this.#driver = driver;
    this.#clock = clock;
    this.name = driver.name;
    this.topology = driver.topology;
    const track = driver.track?.bind(driver);
    if (track) this.track = track;
  }

  /** Everything that was sent, in order. */
  get operations(): readonly RecordedOperation[] {
    return this.#operations;
  }

  /** What was sent of one command. */
  of(command: string): readonly RecordedOperation[] {
    const name = command.toUpperCase();
    return this.#operations.filter((operation) => operation.command === name);
  }

  /** Forgets what was recorded; what was programmed stays. */
  forget(): void {
    this.#operations = [];
  }

  /** Lets a command fail without being executed. */
  fail(command: string, failure: ErrorCode | ValkeyError, occasion: Occasion = {}): this {
    return this.#program(command, occasion, (operation) => {
      operation.settle({ ok: false, error: failureOf(failure, operation.command) });
    });
  }

  /** Answers a command without executing it. */
  reply(command: string, reply: ProgrammedReply, occasion: Occasion = {}): this {
    return this.#program(command, occasion, (operation) => {
      const value = typeof reply === 'function' ? reply(recordOf(operation)) : reply;
      operation.settle({ ok: true, value: operation.binary ? toBytes(value) : value });
    });
  }

  /** Holds a command back until the clock was moved on by `duration`; only then is it executed. */
  delay(command: string, duration: Duration, occasion: Occasion = {}): this {
    return this.#program(command, occasion, (operation, send) => {
      const cancel = this.#clock.after(duration, () => {
        release();
        if (!operation.settled) send([operation]);
      });
      const release = expireInTime(operation, cancel);
    });
  }

  /** Leaves a command without an answer: its deadline, its signal or closing ends it. */
  hang(command: string, occasion: Occasion = {}): this {
    return this.#program(command, occasion, (operation) => {
      operation.sent = true;
      expireInTime(operation, () => undefined);
    });
  }

  /**
   * Lets the connection break after a command was sent: the caller gets an `OutcomeUnknownError`. `applied` (default
   * true) says whether the command was executed all the same.
   */
  loseReply(command: string, occasion: Occasion & { readonly applied?: boolean } = {}): this {
    return this.#program(command, occasion, (operation, send) => {
      operation.sent = true;
      const lose = (): void => {
        const lost = new ConnectionError('The connection was lost. Simulated by the recording driver.');
        operation.settle({ ok: false, error: new OutcomeUnknownError(operation.command, lost) });
      };
      if (occasion.applied === false) lose();
      else send([new PlainOperation(operation, lose)]);
    });
  }

  /** Lets commands be executed again. Default: all of them. */
  restore(command?: string): this {
    this.#programme.clear(command);
    return this;
  }

  /** The server is away: everything fails, and the status says so, until {@link RecordingDriver.comeBack}. */
  goDown(reason: ValkeyError = new ConnectionError('The server is away. Simulated by the recording driver.')): void {
    this.#down = reason;
    this.#tell();
  }

  /** The server is there again. */
  comeBack(): void {
    this.#down = undefined;
    this.#tell();
  }

  connect(): Promise<void> {
    return this.#down ? Promise.reject(this.#down) : this.#driver.connect();
  }

  /** What hangs or is held back hears of it from the driver underneath. */
  async close(): Promise<void> {
    const held = [...this.#held];
    await this.#driver.close();
    this.#driver.execute(held);
  }

  execute(batch: readonly Operation[]): void {
    this.#carry(batch, (operations) => this.#driver.execute(operations));
  }

  route(operation: Operation): Route {
    return this.#driver.route(operation);
  }

  primaries(): Promise<readonly Route[]> {
    return this.#down ? Promise.reject(this.#down) : this.#driver.primaries();
  }

  async session(operation: Operation): Promise<Session> {
    if (this.#down) throw this.#down;
    const session = await this.#driver.session(operation);
    return {
      execute: (batch) => this.#carry(batch, (operations) => session.execute(operations)),
      release: () => session.release(),
    };
  }

  subscribe(request: SubscriptionRequest): Promise<() => Promise<void>> {
    return this.#down ? Promise.reject(this.#down) : this.#driver.subscribe(request);
  }

  nodes(): readonly NodeInfo[] {
    const isUp = this.#down === undefined;
    return this.#driver.nodes().map((node) => ({ ...node, connected: node.connected && isUp }));
  }

  status(): DriverStatus {
    const status = this.#driver.status();
    return this.#down && status.state !== 'closed' ? { state: 'down', reason: this.#down } : status;
  }

  onStatus(listener: (status: DriverStatus) => void): () => void {
    const stop = this.#driver.onStatus(() => listener(this.status()));
    this.#listeners.add(listener);
    return () => {
      stop();
      this.#listeners.delete(listener);
    };
  }

  native(): unknown {
    return this.#driver.native();
  }

  #program(command: string, occasion: Occasion, action: Action): this {
    this.#programme.add(
      command,
      (operation, send) => {
        action(operation, send);
        for (const held of this.#held) if (held.settled) this.#held.delete(held);
        if (!operation.settled) this.#held.add(operation);
      },
      occasion,
    );
    return this;
  }

  /** In order, so that what is handed on and what is answered here keep their places. */
  #carry(batch: readonly Operation[], send: Send): void {
    for (const operation of batch) {
      if (operation.settled) continue;
      this.#operations.push(recordOf(operation));
      const action = this.#programme.take(operation);
      if (this.#down) operation.settle({ ok: false, error: this.#down });
      else if (action) action(operation, send);
      else send([operation]);
    }
  }

  #tell(): void {
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }
}

function recordOf({ command, args, key, transaction }: Operation): RecordedOperation {
  return { command, args, key, transaction: transaction?.map(recordOf) };
}

/** Ends an operation by its deadline, and calls `cleanUp` once it is over; the function it gives takes that back. */
function expireInTime(operation: Operation, cleanUp: () => void): () => void {
  const { onEnd } = operation;
  const left = operation.deadline - performance.now();
  const timer =
    left === Infinity
      ? undefined
      : setTimeout(() => operation.settle({ ok: false, error: late(operation, left) }), left);
  operation.onEnd = () => {
    clearTimeout(timer);
    cleanUp();
    onEnd?.();
  };
  return () => {
    clearTimeout(timer);
    operation.onEnd = onEnd;
  };
}

function late({ command, sent, retrySafe }: Operation, timeout: number): ValkeyError {
  const error = new DeadlineError(command, Math.round(timeout));
  return sent && !retrySafe ? new OutcomeUnknownError(command, error) : error;
}

function toBytes(reply: Reply): Reply {
  if (typeof reply === 'string') return Buffer.from(reply);
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(toBytes) : reply;
}
