import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { failureOf, fetchDebianValkey, libraryPath } from './debian-packages.js';

/** What servers are run with. */
export type Engine =
  | {
      readonly kind: 'binary';
      /** Path of `valkey-server`. */
      readonly server: string;
      /** Path of `valkey-cli`. */
      readonly cli: string;
      /** LD_LIBRARY_PATH, where the binary needs one. */
      readonly libraries?: string;
    }
  | { readonly kind: 'docker'; readonly image: string }
  | {
      readonly kind: 'none';
      /** Why there is none and what to do, in one line. */
      readonly reason: string;
    };

const CACHE = fileURLToPath(new URL('../../.cache/valkey', import.meta.url));
const FAILURE_NOTE = `${CACHE}-unavailable.txt`;
/** How long a failed fetch is not repeated, in milliseconds: every test file asks anew. */
const FAILURE_HOLDS = 120_000;
const IMAGE = 'valkey/valkey:8';

let found: Engine | undefined;

/**
 * Finds Valkey, synchronously: `VALKEY_SERVER_BIN`, then the PATH, then the cached or fetched Debian package, then
 * Docker. The first fetch takes a few seconds, every later one nothing.
 */
export function findEngine(): Engine {
  return (found ??= fromEnvironment() ?? fromPath() ?? fromDebian() ?? fromDocker() ?? none());
}

function binary(server: string, libraries?: string): Engine {
  const cli = join(dirname(server), 'valkey-cli');
  return { kind: 'binary', server, cli, ...(libraries ? { libraries } : {}) };
}

function fromEnvironment(): Engine | undefined {
  const server = process.env['VALKEY_SERVER_BIN'];
  if (!server) return undefined;
  if (!existsSync(server))
    throw new Error(`VALKEY_SERVER_BIN names ${server}, which does not exist; correct or unset it`);
  return binary(server);
}

function fromPath(): Engine | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const server = folders.map((folder) => join(folder, 'valkey-server')).find((path) => existsSync(path));
  return server ? binary(server) : undefined;
}

function fromDebian(): Engine | undefined {
  const server = join(CACHE, 'usr/bin/valkey-server');
  // The cache may come from another machine, which had other libraries.
  if (!existsSync(server) || failureOf(CACHE)) {
    if (!existsSync('/etc/debian_version') || recentFailure()) return undefined;
    rmSync(CACHE, { recursive: true, force: true });
    try {
      fetchDebianValkey(CACHE);
    } catch (error) {
      mkdirSync(dirname(CACHE), { recursive: true });
      writeFileSync(FAILURE_NOTE, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
  return binary(server, libraryPath(CACHE));
}

function recentFailure(): string | undefined {
  const note = statSync(FAILURE_NOTE, { throwIfNoEntry: false });
  if (!note || Date.now() - note.mtimeMs > FAILURE_HOLDS) return undefined;
  return readFileSync(FAILURE_NOTE, 'utf8').trim();
}

// Not covered by our own runs, which have no Docker engine: kept as small as it can be.
function fromDocker(): Engine | undefined {
  const { status } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 });
  return status === 0 ? { kind: 'docker', image: IMAGE } : undefined;
}

function none(): Engine {
  const fetch = existsSync('/etc/debian_version') ? (recentFailure() ?? 'failed') : 'this is no Debian system';
  const tried = `VALKEY_SERVER_BIN is not set, PATH has no valkey-server, fetch: ${fetch}, no Docker engine answers`;
  return {
    kind: 'none',
    reason: `no Valkey server (${tried}); install one or set VALKEY_SERVER_BIN to the path of valkey-server`,
  };
}
