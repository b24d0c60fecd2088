import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { ConnectionError } from '../../core/errors.js';
import type { ClientIdentity } from '../../core/events.js';
import type { Address, Credentials } from '../../options/settings.js';
import { Connection } from './connection.js';

/** What there is to know about a group of sentinels. */
export interface SentinelPlan {
  readonly sentinels: readonly Address[];
  /** The name of the primary's group. */
  readonly group: string;
  readonly credentials: Credentials | undefined;
  readonly tls: TlsOptions | undefined;
  readonly dialTimeout: number;
  readonly identity: ClientIdentity;
}

const SWITCH = '+switch-master';

/**
 * Asks sentinels who the primary is, and listens to all of them for a switch: an old primary that is merely paused
 * keeps its connections, so waiting for them to break would mean to write to it for as long as it lives.
 */
export class Sentinels {
  readonly #plan: SentinelPlan;
  readonly #onSwitch: () => void;
  readonly #onHeard: () => void;
  readonly #watchers: Connection[] = [];
  /** Opened for one question each. */
  readonly #asking = new Set<Connection>();

  /**
   * @param onSwitch - the primary is another one now
   * @param onHeard - a sentinel can be heard, so that it is time to ask what was said before
   */
  constructor(plan: SentinelPlan, onSwitch: () => void, onHeard: () => void = () => undefined) {
    this.#plan = plan;
    this.#onSwitch = onSwitch;
    this.#onHeard = onHeard;
  }

  /** The primary's address, from the first sentinel that knows one: all are asked at once. */
  primary(): Promise<Address> {
    return this.#askAll(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#plan.group], (answer) => {
      if (!Array.isArray(answer)) throw new ConnectionError(`knows no group "${this.#plan.group}"`);
      return { host: String(answer[0]), port: Number(String(answer[1])) };
    });
  }

  /** The addresses of the replicas that are up. */
  replicas(): Promise<readonly Address[]> {
    return this.#askAll(['SENTINEL', 'REPLICAS', this.#plan.group], (answer) =>
      Array.isArray(answer) ? answer.map(readFields).filter(isUp).map(addressOf) : [],
    );
  }

  /** Starts to listen for switches, on connections that renew themselves. */
  watch(): void {
    if (this.#watchers.length > 0) return;
    for (const sentinel of this.#plan.sentinels) {
      const connection = this.#connect(sentinel, true, (state) => {
        if (state === 'ready') connection.raw('SUBSCRIBE', SWITCH).then(this.#onHeard, () => connection.drop());
      });
      connection.redis.on('message', (_channel: string, message: string) => {
        if (message.startsWith(`${this.#plan.group} `)) this.#onSwitch();
      });
      connection.open().catch(() => undefined);
      this.#watchers.push(connection);
    }
  }

  close(): void {
    for (const connection of [...this.#watchers, ...this.#asking]) connection.close();
    this.#watchers.length = 0;
  }

  async #askAll<T>(question: readonly [string, ...string[]], read: (answer: unknown) => T): Promise<T> {
    try {
      return await Promise.any(this.#plan.sentinels.map((sentinel) => this.#ask(sentinel, question, read)));
    } catch (error) {
      const reasons = error instanceof AggregateError ? error.errors.map(reasonOf) : [reasonOf(error)];
      throw new ConnectionError(
        `No sentinel answered for "${this.#plan.group}": ${reasons.join('; ')}. Check sentinel.nodes and sentinel.name.`,
        { cause: error, subject: 'sentinel' },
      );
    }
  }

  async #ask<T>(
    sentinel: Address,
    [command, ...args]: readonly [string, ...string[]],
    read: (answer: unknown) => T,
  ): Promise<T> {
    const connection = this.#connect(sentinel, false);
    this.#asking.add(connection);
    const timer = setTimeout(() => connection.close(), this.#plan.dialTimeout);
    try {
      await connection.open();
      return read(await connection.raw(command, ...args));
    } finally {
      clearTimeout(timer);
      this.#asking.delete(connection);
      connection.close();
    }
  }

  #connect(sentinel: Address, reconnect: boolean, onState?: (kind: string) => void): Connection {
    const { credentials, tls, dialTimeout, identity } = this.#plan;
    return new Connection(
      {
        address: () => sentinel,
        identity,
        lane: 'sentinel',
        credentials: () => credentials,
        tls,
        db: 0,
        dialTimeout,
        stallAfter: dialTimeout,
        reconnect,
      },
      onState ? { onState: (state) => onState(state.kind) } : {},
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A sentinel lists a server as names and values in turn. */
function readFields(flat: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (!Array.isArray(flat)) return fields;
  for (let index = 0; index + 1 < flat.length; index += 2) fields.set(String(flat[index]), String(flat[index + 1]));
  return fields;
}

function isUp(fields: ReadonlyMap<string, string>): boolean {
  return !/s_down|o_down|disconnected/.test(fields.get('flags') ?? 'disconnected');
}

function addressOf(fields: ReadonlyMap<string, string>): Address {
  return { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
}
