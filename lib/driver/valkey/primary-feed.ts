import { ClientClosedError, ConnectionError } from '../../core/errors.js';
import type { ValkeyError } from '../../core/errors.js';
import { formatAddress } from '../../options/address.js';
import type { Address } from '../../options/settings.js';
import { toConnectError } from './connect-error.js';
import { Connection } from './connection.js';
import type { SharedPlan } from './plan.js';
import { reconnectDelay } from './reconnect-delay.js';
import { isPrimary } from './role.js';

/** Where a server that speaks RESP2 tells which keys have changed. */
const INVALIDATIONS = '__redis__:invalidate';
/** Milliseconds between two PINGs, and how long the answer to one may take: what is told later than that is too late. */
const HEARTBEAT = 500;

/** What a feed needs to know. */
export interface PrimaryFeedPlan {
  readonly connection: SharedPlan;
  readonly address: Address;
  /** What keys begin with; none of them begins with another. */
  readonly prefixes: readonly string[];
  /** Whether a server that says it is a replica must not be used. */
  readonly primaryOnly: boolean;
}

/** What a feed tells. */
export interface PrimaryFeedEvents {
  /** From now on it tells every change. */
  onConfirmed(): void;
  /** It does not any more, or an attempt to begin has failed. It goes on trying. */
  onLost(reason: ValkeyError): void;
  /** Keys have changed; `null` means all. */
  onChange(keys: readonly Buffer[] | null): void;
}

/**
 * Hears from one server which keys change. A connection that has subscribed takes no further commands, so each attempt
 * has one of its own.
 */
export class PrimaryFeed {
  readonly #plan: PrimaryFeedPlan;
  readonly #events: PrimaryFeedEvents;
  #connection: Connection | undefined;
  #confirmed = false;
  #closed = false;
  /** Since it was confirmed last: a server that refuses is not asked at once again, although it can be reached. */
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** Whether a PING has no answer yet. */
  #owed = false;

  constructor(plan: PrimaryFeedPlan, events: PrimaryFeedEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#start();
  }

  /** Whether every change is told. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  close(): void {
    this.#closed = true;
    this.#confirmed = false;
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    this.#connection?.close(new ClientClosedError());
  }

  #start(): void {
    const { connection: shared, address, primaryOnly } = this.#plan;
    const connection: Connection = new Connection(
      {
        ...shared,
        lane: 'tracking',
        reconnect: false,
        address: () => address,
        ...(primaryOnly ? { greeting: () => [['ROLE']], accept: refuseReplica } : {}),
      },
      {
        onState: (state) => {
          if (state.kind === 'ready') void this.#begin(connection);
          else if (state.kind === 'closed') this.#onEnd(state.reason);
        },
      },
    );
    connection.redis.on('messageBuffer', (_channel: Buffer, payload: unknown) => this.#hear(payload));
    this.#connection = connection;
    // Its end is told by onState.
    connection.open().catch(() => undefined);
  }

  /** The server sends what changes to this very connection, which has to be a subscriber to get it. */
  async #begin(connection: Connection): Promise<void> {
    const prefixes = this.#plan.prefixes.flatMap((prefix) => ['PREFIX', prefix]);
    try {
      const id = String(await connection.raw('CLIENT', 'ID'));
      await Promise.all([
        connection.raw('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes),
        connection.raw('SUBSCRIBE', INVALIDATIONS),
      ]);
    } catch (error) {
      connection.close(toConnectError(error, formatAddress(this.#plan.address)));
      return;
    }
    if (connection.state.kind !== 'ready') return;
    this.#attempts = 0;
    this.#confirmed = true;
    this.#owed = false;
    this.#heartbeat = setInterval(() => this.#beat(connection), HEARTBEAT).unref();
    this.#events.onConfirmed();
  }

  #beat(connection: Connection): void {
    if (!this.#owed) {
      this.#owed = true;
      connection.raw('PING').then(
        () => (this.#owed = false),
        () => undefined,
      );
      return;
    }
    // If it was this process that had no time, the answer is waiting to be read: sockets come before immediates.
    setImmediate(() => {
      if (this.#owed) connection.close(silent(this.#plan.address));
    });
  }

  #hear(payload: unknown): void {
    if (this.#confirmed) this.#events.onChange(Array.isArray(payload) ? (payload as readonly Buffer[]) : null);
  }

  #onEnd(reason: ValkeyError): void {
    clearInterval(this.#heartbeat);
    this.#confirmed = false;
    if (this.#closed) return;
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#start(), reconnectDelay(this.#attempts, reason)).unref();
    this.#events.onLost(reason);
  }
}

function refuseReplica([role]: readonly unknown[]): void {
  if (!isPrimary(role))
    throw new ConnectionError('The server is a replica now, and who follows it hears of changes late.');
}

function silent(address: Address): ConnectionError {
  const subject = formatAddress(address);
  return new ConnectionError(`${subject} did not answer a PING on the tracking connection within ${HEARTBEAT} ms.`, {
    subject,
  });
}
