import { once } from 'node:events';
import { type Server as NetServer, type Socket, connect, createServer } from 'node:net';

import { Conversation } from './conversation.js';
import { Lane, type Weather } from './lane.js';
import { freePort } from './ports.js';

/** Something that listens: a server of ours or any address. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** Which command a fault is meant for: its name, or a look at all its words. Default: any. */
export type CommandMatch = string | ((command: readonly string[]) => boolean);

/** A TCP proxy that misbehaves on demand. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** `redis://host:port`. */
  readonly url: string;
  /** `host:port`. */
  readonly addr: string;
  /** Live client connections. */
  readonly connections: number;
  /** Client connections ever accepted. */
  readonly accepted: number;
  /** Bytes forwarded so far. */
  readonly bytes: { readonly toServer: number; readonly toClient: number };
  /** Replies swallowed so far. */
  readonly dropped: number;
  /** Holds every reply back for `ms` milliseconds; the server runs commands at once. 0 ends it. */
  delay(ms: number): void;
  /**
   * The classic lost reply: the server runs the next matching command, its reply is swallowed and the connection cut.
   * Happens once. Handshake commands of a client count as commands too: name the one you mean.
   */
  dropReply(match?: CommandMatch): void;
  /** Destroys all live connections; new ones are accepted. */
  cut(): void;
  /** Stops listening: new connections are refused, live ones stay. */
  refuse(): Promise<void>;
  /** Listens again, on the same port. */
  accept(): Promise<void>;
  /**
   * Keeps sockets open, new ones too, and forwards nothing either way until {@link heal}. Bytes wait (`hold`) or are
   * lost (`drop`: what is connected speaks nonsense afterwards, so cut it). Default `hold`.
   */
  blackHole(bytes?: 'hold' | 'drop'): void;
  /** Forwards at most so many bytes every so many milliseconds, each way of each connection. */
  slowBytes(bytesPerTick: number, everyMs: number): void;
  /** Ends delay, slowness, black hole and a reply still waiting to be dropped; held bytes arrive. */
  heal(): void;
  /** Sends new connections elsewhere; live ones stay until {@link cut}. */
  retarget(target: ProxyTarget): void;
  /** Destroys everything and stops listening. */
  close(): Promise<void>;
}

/** Starts a proxy in this process in front of `target`; on a free port of 127.0.0.1, unless `at` says where. */
export async function startFaultProxy(target: ProxyTarget, at?: ProxyTarget): Promise<FaultProxy> {
  const proxy = new RunningProxy(target, at?.port ?? (await freePort()), at?.host);
  await proxy.accept();
  return proxy;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: readonly Lane[];
}

class RunningProxy implements FaultProxy {
  readonly bytes = { toServer: 0, toClient: 0 };
  accepted = 0;
  dropped = 0;
  readonly #links = new Set<Link>();
  readonly #weather: Weather = { delay: 0, slow: undefined, hole: undefined };
  #target: ProxyTarget;
  #doomed: CommandMatch | undefined;
  #listener: NetServer | undefined;

  constructor(
    target: ProxyTarget,
    readonly port: number,
    readonly host = '127.0.0.1',
  ) {
    this.#target = target;
  }

  get addr(): string {
    return `${this.host}:${this.port}`;
  }

  get url(): string {
    return `redis://${this.addr}`;
  }

  get connections(): number {
    return this.#links.size;
  }

  delay(ms: number): void {
    this.#change({ delay: ms });
  }

  dropReply(match: CommandMatch = () => true): void {
    this.#doomed = match;
  }

  cut(): void {
    for (const link of this.#links) this.#destroy(link);
  }

  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    // The close event waits for the live connections; the port itself is given up at once.
    listener?.close();
    await new Promise(setImmediate);
  }

  async accept(): Promise<void> {
    if (this.#listener) return;
    this.#listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#join(client));
    this.#listener.listen(this.port, this.host);
    await once(this.#listener, 'listening');
  }

  blackHole(bytes: 'hold' | 'drop' = 'hold'): void {
    this.#change({ hole: bytes });
  }

  slowBytes(bytesPerTick: number, everyMs: number): void {
    this.#change({ slow: { bytes: bytesPerTick, every: everyMs } });
  }

  heal(): void {
    this.#doomed = undefined;
    this.#change({ delay: 0, slow: undefined, hole: undefined });
  }

  retarget(target: ProxyTarget): void {
    this.#target = target;
  }

  async close(): Promise<void> {
    await this.refuse();
    this.cut();
  }

  #change(change: Partial<Weather>): void {
    Object.assign(this.#weather, change);
    for (const { lanes } of this.#links) for (const lane of lanes) lane.wake();
  }

  #join(client: Socket): void {
    const { host, port } = this.#target;
    const server = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const toServer = new Lane(this.#weather, server, false, (count) => (this.bytes.toServer += count));
    const toClient = new Lane(this.#weather, client, true, (count) => (this.bytes.toClient += count));
    const link: Link = { client, server, lanes: [toServer, toClient] };
    const conversation = new Conversation();
    this.#links.add(link);
    this.accepted++;

    client.on('data', (chunk: Buffer) => {
      conversation.hear(chunk, (command) => this.#takeDoomed(command));
      toServer.push(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const { pass, cut } = conversation.answer(chunk);
      toClient.push(pass);
      if (!cut) return;
      this.dropped++;
      server.destroy();
      toClient.end();
    });
    client.on('end', () => toServer.end());
    server.on('end', () => toClient.end());
    // A black hole swallows the news of a broken connection as well; otherwise the other side hears of it.
    client.on('error', () => this.#destroy(link));
    server.on('error', () => toClient.end());
    client.on('close', () => this.#destroy(link));
  }

  /** Whether this is the command whose reply is to be dropped; says so once. */
  #takeDoomed(command: readonly string[]): boolean {
    const match = this.#doomed;
    if (match === undefined) return false;
    const name = command[0]?.toUpperCase();
    const isMeant = typeof match === 'string' ? name === match.toUpperCase() : match(command);
    if (isMeant) this.#doomed = undefined;
    return isMeant;
  }

  #destroy(link: Link): void {
    if (!this.#links.delete(link)) return;
    for (const lane of link.lanes) lane.stop();
    link.client.destroy();
    link.server.destroy();
  }
}
