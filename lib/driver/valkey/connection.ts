import { Redis } from 'iovalkey';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { ClientClosedError, ConnectionError, OutcomeUnknownError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import { events } from '../../core/events.js';
import type { ClientIdentity, ConnectionEvent, ConnectionLane } from '../../core/events.js';
import { toReplyError } from '../../core/reply-error.js';
import type { Address, Credentials } from '../../options/settings.js';
import type { Operation } from '../driver.js';
import { isServerError } from './answers.js';
import type { AnswerJudge } from './answers.js';
import { CommandWriter } from './command-writer.js';
import { toConnectError } from './connect-error.js';
import { reconnectDelay } from './reconnect-delay.js';

/** What a connection needs to know; functions are asked anew at each attempt. */
export interface ConnectionPlan {
  /** Where to connect; rejects when nobody can tell at the moment (sentinels away). */
  readonly address: () => Promise<Address> | Address;
  readonly identity: ClientIdentity;
  /** What it is for, as events tell it. */
  readonly lane: ConnectionLane;
  readonly credentials: () => Promise<Credentials | undefined> | Credentials | undefined;
  readonly tls: TlsOptions | undefined;
  readonly db: number;
  /** Milliseconds for one attempt: address, TCP, TLS, AUTH and SELECT together. */
  readonly dialTimeout: number;
  /** Milliseconds of silence after which an unanswered command makes the connection suspicious. */
  readonly stallAfter: number;
  /** Commands to send after AUTH; an error answer fails the attempt. Default: PING. */
  readonly greeting?: () => readonly (readonly string[])[];
  /** Judges the answers to `greeting`; throws when this server must not be used. */
  readonly accept?: (answers: readonly unknown[]) => void;
  /** Whether a lost connection is opened again. Default true; a dedicated connection is not. */
  readonly reconnect?: boolean;
}

/** What happens to a connection. */
export interface ConnectionEvents {
  onState?(state: ConnectionState, connection: Connection): void;
  /**
   * A look at a server's error before the caller gets it. True means it is taken care of: a redirection was followed.
   */
  onServerError?(operation: Operation, error: Error, connection: Connection): boolean;
}

/** What state a connection is in. Commands go out in `ready`, wait in `connecting`, and fail at once otherwise. */
export type ConnectionState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready' }
  /** Between two attempts. */
  | { readonly kind: 'waiting'; readonly reason: ValkeyError }
  | { readonly kind: 'closed'; readonly reason: ValkeyError };

/**
 * One connection to one server, over iovalkey as protocol engine. Opening, AUTH, reconnecting and what becomes of
 * commands when it breaks are decided here: iovalkey's own retry, re-sending and queueing are off, because they apply
 * commands twice or never settle them.
 */
export class Connection implements AnswerJudge {
  readonly redis: Redis;
  readonly #plan: ConnectionPlan;
  readonly #events: ConnectionEvents;
  readonly #writer: CommandWriter;
  #state: ConnectionState = { kind: 'idle' };
  /** What waits for the attempt under way. */
  #waiting: Operation[] = [];
  #attempts = 0;
  /** The socket that was cut last: it may take a moment to be gone. */
  #dropped: unknown;
  #timer: NodeJS.Timeout | undefined;
  /** Runs while it may be that the other side is gone. */
  #doubt: NodeJS.Timeout | undefined;
  #lastError: Error | undefined;
  #attempt: Promise<void> | undefined;
  /** Ends what the attempt under way waits for, when it waits for somebody else than the socket. */
  #giveUp: ((reason: Error) => void) | undefined;
  /** Whether the attempt under way still asks where to go. */
  #asking = false;

  constructor(plan: ConnectionPlan, events: ConnectionEvents = {}) {
    this.#plan = plan;
    this.#events = events;
    this.redis = new Redis({
      lazyConnect: true,
      retryStrategy: null as never,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      stringNumbers: true,
      keepAlive: KEEP_ALIVE,
      noDelay: true,
      connectTimeout: plan.dialTimeout,
      disconnectTimeout: DISCONNECT,
      ...(plan.tls ? { tls: plan.tls } : {}),
    });
    this.#writer = new CommandWriter(this.redis, this);
    this.redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.redis.on('end', () => this.#onEnd());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether it is open, or nothing speaks against opening it: since it was last open, no attempt has failed. */
  get promising(): boolean {
    const { kind } = this.#state;
    return kind === 'ready' || ((kind === 'idle' || kind === 'connecting') && this.#attempts === 0);
  }

  /** Whether it is open and owes no answer. */
  get quiet(): boolean {
    return this.#state.kind === 'ready' && this.#writer.unanswered === 0;
  }

  /** Opens it, or joins the attempt under way. Rejects with the reason when that attempt fails. */
  open(): Promise<void> {
    switch (this.#state.kind) {
      case 'ready':
        return Promise.resolve();
      case 'closed':
        return Promise.reject(this.#state.reason);
      case 'connecting':
        return this.#attempt as Promise<void>;
      default:
        return this.#start();
    }
  }

  /** Sends operations in order. One that finds no usable connection is settled as certainly not executed. */
  send(operations: readonly Operation[]): void {
    switch (this.#state.kind) {
      case 'ready':
        this.#writer.write(operations);
        return;
      case 'idle':
        this.#start().catch(ignore);
        this.#waiting.push(...operations);
        return;
      case 'connecting':
        this.#waiting.push(...operations);
        return;
      case 'waiting':
      case 'closed':
        fail(operations, this.#state.reason);
    }
  }

  /**
   * Sends one raw command of the driver's own and gives the raw answer. A server that leaves it unanswered for as long
   * as an attempt may take is as good as away: the connection is cut.
   */
  raw(command: string, ...args: readonly (string | Buffer)[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { dialTimeout } = this.#plan;
      const timer = setTimeout(() => {
        reject(new ConnectionError(`${command} had no answer within ${dialTimeout} ms.`, { subject: command }));
        this.drop();
      }, dialTimeout);
      const onReply = (reply: unknown): void => {
        clearTimeout(timer);
        resolve(reply);
      };
      const onError = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      this.#writer.raw(command.toLowerCase(), args, { onReply, onError });
    });
  }

  /** Sends AUTH on the open connection. Only for credentials this server has just accepted. */
  async authenticate(credentials: Credentials): Promise<void> {
    if (this.#state.kind !== 'ready') return;
    try {
      await this.raw(...authCommand(credentials));
    } catch (error) {
      throw toConnectError(error, this.redis.options.host ?? '');
    }
  }

  /** Sends an operation to a node that is taking over its slot: ASKING lets it in once. */
  sendAsking(operation: Operation): void {
    if (this.#state.kind !== 'ready') {
      // Without a connection there is nothing ASKING could be written before; a waiting line would forget it.
      this.open().then(
        () => this.sendAsking(operation),
        () => this.send([operation]),
      );
      return;
    }
    this.#writer.raw('asking', [], { onReply: ignore, onError: ignore });
    this.send([operation]);
  }

  /**
   * An operation that was written had no answer by its deadline. Unless something comes before the silence is too long to
   * be an accident, the connection is taken for dead: what is still in its buffers must never run later.
   */
  suspect(): void {
    if (this.#state.kind !== 'ready' || this.#doubt) return;
    const since = performance.now();
    const verdict = (): void => {
      this.#doubt = undefined;
      if (this.#writer.unanswered > 0 && this.#writer.answeredAt < since) this.drop();
    };
    // Never at once: if it was this process that had no time, answers are waiting to be read.
    this.#doubt = setTimeout(verdict, Math.max(1, this.#plan.stallAfter - this.#writer.silence));
    this.#doubt.unref();
  }

  /** Cuts the socket; what is in flight ends with an unknown outcome, and a reconnecting connection reconnects. */
  drop(): void {
    const { stream } = this.redis;
    if (stream && stream === this.#dropped) return;
    this.#dropped = stream;
    // A reset throws away what the other side has not received; a polite end would still deliver it. It has to come before
    // iovalkey's own disconnect(), which ends politely: a socket that is shutting down refuses to be reset and never closes.
    if (stream instanceof Socket && isResettable(stream)) {
      // What resetAndDestroy() sets, without the shutdown it begins with: a socket that is destroyed by anybody else in the
      // middle of that refuses the reset, too, and its handle keeps the process spinning at its end (Node 20.20).
      Object.assign(stream, { resetAndClosing: true });
    }
    stream?.destroy();
    this.redis.disconnect();
  }

  /** Closes it for good. */
  close(reason: ValkeyError = new ClientClosedError()): void {
    if (this.#state.kind === 'closed') return;
    clearTimeout(this.#timer);
    this.#enter({ kind: 'closed', reason });
    this.#failWaiting(reason);
    this.#giveUp?.(reason);
    this.drop();
  }

  /**
   * What an error means for an operation: run it again with its script's text, leave it to somebody who follows it, or
   * tell the caller.
   *
   * @internal
   */
  judge(operation: Operation, error: Error, bySha: boolean): void {
    if (error.message.startsWith(NOT_WRITTEN)) {
      operation.sent = false;
      operation.settle({ ok: false, error: this.#lost() });
    } else if (!isServerError(error)) {
      operation.settle({ ok: false, error: new OutcomeUnknownError(operation.command, this.#lastError) });
    } else if (bySha && operation.script && error.message.startsWith('NOSCRIPT')) {
      this.#writer.forget(operation.script);
      this.send([operation]);
    } else if (!this.#events.onServerError?.(operation, error, this)) {
      operation.settle({ ok: false, error: toReplyError(error.message, operation.command) });
    }
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#enter({ kind: 'connecting' });
    this.#attempt = this.#connect();
    return this.#attempt;
  }

  async #connect(): Promise<void> {
    this.#lastError = undefined;
    const timer = setTimeout(this.#onDialTimeout, this.#plan.dialTimeout);
    try {
      this.#asking = true;
      const [address, credentials] = await this.#destination();
      this.#asking = false;
      this.#refuseClosed();
      this.redis.options.host = address.host;
      this.redis.options.port = address.port;
      await this.redis.connect();
      await this.#greet(credentials);
    } catch (error) {
      const reason = toConnectError(this.#lastError ?? error, `${this.redis.options.host}:${this.redis.options.port}`);
      this.#onFailedAttempt(reason);
      throw reason;
    } finally {
      clearTimeout(timer);
      this.#giveUp = undefined;
    }
    this.#attempts = 0;
    this.#writer.reset();
    this.#enter({ kind: 'ready' });
    const waiting = this.#waiting;
    this.#waiting = [];
    this.send(waiting);
  }

  readonly #onDialTimeout = (): void => {
    const { dialTimeout } = this.#plan;
    this.#lastError ??= this.#asking
      ? new ConnectionError(
          `It was not known within ${dialTimeout} ms where to connect and with which credentials. Check the credentials provider and the sentinels.`,
        )
      : Object.assign(new Error(`no connection within ${dialTimeout} ms`), { code: 'ETIMEDOUT' });
    this.#giveUp?.(this.#lastError);
    this.drop();
  };

  /** Where to go and what to say there. Sentinels and providers can keep us waiting, so the attempt's bound holds here too. */
  #destination(): Promise<[Address, Credentials | undefined]> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      const { address, credentials } = this.#plan;
      Promise.all([asked(address), asked(credentials)]).then(resolve, reject);
    });
  }

  /** AUTH, SELECT and the plan's own greeting go out together, before any command of a caller. */
  async #greet(credentials: Credentials | undefined): Promise<void> {
    const hello: (readonly string[])[] = [];
    if (credentials) hello.push(authCommand(credentials));
    if (this.#plan.db !== 0) hello.push(['SELECT', String(this.#plan.db)]);
    const greeting = this.#plan.greeting?.() ?? [['PING']];
    const answers = await Promise.allSettled(
      [...hello, ...greeting].map(([command, ...args]) => this.raw(command as string, ...args)),
    );
    for (const answer of answers.slice(0, hello.length)) if (answer.status === 'rejected') throw answer.reason;
    const replies = answers.slice(hello.length).map((answer) => {
      if (answer.status === 'fulfilled') return answer.value;
      // A server that is loading or forbids PING is there all the same; commands will hear about it themselves.
      if (/^(LOADING|NOPERM|MASTERDOWN|BUSY)\b/.test((answer.reason as Error).message)) return undefined;
      throw answer.reason;
    });
    this.#refuseClosed();
    this.#plan.accept?.(replies);
  }

  #refuseClosed(): void {
    if (this.#state.kind === 'closed') throw this.#state.reason;
  }

  #publish(before: ConnectionState): void {
    const { identity, lane } = this.#plan;
    const { host, port } = this.redis.options;
    events.connection.publish({
      ...identity,
      lane,
      address: before.kind === 'idle' && this.#state.kind === 'connecting' ? '?' : `${host}:${port}`,
      ...stateWord(this.#state, before, this.#plan.reconnect === false),
    });
  }

  #onFailedAttempt(reason: ValkeyError): void {
    if (this.#state.kind === 'closed') return;
    this.drop();
    this.#retryLater(reason);
  }

  /** The socket is gone. During an attempt the attempt itself notices. */
  #onEnd(): void {
    if (this.#state.kind === 'ready') this.#retryLater(this.#lost());
  }

  #lost(): ConnectionError {
    return new ConnectionError('The connection to the server was lost. It is being opened again.', {
      cause: this.#lastError,
    });
  }

  #retryLater(reason: ValkeyError): void {
    if (this.#plan.reconnect === false) {
      this.#enter({ kind: 'closed', reason });
      this.#failWaiting(reason);
      return;
    }
    this.#enter({ kind: 'waiting', reason });
    this.#failWaiting(reason);
    this.#attempts += 1;
    this.#timer = setTimeout(() => void this.#start().catch(ignore), reconnectDelay(this.#attempts, reason));
    this.#timer.unref();
  }

  #failWaiting(reason: ValkeyError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    fail(waiting, reason);
  }

  #enter(state: ConnectionState): void {
    const before = this.#state;
    this.#state = state;
    clearTimeout(this.#doubt);
    this.#doubt = undefined;
    if (events.connection.active && state.kind !== before.kind) this.#publish(before);
    this.#events.onState?.(state, this);
  }
}

/**
 * The word events use, and why; an attempt that fails and an open connection that is lost are two things. A connection
 * that does not reconnect is closed by both.
 */
function stateWord(
  state: ConnectionState,
  before: ConnectionState,
  once: boolean,
): Pick<ConnectionEvent, 'state' | 'code'> {
  const broken =
    state.kind === 'waiting' || (state.kind === 'closed' && once && !(state.reason instanceof ClientClosedError));
  if (broken) return { state: before.kind === 'ready' ? 'lost' : 'failed', code: state.reason.code };
  return { state: state.kind === 'idle' ? 'connecting' : state.kind, code: undefined };
}

function authCommand({ username, password }: Credentials): [string, ...string[]] {
  return username === undefined ? ['AUTH', password] : ['AUTH', username, password];
}

/** TLS has its own end, and who has begun to shut down cannot be reset any more. */
function isResettable(stream: Socket): boolean {
  return !(stream instanceof TLSSocket) && !stream.connecting && !stream.writableEnded && !stream.destroyed;
}

/** A function of the plan as a promise, also when it throws. */
async function asked<T>(question: () => Promise<T> | T): Promise<T> {
  return question();
}

function fail(operations: readonly Operation[], error: ValkeyError): void {
  for (const operation of operations) if (!operation.settled) operation.settle({ ok: false, error });
}

function ignore(): void {
  // Whoever wants to know asks state or hears onState.
}

/** How iovalkey begins the error for a command it could not write: the socket is closing. */
const NOT_WRITTEN = "Stream isn't writeable";
/** First keep-alive probe after this many milliseconds of silence. */
const KEEP_ALIVE = 10_000;
/** How long a socket may take to close before it is destroyed. */
const DISCONNECT = 100;
