import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { freePort, until } from '../support/index.js';
import { keep } from '../support/leftovers.js';
import { buildPackage } from './workbench.js';

/** Where the sample's cache keeps a product. */
export function entryOf(id: string): string {
  return `cache:default:1{:product:${id}}`;
}

const OURS = /^(VALKEY|CACHE|REDIS|RATE_LIMIT|AGGRESSIVE|RELAXED)_/;
const running = new Set<Storefront>();

/** Ends what a test left running; for afterEach. */
export async function killStorefronts(): Promise<void> {
  const left = [...running];
  running.clear();
  await Promise.all(left.map((storefront) => storefront.kill()));
}

/** The sample as its users start it: a process of its own, told by variables where its server is. */
export class Storefront {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #log = '';

  private constructor(built: string, port: number, variables: Readonly<Record<string, string>>) {
    const machine = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name)));
    const environment = { ...machine, NODE_ENV: 'development', PORT: String(port), NO_COLOR: '1', ...variables };
    this.#url = `http://127.0.0.1:${port}`;
    this.#process = spawn(process.execPath, [join(built, 'dist', 'sample', 'main.js')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exit = once(this.#process, 'exit');
    const release = keep({ kind: 'process', pid: this.#process.pid as number });
    this.#process.once('exit', release);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#log += chunk.toString('utf8')));
    }
  }

  static async start(variables: Readonly<Record<string, string>> = {}): Promise<Storefront> {
    const started = new Storefront(await buildPackage(), await freePort(), variables);
    running.add(started);
    const isLive = async (): Promise<boolean> =>
      started.#hasEnded() || (await started.get('/health/live')).status === 200;
    await until(isLive, { what: 'the storefront is live', timeout: 15_000, interval: 25 });
    if (started.#hasEnded()) throw new Error(`The storefront did not start:\n${started.log}`);
    return started;
  }

  get log(): string {
    return this.#log;
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(10_000) });
    return { status: response.status, body: await response.json() };
  }

  /** Any request, and its response as it is. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(10_000), ...init });
  }

  /** Statuses of so many requests, one after the other, and the last response. */
  async knock(
    path: string,
    times: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly statuses: readonly number[]; readonly last: Response }> {
    const statuses: number[] = [];
    let last = Response.error();
    for (let made = 0; made < times; made += 1) {
      last = await fetch(`${this.#url}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
      statuses.push(last.status);
    }
    return { statuses, last };
  }

  async text(path: string): Promise<string> {
    return (await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(10_000) })).text();
  }

  async put(path: string, body: unknown): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${this.#url}${path}`, { method: 'PUT', headers, body: JSON.stringify(body) })).status;
  }

  /** @returns its exit code, `null` when a signal ended it. */
  async end(): Promise<unknown> {
    this.#process.kill('SIGTERM');
    const [code] = await this.#exit;
    return code;
  }

  async kill(): Promise<void> {
    if (this.#hasEnded()) return;
    this.#process.kill('SIGKILL');
    await this.#exit;
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
