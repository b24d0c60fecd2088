import type { Address } from '../../options/settings.js';
import type { Delivery, SubscriptionRequest } from '../driver.js';
import { toConnectError } from './connect-error.js';
import { Connection } from './connection.js';
import type { ConnectionPlan } from './connection.js';

type Kind = SubscriptionRequest['kind'];
type Listeners = Map<string, Set<SubscriptionRequest['deliver']>>;

const SUBSCRIBE: Readonly<Record<Kind, string>> = { channel: 'SUBSCRIBE', pattern: 'PSUBSCRIBE' };
const UNSUBSCRIBE: Readonly<Record<Kind, string>> = { channel: 'UNSUBSCRIBE', pattern: 'PUNSUBSCRIBE' };

/** The one connection that listens for a client; what is subscribed is subscribed again whenever it reopens. */
export class Subscriber {
  readonly #plan: ConnectionPlan;
  readonly #listeners: Readonly<Record<Kind, Listeners>> = { channel: new Map(), pattern: new Map() };
  #connection: Connection | undefined;

  constructor(plan: ConnectionPlan) {
    this.#plan = plan;
  }

  /** Resolves once the server has confirmed; the function it gives ends the subscription. */
  async subscribe({ kind, names, deliver }: SubscriptionRequest): Promise<() => Promise<void>> {
    const listeners = this.#listeners[kind];
    for (const name of names) listeners.set(name, (listeners.get(name) ?? new Set()).add(deliver));
    const stop = (): Promise<void> => this.#unsubscribe(kind, names, deliver);
    try {
      const connection = await this.#open();
      // Also for names that others have asked for already: their confirmation may still be on its way.
      await connection.raw(SUBSCRIBE[kind], ...names);
    } catch (error) {
      await stop();
      const state = this.#connection?.state;
      throw state?.kind === 'closed' ? state.reason : toConnectError(error, 'the server for subscriptions');
    }
    return stop;
  }

  /** A listener on any other server than this one is moved: dropped, it reopens where the plan says now. */
  follow({ host, port }: Address): void {
    const { options } = this.#connection?.redis ?? {};
    if (options && (options.host !== host || options.port !== port)) this.#connection?.drop();
  }

  close(): void {
    this.#connection?.close();
  }

  async #open(): Promise<Connection> {
    this.#connection ??= this.#connect();
    await this.#connection.open();
    return this.#connection;
  }

  #connect(): Connection {
    const connection = new Connection(this.#plan, {
      onState: (state) => {
        if (state.kind === 'ready') void this.#resubscribe(connection);
      },
    });
    connection.redis.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
      const name = channel.toString();
      this.#deliver('channel', name, { channel: name, pattern: undefined, payload });
    });
    connection.redis.on('pmessageBuffer', (pattern: string | Buffer, channel: Buffer, payload: Buffer) => {
      const name = pattern.toString();
      this.#deliver('pattern', name, { channel: channel.toString(), pattern: name, payload });
    });
    return connection;
  }

  async #resubscribe(connection: Connection): Promise<void> {
    try {
      for (const kind of ['channel', 'pattern'] as const) {
        const names = [...this.#listeners[kind].keys()];
        if (names.length > 0) await connection.raw(SUBSCRIBE[kind], ...names);
      }
    } catch {
      // Half a subscription is worse than none: start over.
      connection.drop();
    }
  }

  async #unsubscribe(kind: Kind, names: readonly string[], deliver: SubscriptionRequest['deliver']): Promise<void> {
    const listeners = this.#listeners[kind];
    const silent = names.filter((name) => {
      const deliveries = listeners.get(name);
      deliveries?.delete(deliver);
      if (deliveries?.size !== 0) return false;
      return listeners.delete(name);
    });
    const connection = this.#connection;
    if (silent.length === 0 || connection?.state.kind !== 'ready') return;
    // Losing the connection meanwhile unsubscribes as well.
    await connection.raw(UNSUBSCRIBE[kind], ...silent).catch(() => undefined);
  }

  #deliver(kind: Kind, name: string, delivery: Delivery): void {
    for (const deliver of this.#listeners[kind].get(name) ?? []) deliver(delivery);
  }
}
