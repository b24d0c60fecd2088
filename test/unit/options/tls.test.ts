import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Environment } from '../../../lib/options/environment.js';
import { resolveSettings } from '../../../lib/options/resolve.js';
import { CERTIFICATE, KEY, OTHER_KEY } from './certificates.js';
import { failure } from './failure.js';

const folder = mkdtempSync(join(tmpdir(), 'options-'));
const certFile = join(folder, 'cert.pem');
const keyFile = join(folder, 'key.pem');
const brokenFile = join(folder, 'broken.pem');
const missingFile = join(folder, 'missing.pem');
const caBase64 = Buffer.from(CERTIFICATE).toString('base64');
const broken = CERTIFICATE.replace(/[A-Za-z]{12}/, 'AAAAAAAAAAAA').replace('MII', 'AAA');

beforeAll(() => {
  writeFileSync(certFile, CERTIFICATE);
  writeFileSync(keyFile, KEY);
  writeFileSync(brokenFile, broken);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function resolve(tls: object | boolean | undefined, environment: Environment = {}) {
  return resolveSettings({ host: 'h', ...(tls !== undefined && { tls }) }, environment);
}

it.each<[string, object | boolean | undefined, Environment]>([
  ['a text', { ca: CERTIFICATE }, {}],
  ['bytes', { ca: Buffer.from(CERTIFICATE) }, {}],
  ['a bundle', { ca: CERTIFICATE + CERTIFICATE }, {}],
  ['a file', { caFile: certFile }, {}],
  ['base64', { caBase64 }, {}],
  ['VALKEY_TLS_CA_CERT_FILE', undefined, { VALKEY_TLS_CA_CERT_FILE: certFile }],
  ['CACHE_CA_CERT_BASE64', undefined, { CACHE_CA_CERT_BASE64: caBase64 }],
  ['VALKEY_ before CACHE_', true, { VALKEY_TLS_CA_CERT_FILE: certFile, CACHE_CA_CERT_BASE64: 'AAAA' }],
  ['an option before a variable', { ca: CERTIFICATE }, { VALKEY_TLS_CA_CERT_FILE: missingFile }],
])('[CFG-7] takes the authority from %s', (_, tls, environment) => {
  const { settings } = resolve(tls, environment);
  expect(settings.tls?.ca).toContain(CERTIFICATE);
  expect(settings.tls?.minVersion).toBe('TLSv1.2');
  expect(settings.tls?.insecureSkipVerify).toBe(false);
});

it.each<[string, boolean | object | undefined, Environment]>([
  ['texts', { cert: CERTIFICATE, key: KEY }, {}],
  ['bytes', { cert: Buffer.from(CERTIFICATE), key: Buffer.from(KEY) }, {}],
  ['files', { certFile, keyFile }, {}],
  ['a text and a file', { cert: CERTIFICATE, keyFile }, {}],
  ['variables', undefined, { VALKEY_TLS_CERT_FILE: certFile, VALKEY_TLS_KEY_FILE: keyFile }],
])('[CFG-7] takes the client certificate from %s and never prints its key', (_, tls, environment) => {
  const { settings } = resolve(tls, environment);
  expect(settings.tls).toMatchObject({ cert: CERTIFICATE });
  expect(settings.tls?.key).toBe(KEY);
  expect(inspect(settings, { depth: 9 }) + JSON.stringify(settings)).not.toContain(KEY.slice(30, 60));
});

it.each<[string, string | undefined, object | boolean | undefined, Environment]>([
  ['tls.caFile', 'ENOENT', { caFile: missingFile }, {}],
  ['tls.caFile', missingFile, { caFile: missingFile }, {}],
  ['VALKEY_TLS_CA_CERT_FILE', missingFile, undefined, { VALKEY_TLS_CA_CERT_FILE: missingFile }],
  ['tls.certFile', missingFile, { certFile: missingFile, keyFile }, {}],
  ['tls.keyFile', missingFile, { certFile, keyFile: missingFile }, {}],
  ['VALKEY_TLS_CERT_FILE', missingFile, undefined, { VALKEY_TLS_CERT_FILE: missingFile, VALKEY_TLS_KEY_FILE: keyFile }],
  ['VALKEY_TLS_KEY_FILE', missingFile, undefined, { VALKEY_TLS_CERT_FILE: certFile, VALKEY_TLS_KEY_FILE: missingFile }],
  ['tls.ca', 'no certificate', { ca: broken }, {}],
  ['tls.ca', 'number 2 of 2', { ca: CERTIFICATE + broken }, {}],
  ['tls.ca', 'no certificate', { ca: KEY }, {}],
  ['tls.caFile', 'no certificate', { caFile: brokenFile }, {}],
  ['tls.caBase64', 'no certificate', { caBase64: Buffer.from(broken).toString('base64') }, {}],
  ['tls.caBase64', 'base64', { caBase64: 'not base64!' }, {}],
  ['CACHE_CA_CERT_BASE64', 'base64', undefined, { CACHE_CA_CERT_BASE64: 'AAAA' }],
  ['tls.cert', 'no certificate', { cert: broken, key: KEY }, {}],
  ['tls.key', 'does not belong', { cert: CERTIFICATE, key: OTHER_KEY }, {}],
  ['tls.key', 'not a private key', { cert: CERTIFICATE, key: CERTIFICATE }, {}],
  ['tls.cert', 'private key', { cert: CERTIFICATE }, {}],
  ['tls.certFile', 'VALKEY_TLS_KEY_FILE', { certFile }, {}],
  ['tls.keyFile', 'certificate', { keyFile }, {}],
  ['tls.key', 'certificate', { key: KEY }, {}],
  ['VALKEY_TLS_CERT_FILE', 'VALKEY_TLS_KEY_FILE', undefined, { VALKEY_TLS_CERT_FILE: certFile }],
  ['VALKEY_TLS_KEY_FILE', 'VALKEY_TLS_CERT_FILE', undefined, { VALKEY_TLS_KEY_FILE: keyFile }],
])('[CFG-5] [CFG-7] names %s, and says %s', (subject, reason, tls, environment) => {
  const message = failure(() => resolve(tls, environment));
  expect(message).toContain(`\n- ${subject} `);
  expect(message).toContain(reason);
});

it.each<[string, object | undefined, Environment]>([
  ['tls.insecureSkipVerify', { insecureSkipVerify: true }, {}],
  ['VALKEY_TLS_INSECURE_SKIP_VERIFY', undefined, { VALKEY_TLS_INSECURE_SKIP_VERIFY: 'yes' }],
])('[CFG-7] warns when %s switches the verification off', (from, tls, environment) => {
  const { settings, warnings } = resolve(tls, environment);
  expect(settings.tls?.insecureSkipVerify).toBe(true);
  expect(warnings).toEqual([expect.stringContaining(`TLS verification is off (${from})`)]);
});

it.each<[string, boolean, object, Environment]>([
  ['VALKEY_TLS_ENABLED', true, {}, { VALKEY_TLS_ENABLED: 'TRUE' }],
  ['CACHE_TLS_ENABLED', true, {}, { CACHE_TLS_ENABLED: '1' }],
  ['an option that overrules the variable', false, { tls: false }, { VALKEY_TLS_ENABLED: 'true' }],
  ['VALKEY_ that overrules CACHE_', false, {}, { VALKEY_TLS_ENABLED: 'no', CACHE_TLS_ENABLED: 'yes' }],
  ['a scheme', true, { host: undefined, uri: 'valkeys://h' }, { VALKEY_TLS_ENABLED: 'false' }],
  ['verification left on', false, {}, { VALKEY_TLS_INSECURE_SKIP_VERIFY: 'false' }],
])('[CFG-7] decides by %s whether there is TLS: %s', (_, expected, options, environment) => {
  const { settings } = resolveSettings({ host: 'h', ...options }, environment);
  expect(settings.tls !== undefined).toBe(expected);
});

it('[CFG-7] refuses to drop the TLS a connection string asks for', () => {
  const environment = { VALKEY_TLS_ENABLED: 'false', REDIS_URL: 'rediss://h' };
  expect(failure(() => resolveSettings({}, environment))).toContain('- VALKEY_TLS_ENABLED switches TLS off');
});
