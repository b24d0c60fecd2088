import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { findEngine } from './binaries.js';
import { keep } from './leftovers.js';

/** Signals a test sends to a server. */
export type Signal = 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL';

/** A server process, on this machine or in a container. */
export interface Launched {
  /** The process id; with Docker that of its client. */
  readonly pid: number;
  /** True once the process has ended. */
  hasExited(): boolean;
  /** Settles when the process has ended. */
  readonly exited: Promise<void>;
  signal(signal: Signal): void;
}

/** Runs `valkey-server` with `args`; its output goes to `log`. `dir` is the only directory it sees under Docker. */
export function launch(args: readonly string[], dir: string, log: string): Launched {
  const engine = findEngine();
  if (engine.kind === 'none') throw new Error(engine.reason);
  const container =
    engine.kind === 'docker' ? `nestjs-valkey-${process.pid}-${dir.slice(-6)}-${Date.now()}` : undefined;
  const [program, ...words] =
    engine.kind === 'docker' ? dockerCommand(engine.image, container ?? '', dir, args) : [engine.server, ...args];
  const libraries = engine.kind === 'binary' && engine.libraries ? { LD_LIBRARY_PATH: engine.libraries } : {};

  const output = openSync(log, 'a');
  const child = spawn(program ?? '', words, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...libraries },
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start; see ${log}`);

  const releases = [keep({ kind: 'process', pid })];
  if (container) releases.push(keep({ kind: 'container', name: container }));
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      for (const release of releases) release();
      resolve();
    });
  });
  return {
    pid,
    exited,
    hasExited: () => ended,
    signal: (signal) => {
      if (container) spawnSync('docker', ['kill', `--signal=${signal}`, container]);
      else child.kill(signal);
    },
  };
}

// The host's network, because cluster nodes and sentinels tell clients the address they listen on.
function dockerCommand(image: string, name: string, dir: string, args: readonly string[]): string[] {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const run = ['docker', 'run', '--rm', '--network', 'host', '--name', name, '--user', user, '-v', `${dir}:${dir}`];
  return [...run, '--entrypoint', 'valkey-server', image, ...args];
}
