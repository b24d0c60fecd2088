import { transformFileSync } from '@swc/core';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Milliseconds after which a process that does not end by itself is killed; its code is then null. */
const LONGEST_RUN = 8_000;

/** What became of a script. */
export interface ScriptRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The library as JavaScript, for processes of their own: in jest's sandbox nobody notices a process that never ends. */
export interface CompiledLibrary {
  /** Where its `index.js` is; a module put beside it can import it. */
  readonly folder: string;
  /** Runs a module that has `createClient` and `resolveSettings` to hand, until it ends by itself. */
  run(body: string): Promise<ScriptRun>;
  remove(): void;
}

/** Compiles `lib` into a folder from which the dependencies can be found. */
export function compileLibrary(): CompiledLibrary {
  const cache = join(process.cwd(), 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'nestjs-valkey-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const file of readdirSync('lib', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    compileModule(join('lib', file), join(folder, file.replace(/\.ts$/, '.js')));
  }
  const library = pathToFileURL(join(folder, 'index.js')).href;
  return {
    folder,
    run: (body) =>
      runModule(
        `import 'reflect-metadata';\nimport { createClient, resolveSettings } from ${JSON.stringify(library)};\n${body}`,
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Compiles one file. */
export function compileModule(source: string, target: string): void {
  const { code } = transformFileSync(source, {
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
    },
    module: { type: 'es6' },
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
}

async function runModule(code: string): Promise<ScriptRun> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_RUN,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { code: status, stdout, stderr };
}
