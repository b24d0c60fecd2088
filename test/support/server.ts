import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Certificates } from './certificates.js';
import { type ConnectionTarget, connectTo } from './connection.js';
import { type Launched, launch } from './launch.js';
import { temporaryDirectory } from './leftovers.js';
import { freePort } from './ports.js';
import type { Argument, Reply } from './resp.js';
import { until } from './until.js';

/** The account the harness itself uses, on every server, so that tests may change any other. Also links replicas. */
export const HARNESS = { user: 'harness', password: 'harness' } as const;

/** How a server speaks TLS. */
export interface ServerTls {
  readonly certificates: Certificates;
  /** Which certificate it shows. Default `server`. */
  readonly identity?: 'server' | 'expired' | 'wrongName';
  /** Whether clients must show a certificate of theirs. Default false. */
  readonly verifyClients?: boolean;
  /** Also listen for plain connections, on {@link Server.plainPort}. Default false. */
  readonly plain?: boolean;
}

/** How to start a server. */
export interface ServerOptions {
  /** Port to listen on. Default: a free one. */
  readonly port?: number;
  /** Further lines of its configuration file; they win over the harness's own. */
  readonly config?: readonly string[];
  /** Password of the default user. Default: none is needed. */
  readonly requirepass?: string;
  /** ACL users: `alice on >secret ~app:* +@all`. */
  readonly users?: readonly string[];
  /** The primary to follow. */
  readonly replicaOf?: { readonly host: string; readonly port: number };
  readonly tls?: ServerTls;
  /** Run as a sentinel. Default false. */
  readonly sentinel?: boolean;
}

/** A running server process. */
export interface Server {
  readonly host: string;
  /** The TLS port if it speaks TLS, otherwise the plain one. */
  readonly port: number;
  /** The plain port, if it has one. */
  readonly plainPort: number | undefined;
  /** Changes with {@link restart}. */
  readonly pid: number;
  /** `redis://` or `rediss://`, with the default user's password. */
  readonly url: string;
  /** `host:port`. */
  readonly addr: string;
  readonly state: 'running' | 'paused' | 'down';
  /** Its working directory. */
  readonly dir: string;
  /** Sends one command, as the harness's own user over a connection of its own; an error reply rejects. */
  command(...words: readonly Argument[]): Promise<Reply>;
  /** The fields of an INFO section. Default: all. */
  info(section?: string): Promise<Readonly<Record<string, string>>>;
  /** Freezes the process: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends the process as a crash would. Its directory stays, for {@link restart}. */
  kill(): Promise<void>;
  /** Ends it orderly if it runs, then starts it with the same port, directory and configuration file. */
  restart(): Promise<void>;
  /** Ends it for good and removes its directory. */
  stop(): Promise<void>;
  /** What it logged so far. */
  log(): string;
}

const HOST = '127.0.0.1';
/** Milliseconds for a server to answer after its start. */
const READY_WITHIN = 15_000;

/** Starts a server on the loopback interface, without persistence, and waits until it answers. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = new ServerProcess(options, options.port ?? (await freePort()), await plainPortOf(options));
    try {
      await server.launch();
      return server;
    } catch (error) {
      const collided = server.log().includes('Address already in use');
      await server.stop();
      // Between the check and the start another process may have taken the port.
      if (!collided || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

/** Starts several servers at once; if one fails the others are stopped. */
export async function startServers(settings: readonly ServerOptions[]): Promise<Server[]> {
  const results = await Promise.allSettled(settings.map((options) => startServer(options)));
  const failed = results.find((result) => result.status === 'rejected');
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (!failed) return servers;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}

async function plainPortOf({ tls }: ServerOptions): Promise<number | undefined> {
  return tls?.plain ? freePort() : undefined;
}

class ServerProcess implements Server {
  readonly host = HOST;
  readonly plainPort: number | undefined;
  readonly #options: ServerOptions;
  readonly #directory = temporaryDirectory('server');
  readonly #config = join(this.#directory.path, 'valkey.conf');
  readonly #log = join(this.#directory.path, 'valkey.log');
  #process: Launched | undefined;
  #paused = false;

