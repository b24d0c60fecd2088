import { Redis } from 'iovalkey';
import type { Command } from 'iovalkey';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { ClientClosedError, ConnectionError, OutcomeUnknownError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import { toReplyError } from '../../core/reply-error.js';
import type { Address, Credentials } from '../../options/settings.js';
import type { Operation, Outcome } from '../driver.js';
import { toConnectError } from './connect-error.js';
import { reconnectDelay } from './reconnect-delay.js';
import { readReply, WireCommand } from './wire-command.js';
import type { WireListener } from './wire-command.js';

/** What a connection needs to know; functions are asked anew at each attempt. */
export interface ConnectionPlan {
  /** Where to connect; rejects when nobody can tell at the moment (sentinels away). */
  readonly address: () => Promise<Address> | Address;
  readonly credentials: () => Promise<Credentials | undefined> | Credentials | undefined;
  readonly tls: TlsOptions | undefined;
  readonly db: number;
  /** Milliseconds for one attempt: address, TCP, TLS, AUTH and SELECT together. */
  readonly dialTimeout: number;
  /** Commands to send after AUTH; an error answer fails the attempt. */
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
export class Connection {
  readonly redis: Redis;
  readonly #plan: ConnectionPlan;
  readonly #events: ConnectionEvents;
  /** Scripts this socket's server has run since the socket is open. */
  #scripts = new Set<string>();
  #state: ConnectionState = { kind: 'idle' };
  /** What waits for the attempt under way. */
  #waiting: Operation[] = [];
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastError: Error | undefined;
  #attempt: Promise<void> | undefined;
  /** Commands written and not answered yet. */
  #unanswered = 0;

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
    this.redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.redis.on('end', () => this.#onEnd());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether it is open and owes no answer. */
  get quiet(): boolean {
    return this.#state.kind === 'ready' && this.#unanswered === 0;
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
        this.#write(operations);
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

  /** Sends one raw command of the driver's own and gives the raw answer. */
  raw(command: string, ...args: readonly (string | Buffer)[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#send(command.toLowerCase(), args, { onReply: resolve, onError: reject });
    });
  }

  /** Sends AUTH on the open connection: with refused credentials it goes on under the old ones. */
  async authenticate(credentials: Credentials): Promise<void> {
    if (this.#state.kind !== 'ready') return;
    const { username, password } = credentials;
    try {
      await this.raw('AUTH', ...(username === undefined ? [password] : [username, password]));
    } catch (error) {
      throw toConnectError(error, this.redis.options.host ?? '');
    }
  }

  /** Sends an operation to a node that is taking over its slot: ASKING lets it in once. */
  sendAsking(operation: Operation): void {
    if (this.#state.kind === 'ready') this.#send('asking', [], { onReply: ignore, onError: ignore });
    this.send([operation]);
  }

  /** Cuts the socket; what is in flight ends with an unknown outcome, and a reconnecting connection reconnects. */
  drop(): void {
    this.redis.disconnect();
    this.redis.stream?.destroy();
  }

  /** Closes it for good. */
  close(reason: ValkeyError = new ClientClosedError()): void {
    if (this.#state.kind === 'closed') return;
    clearTimeout(this.#timer);
    this.#enter({ kind: 'closed', reason });
    this.#failWaiting(reason);
    this.drop();
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#enter({ kind: 'connecting' });
    this.#attempt = this.#connect();
    return this.#attempt;
  }

  async #connect(): Promise<void> {
    this.#lastError = undefined;
    const giveUp = AbortSignal.timeout(this.#plan.dialTimeout);
    giveUp.addEventListener('abort', this.#onDialTimeout, { once: true });
    try {
      const [address, credentials] = await Promise.all([this.#plan.address(), this.#plan.credentials()]);
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
      giveUp.removeEventListener('abort', this.#onDialTimeout);
    }
    this.#attempts = 0;
    this.#scripts.clear();
    this.#enter({ kind: 'ready' });
    const waiting = this.#waiting;
    this.#waiting = [];
    this.send(waiting);
  }

  readonly #onDialTimeout = (): void => {
    this.#lastError ??= Object.assign(new Error(`no connection within ${this.#plan.dialTimeout} ms`), {
      code: 'ETIMEDOUT',
    });
    this.drop();
  };

  /** AUTH, SELECT and the plan's own greeting go out together, before any command of a caller. */
  async #greet(credentials: Credentials | undefined): Promise<void> {
    const hello: (readonly string[])[] = [];
    if (credentials) {
      const { username, password } = credentials;
      hello.push(username === undefined ? ['AUTH', password] : ['AUTH', username, password]);
    }
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

  #onFailedAttempt(reason: ValkeyError): void {
    if (this.#state.kind === 'closed') return;
    this.drop();
    this.#retryLater(reason);
  }

  /** The socket is gone. During an attempt the attempt itself notices. */
  #onEnd(): void {
    if (this.#state.kind !== 'ready') return;
    const reason = new ConnectionError('The connection to the server was lost. It is being opened again.', {
      cause: this.#lastError,
    });
    this.#retryLater(reason);
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
    this.#state = state;
    this.#events.onState?.(state, this);
  }

  /**
   * A large batch goes out in one write. A small one is streamed: the server answers the first command while the next
   * is still being written, and that overlap is worth more than the saved system calls.
   */
  #write(operations: readonly Operation[]): void {
    const { stream } = this.redis;
    const inOneWrite = operations.length >= ONE_WRITE;
    if (inOneWrite) stream.cork();
    for (const operation of operations) this.#dispatch(operation);
    if (inOneWrite) stream.uncork();
  }

  #dispatch(operation: Operation): void {
    if (operation.settled) return;
    operation.sent = true;
    if (operation.transaction) this.#dispatchTransaction(operation, operation.transaction);
    else if (operation.script) this.#dispatchScript(operation, operation.script.sha, operation.script.lua);
    else this.#send(operation.command.toLowerCase(), operation.args, new Answer(this, operation));
  }

  /** The text goes out the first time a socket sees a script, its SHA from then on. */
  #dispatchScript(operation: Operation, sha: string, lua: string): void {
    const known = this.#scripts.has(sha) && operation.command !== 'EVAL';
    this.#scripts.add(sha);
    const args = [known ? sha : lua, ...operation.args.slice(1)];
    this.#send(known ? 'evalsha' : 'eval', args, new Answer(this, operation));
  }

  #dispatchTransaction(operation: Operation, commands: readonly Operation[]): void {
    const listener = new TransactionAnswer(this, operation);
    this.#send('multi', [], listener.queued);
    for (const command of commands) {
      // The whole text of a script: NOSCRIPT inside MULTI would let the rest of the transaction commit without it.
      if (command.script) this.#send('eval', [command.script.lua, ...command.args.slice(1)], listener.queued);
      else this.#send(command.command.toLowerCase(), command.args, listener.queued);
    }
    this.#send('exec', [], listener);
  }

  #send(name: string, args: readonly (string | Buffer)[], listener: WireListener): void {
    this.#unanswered += 1;
    // sendCommand needs no more of a command than WireCommand has; its type asks for the whole class.
    this.redis.sendCommand(new WireCommand(name, args, listener, this.#onAnswered) as unknown as Command);
  }

  readonly #onAnswered = (): void => {
    this.#unanswered -= 1;
  };

  /** @internal */
  settleError(operation: Operation, error: Error): void {
    if (!isServerError(error)) {
      operation.settle({ ok: false, error: new OutcomeUnknownError(operation.command, this.#lastError) });
      return;
    }
    if (operation.script && error.message.startsWith('NOSCRIPT')) {
      this.#scripts.delete(operation.script.sha);
      this.send([operation]);
      return;
    }
    if (this.#events.onServerError?.(operation, error, this)) return;
    operation.settle({ ok: false, error: toReplyError(error.message, operation.command) });
  }
}

/** Hears the answer to one operation. */
class Answer implements WireListener {
  constructor(
    readonly connection: Connection,
    readonly operation: Operation,
  ) {}

  onReply(raw: unknown): void {
    const { operation } = this;
    if (!operation.settled) operation.settle(decode(raw, operation));
  }

  onError(error: Error): void {
    if (!this.operation.settled) this.connection.settleError(this.operation, error);
  }
}

/** Hears EXEC's answer, and the errors with which commands were refused while queueing. */
class TransactionAnswer implements WireListener {
  #refusal: Error | undefined;

  constructor(
    readonly connection: Connection,
    readonly operation: Operation,
  ) {}

  readonly queued: WireListener = {
    onReply: ignore,
    onError: (error) => {
      this.#refusal ??= error;
    },
  };

  onReply(raw: unknown): void {
    if (!this.operation.settled) this.operation.settle(decodeTransaction(raw, this.operation));
  }

  onError(error: Error): void {
    if (this.operation.settled) return;
    // EXECABORT only says that something was wrong; what it was, the refusal of the single command says.
    const cause = isServerError(error) && this.#refusal ? this.#refusal : error;
    this.connection.settleError(this.operation, cause);
  }
}

function decode(raw: unknown, operation: Operation): Outcome {
  try {
    return {
      ok: true,
      value: readReply(raw, operation.binary, (error) => toReplyError(error.message, operation.command)),
    };
  } catch (error) {
    return { ok: false, error: toConnectError(error, operation.command) };
  }
}

function decodeTransaction(raw: unknown, operation: Operation): Outcome {
  if (!Array.isArray(raw)) return decode(raw, operation);
  const commands = operation.transaction ?? [];
  const replies = raw.map((item: unknown, index) => {
    const command = commands[index];
    return readReply(item, command?.binary ?? false, (error) =>
      toReplyError(error.message, command?.command ?? 'EXEC'),
    );
  });
  return { ok: true, value: replies };
}

function isServerError(error: Error): boolean {
  return error.name === 'ReplyError';
}

function fail(operations: readonly Operation[], error: ValkeyError): void {
  for (const operation of operations) if (!operation.settled) operation.settle({ ok: false, error });
}

function ignore(): void {
  // Whoever wants to know asks state or hears onState.
}

/** From this many operations on, a batch is one write. */
const ONE_WRITE = 16;
/** First keep-alive probe after this many milliseconds of silence. */
const KEEP_ALIVE = 10_000;
/** How long a socket may take to close before it is destroyed. */
const DISCONNECT = 100;
