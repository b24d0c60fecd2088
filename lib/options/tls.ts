import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Field, type Fields, type Sourced, pick } from './draft.js';
import type { Problems } from './problem.js';
import { REDACTED, guard } from './secret.js';
import type { TlsSettings } from './settings.js';

const AUTHORITY: readonly Field[] = ['ca', 'caFile', 'caBase64'];
const CERTIFICATE: readonly Field[] = ['cert', 'certFile'];
const KEY: readonly Field[] = ['key', 'keyFile'];
const BLOCK = /-----BEGIN [A-Z ]*CERTIFICATE-----[^-]+-----END [A-Z ]*CERTIFICATE-----/g;
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/**
 * Brings TLS down to texts, and looks at them: a certificate that is not one is told at start, and not by a
 * connection that fails without a reason an hour later.
 */
export function resolveTls(sources: readonly Fields[], problems: Problems): TlsSettings | undefined {
  if (!enabled(sources, problems)) return undefined;
  const ca = authority(sources, problems);
  const own = clientCertificate(sources, problems);
  const settings: TlsSettings = {
    ca,
    cert: own?.cert,
    key: own?.key,
    serverName: pick(sources, 'serverName')?.value,
    insecureSkipVerify: pick(sources, 'insecureSkipVerify')?.value ?? false,
    minVersion: 'TLSv1.2',
  };
  return guard(settings, ['key']);
}

/** The warning an unverified connection deserves at each start. */
export function insecurity(sources: readonly Fields[], tls: TlsSettings | undefined): readonly string[] {
  const from = pick(sources, 'insecureSkipVerify')?.from;
  return tls?.insecureSkipVerify
    ? [
        `TLS verification is off (${from}): whoever is on the network can read and change everything. Trust the server's authority instead, with tls.caFile or VALKEY_TLS_CA_CERT_FILE.`,
      ]
    : [];
}

function enabled(sources: readonly Fields[], problems: Problems): boolean {
  const first = sources.find((source) => source.tls !== undefined || mentionsTls(source));
  const secure = sources.find(
    (source) => source.tls?.value && source.tls.from === (source.host ?? source.nodes)?.from,
  )?.tls;
  if (first?.tls?.value === false && secure) {
    problems.add(first.tls.from, `switches TLS off, but the scheme in ${secure.from} asks for it: keep one of them.`);
  }
  return first !== undefined && first.tls?.value !== false;
}

/** Whoever names a certificate wants TLS, whether or not he also switches it on. */
function mentionsTls(source: Fields): boolean {
  return (
    firstOf(source, [...AUTHORITY, ...CERTIFICATE, ...KEY]) !== undefined || source.insecureSkipVerify?.value === true
  );
}

function authority(sources: readonly Fields[], problems: Problems): string | undefined {
  const source = sources.find((candidate) => firstOf(candidate, AUTHORITY));
  if (!source) return undefined;
  const text = source.caBase64 ? decoded(source.caBase64, problems) : material(source.ca, source.caFile, problems);
  const from = firstOf(source, AUTHORITY)?.from ?? 'tls.ca';
  if (text !== undefined) checkCertificates(text, from, problems);
  return text;
}

function clientCertificate(
  sources: readonly Fields[],
  problems: Problems,
): { readonly cert: string; readonly key: string } | undefined {
  // Certificate and key are a pair: they come from one source, or one would be joined to a stranger's.
  const source = sources.find((candidate) => firstOf(candidate, [...CERTIFICATE, ...KEY]));
  if (!source) return undefined;
  const certificate = firstOf(source, CERTIFICATE);
  const privateKey = firstOf(source, KEY);
  if (!certificate || !privateKey) {
    const missing = certificate
      ? 'its private key beside it: tls.key, tls.keyFile or VALKEY_TLS_KEY_FILE'
      : 'its certificate beside it: tls.cert, tls.certFile or VALKEY_TLS_CERT_FILE';
    problems.add((certificate ?? privateKey)?.from ?? 'tls', `needs ${missing}.`);
    return undefined;
  }
  const cert = material(source.cert, source.certFile, problems);
  const key = material(source.key, source.keyFile, problems);
  if (cert === undefined || key === undefined) return undefined;
  checkPair(cert, certificate.from, key, privateKey.from, problems);
  return { cert, key };
}

function checkPair(cert: string, certFrom: string, key: string, keyFrom: string, problems: Problems): void {
  if (!checkCertificates(cert, certFrom, problems)) return;
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
    problems.add(keyFrom, `does not belong to the certificate in ${certFrom}.`);
  } catch {
    // OpenSSL's own words can quote the key's bytes, so they are not passed on.
    problems.add(keyFrom, 'is not a private key that can be read: it must be PEM without a passphrase.');
  }
}

function checkCertificates(text: string, from: string, problems: Problems): boolean {
  const blocks = text.match(BLOCK) ?? [];
  const broken = blocks.findIndex((block) => !isCertificate(block));
  if (blocks.length > 0 && broken < 0) return true;
  const which = blocks.length > 1 ? ` (number ${broken + 1} of ${blocks.length})` : '';
  problems.add(
    from,
    `holds no certificate that can be read${which}: it must be PEM, '-----BEGIN CERTIFICATE-----' to the END line.`,
  );
  return false;
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    // Whatever is wrong with it, the caller tells where it came from.
    return false;
  }
}

function material(
  text: Sourced<string> | undefined,
  file: Sourced<string> | undefined,
  problems: Problems,
): string | undefined {
  if (text) return text.value;
  if (!file) return undefined;
  try {
    return readFileSync(file.value, 'utf8');
  } catch (error) {
    const reason =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';
    problems.add(
      file.from,
      `names ${JSON.stringify(file.value)}, which cannot be read (${reason}): check the path and its permissions.`,
    );
    return undefined;
  }
}

function decoded({ value, from }: Sourced<string>, problems: Problems): string | undefined {
  const text = BASE64.test(value) ? Buffer.from(value, 'base64').toString('utf8') : '';
  if (text.includes('-----BEGIN')) return text;
  problems.add(from, `is ${REDACTED}: it must be a certificate in PEM form, encoded as base64 (base64 -w0 ca.pem).`);
  return undefined;
}

function firstOf(source: Fields, fields: readonly Field[]): Fields[Field] {
  return fields.map((field) => source[field]).find((sourced) => sourced !== undefined);
}