  constructor(
    options: ServerOptions,
    readonly port: number,
    plainPort: number | undefined,
  ) {
    this.#options = options;
    this.plainPort = options.tls ? plainPort : port;
    const lines = [...ownLines(options, port, this.plainPort, this.dir), ...(options.config ?? [])];
    writeFileSync(this.#config, `${lines.join('\n')}\n`);
    writeFileSync(this.#log, '');
  }

  get dir(): string {
    return this.#directory.path;
  }

  get pid(): number {
    if (!this.#process) throw new Error(`the server at ${this.addr} was never started`);
    return this.#process.pid;
  }

  get addr(): string {
    return `${this.host}:${this.port}`;
  }

  get url(): string {
    const { tls, requirepass } = this.#options;
    const account = requirepass === undefined ? '' : `:${encodeURIComponent(requirepass)}@`;
    return `${tls ? 'rediss' : 'redis'}://${account}${this.addr}`;
  }

  get state(): 'running' | 'paused' | 'down' {
    if (!this.#process || this.#process.hasExited()) return 'down';
    return this.#paused ? 'paused' : 'running';
  }

  async launch(): Promise<void> {
    this.#paused = false;
    const process = launch([this.#config, ...(this.#options.sentinel ? ['--sentinel'] : [])], this.dir, this.#log);
    this.#process = process;
    await until(async () => process.hasExited() || (await this.#isReady()), {
      what: `the server at ${this.addr} answers`,
      timeout: READY_WITHIN,
      interval: 5,
    });
    if (process.hasExited()) throw new Error(`the server at ${this.addr} did not start:\n${this.log()}`);
  }

  async command(...words: readonly Argument[]): Promise<Reply> {
    const connection = await connectTo(this.#admin());
    try {
      return await connection.send(...words);
    } finally {
      connection.close();
    }
  }

  async info(section = 'everything'): Promise<Readonly<Record<string, string>>> {
    const fields = String(await this.command('INFO', section)).matchAll(/^([^#:\r\n]+):(.*?)\r?$/gm);
    return Object.fromEntries(Array.from(fields, ([, name = '', value = '']) => [name, value]));
  }

  pause(): void {
    this.#paused = true;
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#paused = false;
    this.#process?.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.state === 'down') return;
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
  }

  async restart(): Promise<void> {
    const process = this.#process;
    if (process && this.state !== 'down') {
      process.signal('SIGCONT');
      process.signal('SIGTERM');
      await until(() => process.hasExited(), { what: `the server at ${this.addr} shuts down` });
    }
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
    this.#directory.release();
  }

  log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  // Another process's server could answer on our port while ours is failing to bind it: ask whose it is.
  async #isReady(): Promise<boolean> {
    const { config_file: config, loading = '0' } = await this.info();
    return config === this.#config && loading === '0';
  }

  #admin(): ConnectionTarget {
    const { tls } = this.#options;
    const { ca, client } = tls?.certificates ?? {};
    // The harness looks after servers with bad certificates too.
    const secure = { ca: ca?.cert, cert: client?.cert, key: client?.key, rejectUnauthorized: false };
    return { host: this.host, port: this.port, ...HARNESS, ...(tls ? { tls: secure } : {}) };
  }
}

function ownLines(options: ServerOptions, port: number, plainPort: number | undefined, dir: string): string[] {
  const { tls, users = [], requirepass, replicaOf, sentinel } = options;
  return [
    `bind ${HOST}`,
    `port ${plainPort ?? 0}`,
    `dir ${dir}`,
    `user ${HARNESS.user} on >${HARNESS.password} ~* &* +@all`,
    ...users.map((user) => `user ${user}`),
    ...(requirepass === undefined ? [] : [`requirepass ${requirepass}`]),
    ...(tls ? tlsLines(tls, port) : []),
    ...(sentinel ? [] : dataLines(replicaOf)),
  ];
}

function dataLines(replicaOf: ServerOptions['replicaOf']): string[] {
  return [
    'save ""',
    'appendonly no',
    'enable-debug-command yes',
    // A replica gets its copy at once; an orderly end does not wait for one.
    'repl-diskless-sync-delay 0',
    'shutdown-timeout 0',
    // The names every version knows; those with `primary` came with 8.0.
    `masteruser ${HARNESS.user}`,
    `masterauth ${HARNESS.password}`,
    ...(replicaOf ? [`replicaof ${replicaOf.host} ${replicaOf.port}`] : []),
  ];
}

function tlsLines({ certificates, identity = 'server', verifyClients = false }: ServerTls, port: number): string[] {
  return [
    `tls-port ${port}`,
    `tls-cert-file ${certificates[identity].certFile}`,
    `tls-key-file ${certificates[identity].keyFile}`,
    `tls-ca-cert-file ${certificates.ca.certFile}`,
    `tls-auth-clients ${verifyClients ? 'yes' : 'no'}`,
    'tls-replication yes',
    'tls-cluster yes',
  ];
}
