import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { keep } from '../../support/index.js';
import { compileLibrary, compileModule } from '../compiled-library.js';
import type { FromWorker, ToWorker, Work } from './worker-protocol.js';

/** A process of its own with locks in it. */
export interface LockProcess {
  ask<K extends keyof Work>(work: K, ...args: Parameters<Work[K]>): ReturnType<Work[K]>;
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
}

/** Starts processes that have the compiled library. */
export interface LockProcesses {
  start(client: Readonly<Record<string, unknown>>): Promise<LockProcess>;
  /** Ends those that were started. */
  end(): Promise<void>;
  /** Ends all, and removes the library. */
  remove(): Promise<void>;
}

/** Compiles the library once for many processes. */
export function lockProcesses(): LockProcesses {
  const library = compileLibrary();
  const module = join(library.folder, 'worker.js');
  compileModule('test/integration/lock/worker.ts', module);
  const running = new Set<RunningProcess>();
  const end = async (): Promise<void> => {
    await Promise.all(Array.from(running, (one) => one.end()));
    running.clear();
  };
  return {
    start: async (client) => {
      const started = new RunningProcess(module);
      running.add(started);
      await started.begin(client);
      return started;
    },
    end,
    remove: async () => {
      await end();
      library.remove();
    },
  };
}

class RunningProcess implements LockProcess {
  readonly #child: ChildProcess;
  readonly #questions = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #exited: Promise<void>;
  #onReady = (): void => undefined;
  #asked = 0;

  constructor(module: string) {
    this.#child = fork(module, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const gone = keep({ kind: 'process', pid: this.#child.pid as number });
    this.#exited = once(this.#child, 'exit').then(() => {
      gone();
      for (const question of this.#questions.values()) question.reject(new Error('The process has ended.'));
      this.#questions.clear();
    });
    this.#child.on('message', (message: FromWorker) => this.#hear(message));
  }

  async begin(client: Readonly<Record<string, unknown>>): Promise<void> {
    const ready = new Promise<void>((resolve) => (this.#onReady = resolve));
    this.#send({ kind: 'setup', client });
    const ended = this.#exited.then(() => {
      throw new Error('The process has ended.');
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
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

  #hear(message: FromWorker): void {
    if (message.kind === 'ready') {
      this.#onReady();
      return;
    }
    const question = this.#questions.get(message.id);
    this.#questions.delete(message.id);
    if (message.error === undefined) question?.resolve(message.value);
    else question?.reject(new Error(message.error));
  }

  #send(message: ToWorker): void {
    // One that was killed hears nothing more.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
