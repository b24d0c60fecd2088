import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { keep } from '../support/leftovers.js';

/** The project's own folder. */
export const ROOT = resolve(import.meta.dirname, '..', '..');

/** What a program left behind. */
export interface Ran {
  readonly code: number | null;
  /** Its standard output and error in one. */
  readonly output: string;
}

/** Runs a program to its end; a failure is a result, not an exception. */
export function run(cwd: string, program: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((settle, reject) => {
    // Colours would stand between a test and the words it looks for.
    const environment = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
    const child = spawn(program, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => settle({ code, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** A tool of the project's own node_modules. */
export function tool(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** A folder that is gone after the run, however it ends. */
export function scratchFolder(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `nestjs-valkey-${name}-`));
  const release = keep({ kind: 'directory', path });
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true });
      release();
    },
  };
}

/** What the checks look at and are configured by. */
const PROJECT = [
  'lib',
  'sample',
  'docs/api',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.dependency-cruiser.mjs',
  '.oxlintrc.json',
  '.prettierrc.json',
  '.prettierignore',
] as const;

/** Copies the project, without tests, to a place where it may be broken. */
export function copyProject(into: string): void {
  for (const part of PROJECT) cpSync(join(ROOT, part), join(into, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(into, 'node_modules'));
}

/** Builds older than this many milliseconds are cleared away. */
const STALE = 24 * 60 * 60 * 1000;

/**
 * The package as it would be published, with the sample beside it: `package.json` and `dist`, compiled from the sources
 * as they are now. One build serves every run until a source changes, and no run disturbs another's.
 */
export async function buildPackage(): Promise<string> {
  const builds = join(ROOT, '.cache', 'e2e');
  mkdirSync(builds, { recursive: true });
  const target = join(builds, `build-${fingerprint()}`);
  clearStale(builds, target);
  if (existsSync(target)) {
    utimesSync(target, new Date(), new Date());
    return target;
  }
  const draft = mkdtempSync(join(builds, 'draft-'));
  const { output } = await run(ROOT, tool('tsc'), '-p', 'tsconfig.build.json', '--outDir', join(draft, 'dist'));
  // Errors of types are the business of check:types; here counts what runs.
  if (!existsSync(join(draft, 'dist', 'lib', 'index.js'))) throw new Error(`The build failed:\n${output}`);
  cpSync(join(ROOT, 'package.json'), join(draft, 'package.json'));
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another run was faster.
    if (!existsSync(target)) throw error;
  }
  return target;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const folders = ['lib', 'sample'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const sources = folders.filter((path) => path.endsWith('.ts')).toSorted();
  sources.push('package.json', 'tsconfig.json', 'tsconfig.build.json');
  for (const source of sources)
    hash
      .update(source)
      .update('\0')
      .update(readFileSync(join(ROOT, source)));
  return hash.digest('hex').slice(0, 16);
}

function clearStale(builds: string, current: string): void {
  for (const name of readdirSync(builds)) {
    const build = join(builds, name);
    const age = Date.now() - (statSync(build, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (build !== current && age > STALE) rmSync(build, { recursive: true, force: true });
  }
}
