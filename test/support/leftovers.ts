import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { hostProcess } from './host-process.js';

/** Something a test started or made that must not outlive it. */
export type Leftover =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'container'; readonly name: string }
  | { readonly kind: 'directory'; readonly path: string };

const kept = new Set<Leftover>();
let reaper: ChildProcess | undefined;

/**
 * Registers something to be cleared away even if this process is killed. Call the returned function once it is gone.
 */
export function keep(leftover: Leftover): () => void {
  kept.add(leftover);
  tellReaper();
  return () => {
    if (kept.delete(leftover)) tellReaper();
  };
}

/** Makes a registered directory under the machine's temporary one. */
export function temporaryDirectory(name: string): { readonly path: string; readonly release: () => void } {
  const path = mkdtempSync(join(tmpdir(), `nestjs-valkey-${name}-`));
  return { path, release: keep({ kind: 'directory', path }) };
}

/** What is still registered; empty after a test that cleaned up. */
export function leftovers(): readonly Leftover[] {
  return [...kept];
}

/** Clears away whatever is still registered and says what that was. */
export function sweep(): readonly Leftover[] {
  const swept = leftovers();
  if (swept.length > 0) spawnSync('sh', ['-c', clearing()], { stdio: 'ignore' });
  kept.clear();
  tellReaper();
  return swept;
}

/**
 * The reaper is a shell in a session of its own that holds the newest clearing script and runs it when its input ends.
 * Input ends however this process dies, SIGKILL included, so no exit or signal handler is needed (and jest's sandbox
 * would not deliver one).
 */
function tellReaper(): void {
  if (kept.size === 0) {
    reaper?.stdin?.end(':\n');
    reaper = undefined;
    hostProcess.off('disconnect', endWithJest);
    return;
  }
  if (!reaper) {
    reaper = startReaper();
    hostProcess.once('disconnect', endWithJest);
  }
  reaper.stdin?.write(`${clearing()}\n`);
}

/** A jest worker outlives the death of jest itself until its test file is through: nobody waits for that. */
function endWithJest(): void {
  hostProcess.kill(hostProcess.pid, 'SIGKILL');
}

function startReaper(): ChildProcess {
  const script = 'while IFS= read -r line; do newest=$line; done; eval "$newest"';
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  // A pipe's stream is a net.Socket, which the types of ChildProcess do not say; it must not keep jest alive.
  (shell.stdin as unknown as { unref(): void }).unref();
  return shell;
}

function clearing(): string {
  const commands = leftovers().map((leftover) => {
    switch (leftover.kind) {
      case 'process':
        return `kill -9 ${leftover.pid}`;
      case 'container':
        return `docker rm -f '${leftover.name}'`;
      case 'directory':
        return `rm -rf '${leftover.path}'`;
    }
  });
  // Processes first: a running server would write into a directory that is being removed.
  return commands.toSorted((a, b) => Number(a.startsWith('rm')) - Number(b.startsWith('rm'))).join('; ');
}
