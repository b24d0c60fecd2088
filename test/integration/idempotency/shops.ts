import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { keep } from '../../support/index.js';
import { compileLibrary, compileModule } from '../compiled-library.js';
import type { FromShop, ShopSetup, ToShop } from './shop-protocol.js';

/** What a shop answered. */
export interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

/** Does an order. A promise it gives keeps the handler waiting. */
export type Fulfil = (body: unknown, shop: Shop) => unknown;

/** Starts shops that have the compiled library. */
export interface Shops {
  start(setup: Partial<ShopSetup> & Pick<ShopSetup, 'client'>, fulfil: Fulfil): Promise<Shop>;
  /** Ends those that were started. */
  end(): Promise<void>;
  /** Ends all, and removes the library. */
  remove(): Promise<void>;
}

/** Compiles the library once for many processes. */
export function shops(): Shops {
  const library = compileLibrary();
  const module = join(library.folder, 'worker.js');
  compileModule('test/integration/idempotency/worker.ts', module);
  const running = new Set<Shop>();
  const end = async (): Promise<void> => {
    await Promise.all(Array.from(running, (shop) => shop.end()));
    running.clear();
  };
  return {
    start: async (setup, fulfil) => {
      const shop = new Shop(module, fulfil);
      running.add(shop);
      await shop.open({ framework: 'Fastify', idempotency: {}, ...setup });
      return shop;
    },
    end,
    remove: async () => {
      await end();
      library.remove();
    },
  };
}

/** A process of its own that takes orders over HTTP. */
export class Shop {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #fulfil: Fulfil;
  #url = '';
  /** What became of its calls, and how often. */
  readonly events: Record<string, number> = {};
  readonly rejections: string[] = [];

  constructor(module: string, fulfil: Fulfil) {
    this.#fulfil = fulfil;
    this.#child = fork(module, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const gone = keep({ kind: 'process', pid: this.#child.pid as number });
    this.#exited = once(this.#child, 'exit').then(gone);
    this.#child.on('message', (message: FromShop) => {
      if (message.kind === 'work') void this.#work(message.id, message.body);
      if (message.kind === 'event') this.events[message.outcome] = (this.events[message.outcome] ?? 0) + 1;
      if (message.kind === 'rejection') this.rejections.push(message.text);
    });
  }

  async open(setup: ShopSetup): Promise<void> {
    const ready = new Promise<string>((resolve) => {
      this.#child.on('message', (message: FromShop) => message.kind === 'ready' && resolve(message.url));
    });
    this.#send({ kind: 'setup', setup });
    const ended = this.#exited.then((): string => {
      throw new Error('The process has ended.');
    });
    this.#url = await Promise.race([ready, ended]);
  }

  async order(key: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
    const response = await fetch(`${this.#url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(30_000),
    });
    return {
      status: response.status,
      replayed: response.headers.get('idempotency-replayed') === 'true',
      retryAfter: response.headers.get('retry-after'),
      body: await response.json(),
    };
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #work(id: number, body: unknown): Promise<void> {
    this.#send({ kind: 'worked', id, answer: await this.#fulfil(body, this) });
  }

  #send(message: ToShop): void {
    // One that was killed hears nothing more.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
