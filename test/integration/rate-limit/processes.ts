import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Decision, Limits, RateLimiterOptions } from '../../../lib/index.js';
import { keep } from '../../support/index.js';
import { compileLibrary, compileModule } from '../compiled-library.js';

/** How a process of its own is set up. */
export interface Setup {
  readonly client: Readonly<Record<string, unknown>>;
  /** Milliseconds its clock is fast; negative: slow. */
  readonly clock: number;
  readonly limiter: RateLimiterOptions;
}

/** So many calls at once. */
export interface Question {
  readonly id: number;
  readonly subject: string;
  readonly limits: Limits;
  readonly times: number;
  readonly cost: number;
}

export interface Answer {
  readonly id: number;
  readonly decisions: readonly Decision[];
  readonly errors: readonly string[];
  /** Those nobody handled. */
  readonly rejections: readonly string[];
  /** What its clock says. */
  readonly time: number;
}

/** A process of its own with a limiter in it. */
export interface LimiterProcess {
  consume(subject: string, limits: Limits, times: number, cost?: number): Promise<Answer>;
}

/** Starts processes that have the compiled library. */
export interface Processes {
  start(setup: Pick<Setup, 'client'> & Partial<Setup>): Promise<LimiterProcess>;
  /** Ends those that were started, and removes the library. */
  remove(): Promise<void>;
}

/** Compiles the library once for many processes. */
export function processes(): Processes {
  const library = compileLibrary();
  const module = join(library.folder, 'worker.js');
  compileModule('test/integration/rate-limit/worker.ts', module);
  const running = new Set<ChildProcess>();
  const end = async (): Promise<void> => {
    await Promise.all(
      Array.from(running, async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
    running.clear();
  };
  return {
    start: async (setup) => {
      const full: Setup = { clock: 0, limiter: { onStoreDown: 'closed', timeout: '10s' }, ...setup };
      const child = fork(module, [JSON.stringify(full)], {
        execArgv: [],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      running.add(child);
      const gone = keep({ kind: 'process', pid: child.pid as number });
      child.once('exit', gone);
      await answerTo(child, 0);
      let asked = 0;
      return {
        consume: (subject, limits, times, cost = 1) => {
          asked += 1;
          const answer = answerTo(child, asked);
          child.send({ id: asked, subject, limits, times, cost } satisfies Question);
          return answer;
        },
      };
    },
    remove: async () => {
      await end();
      library.remove();
    },
  };
}

function answerTo(child: ChildProcess, id: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const hear = (answer: Answer): void => {
      if (answer.id !== id) return;
      child.off('message', hear);
      child.off('exit', fail);
      resolve(answer);
    };
    const fail = (): void => reject(new Error('The process has ended.'));
    child.on('message', hear);
    child.once('exit', fail);
  });
}
