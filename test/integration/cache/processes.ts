import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { keep } from '../../support/index.js';
import { compileLibrary, compileModule } from '../compiled-library.js';
import type { CompiledLibrary } from '../compiled-library.js';
import type { FromWorker, Outcome, Setup, ToWorker, Work } from './worker-protocol.js';

/** A load a process asks for. */
export interface LoadRequest {
  readonly key: string;
  /** Whether it is the method of a `put`, which changes the data. */
  readonly isPut: boolean;
  readonly process: CacheProcess;
}

/** A process of its own with caches in it. */
export interface CacheProcess {
  readonly pid: number;
  /** Its answer to one question; what it rejects with has the `code` it had there. */
  ask<K extends keyof Work>(work: K, ...args: Parameters<Work[K]>): ReturnType<Work[K]>;
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
}

/** Starts processes that have the compiled library. */
export interface Processes {
  start(setup: Partial<Setup> & Pick<Setup, 'client'>, load: (request: LoadRequest) => unknown): Promise<CacheProcess>;
  /** Ends those that were started. */
  end(): Promise<void>;
  /** Ends all, and removes the library. */
  remove(): Promise<void>;
}

/** Compiles the library once for many processes. */
export function processes(): Processes {
  const library: CompiledLibrary = compileLibrary();
  const module = join(library.folder, 'worker.js');
  compileModule('test/integration/cache/worker.ts', module);
  const running = new Set<RunningProcess>();
  const end = async (): Promise<void> => {
    await Promise.all(Array.from(running, (one) => one.end()));
    running.clear();
  };
  return {
    start: async (setup, load) => {
      const started = new RunningProcess(module, load);
      running.add(started);
      await started.begin({ caching: {}, clock: 0, ...setup });
      return started;
    },
    end,
    remove: async () => {
      await end();
      library.remove();
    },
  };
}

class RunningProcess implements CacheProcess {
  readonly #child: ChildProcess;
  readonly #questions = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #exited: Promise<unknown>;
  #asked = 0;

  constructor(module: string, load: (request: LoadRequest) => unknown) {
    this.#child = fork(module, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const gone = keep({ kind: 'process', pid: this.pid });
    this.#exited = once(this.#child, 'exit').then(() => {
      gone();
      for (const question of this.#questions.values()) question.reject(new Error('The process has ended.'));
      this.#questions.clear();
    });
    this.#child.on('message', (message: FromWorker) => {
      if (message.kind === 'done') this.#answered(message.id, message);
      if (message.kind === 'load') void this.#load(message.id, () => load({ ...message, process: this }));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async begin(setup: Setup): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#child.on('message', (message: FromWorker) => message.kind === 'ready' && resolve());
    });
    this.#send({ kind: 'setup', setup });
    await Promise.race([
      ready,
      this.#exited.then(() => {
        throw new Error('The process has ended.');
      }),
    ]);
  }

  ask<K extends keyof Work>(work: K, ...args: Parameters<Work[K]>): ReturnType<Work[K]> {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<unknown>((resolve, reject) => this.#questions.set(id, { resolve, reject }));
    this.#send({ kind: 'ask', id, work, args });
    return answer as ReturnType<Work[K]>;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #answered(id: number, outcome: Outcome): void {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    if ('error' in outcome) question?.reject(Object.assign(new Error(outcome.error), { code: outcome.code }));
    else question?.resolve(outcome.value);
  }

  async #load(id: number, load: () => unknown): Promise<void> {
    try {
      this.#send({ kind: 'loaded', id, value: await load() });
    } catch (error) {
      this.#send({ kind: 'loaded', id, error: (error as Error).message });
    }
  }

  #send(message: ToWorker): void {
    // One that was killed hears nothing more.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
