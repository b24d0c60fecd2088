import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryDirectory } from './leftovers.js';

/** A certificate and its key, as files for a server and as text for a client. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** One authority and what it signed. */
export interface Certificates {
  readonly ca: Certificate;
  /** For localhost and 127.0.0.1. */
  readonly server: Certificate;
  /** For a client, where a server asks for one. */
  readonly client: Certificate;
  /** For localhost and 127.0.0.1, but over since yesterday. */
  readonly expired: Certificate;
  /** Valid, but for `elsewhere.example`. */
  readonly wrongName: Certificate;
  /** Removes the files. */
  remove(): void;
}

const LOOPBACK = 'DNS:localhost,IP:127.0.0.1';

/** Makes the certificates with the `openssl` program, in a temporary directory; about 0.2 s. */
export function makeCertificates(): Certificates {
  const { path: dir, release } = temporaryDirectory('certificates');
  const ca = authority(dir);
  return {
    ca,
    server: signed(dir, 'server', LOOPBACK, 365),
    client: signed(dir, 'client', 'DNS:client.example', 365),
    expired: signed(dir, 'expired', LOOPBACK, -1),
    wrongName: signed(dir, 'wrong-name', 'DNS:elsewhere.example', 365),
    remove() {
      spawnSync('rm', ['-rf', dir]);
      release();
    },
  };
}

function authority(dir: string): Certificate {
  const subject = ['-subj', '/CN=nestjs-valkey test authority', '-days', '365'];
  openssl(dir, ['req', '-x509', ...newKey('ca'), '-out', 'ca.crt', ...subject]);
  return read(dir, 'ca');
}

function signed(dir: string, name: string, names: string, days: number): Certificate {
  writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\n`);
  openssl(dir, ['req', ...newKey(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`]);
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
  openssl(dir, ['x509', '-req', '-in', `${name}.csr`, ...by, '-days', String(days), '-out', `${name}.crt`]);
  return read(dir, name);
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}

function read(dir: string, name: string): Certificate {
  const certFile = join(dir, `${name}.crt`);
  const keyFile = join(dir, `${name}.key`);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function openssl(cwd: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${error?.message ?? stderr}`, { cause: error });
}
