import { parseDuration } from '../core/duration.js';
import { SENTINEL_PORT, SERVER_PORT, isHost, parseAddresses } from './address.js';
import type { Draft, Field } from './draft.js';
import type { CredentialsProvider } from './settings.js';

/** What one field takes: the words an error uses for it, and the check that also brings it into its final form. */
export interface Rule<T> {
  /** Completes the sentence “it must be …”. */
  readonly expected: string;
  /** The value in its final form, `undefined` when `raw` is not one. */
  readonly read: (raw: unknown) => T | undefined;
}

/** Timers of Node fire at once when they are asked for more than this. */
const LONGEST_TIMER = 2 ** 31 - 1;
const LEAST = { 0: 'of zero or more', 1: 'above zero', 10: 'of 10 ms or more' } as const;
const DURATION_FORMS = "such as '250ms', '5s', '1m', or a number of milliseconds";

function whole(min: number, max: number, note = ''): Rule<number> {
  return {
    expected: `a whole number from ${min} to ${max}${note}`,
    read: (raw) => (typeof raw === 'number' && Number.isInteger(raw) && raw >= min && raw <= max ? raw : undefined),
  };
}

function duration(least: 0 | 1 | 10): Rule<number> {
  return {
    expected: `a duration ${LEAST[least]} and below 25 days, ${DURATION_FORMS}`,
    read: (raw) => {
      if (typeof raw !== 'string' && typeof raw !== 'number') return undefined;
      const exact = parseDuration(raw);
      const milliseconds = exact === undefined ? Number.NaN : Math.ceil(exact);
      return milliseconds >= least && milliseconds <= LONGEST_TIMER ? milliseconds : undefined;
    },
  };
}

function oneOf<const T extends string>(...values: readonly T[]): Rule<T> {
  return {
    expected: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
    read: (raw) => values.find((value) => value === raw),
  };
}

function text(expected: string, accepts: (value: string) => boolean = (value) => value !== ''): Rule<string> {
  return { expected, read: (raw) => (typeof raw === 'string' && accepts(raw) ? raw : undefined) };
}

/** PEM, as text or bytes; the bytes become text here, so that nobody can change them afterwards. */
function pem(what: string): Rule<string> {
  return {
    expected: `${what} in PEM form, as text or Buffer ('-----BEGIN …')`,
    read: (raw) => {
      const written = Buffer.isBuffer(raw) ? raw.toString('utf8') : raw;
      return typeof written === 'string' && written.includes('-----BEGIN') ? written : undefined;
    },
  };
}

const addresses = (port: number): Rule<Draft['nodes']> => ({
  expected: `at least one address: 'host:${port},host:${port}', ['host:${port}'] or [{ host, port: ${port} }]`,
  read: (raw) => parseAddresses(raw, port),
});

const toggle: Rule<boolean> = {
  expected: 'true or false',
  read: (raw) => (typeof raw === 'boolean' ? raw : undefined),
};

const provider: Rule<CredentialsProvider> = {
  expected: 'an object { username?, password } or a function that returns one',
  read: (raw) => (isProvider(raw) ? raw : undefined),
};

/** The rule of every field. */
export const RULES: { readonly [K in Field]: Rule<Draft[K]> } = {
  name: text('a name without spaces', (value) => /^[!-~]+$/.test(value)),
  driver: text("the name of a registered driver, such as 'valkey'"),
  mode: oneOf('single', 'cluster', 'sentinel', 'embedded'),
  host: text('a host name or IP address, without port, scheme or password', isHost),
  port: whole(1, 65_535),
  nodes: addresses(SERVER_PORT),
  clusterMode: toggle,
  sentinelMode: toggle,
  sentinelNodes: addresses(SENTINEL_PORT),
  sentinelName: text('the name the sentinels give the primary'),
  sentinelUsername: text('a user name'),
  sentinelPassword: text('a password'),
  db: whole(0, 15),
  keyPrefix: text('text', () => true),
  username: text('a user name'),
  password: text('a password'),
  provider,
  credentialRefresh: duration(0),
  tls: toggle,
  ca: pem('the certificate of an authority'),
  caFile: text('the path of a PEM file'),
  caBase64: text('a certificate in PEM form, encoded as base64'),
  cert: pem('the client certificate'),
  certFile: text('the path of a PEM file'),
  key: pem('the private key of the client certificate'),
  keyFile: text('the path of a PEM file'),
  serverName: text('the name to expect in the certificate of the server', isHost),
  insecureSkipVerify: toggle,
  dial: duration(1),
  read: duration(1),
  write: duration(1),
  preset: oneOf('default', 'aggressive', 'conservative', 'off'),
  attempts: whole(0, 1_000, ' (0: no retries)'),
  backoff: oneOf('exponential', 'decorrelated', 'linear', 'fixed', 'none'),
  backoffMin: duration(1),
  backoffMax: duration(1),
  breaker: toggle,
  breakerFailures: whole(1, 1_000_000),
  breakerRatio: {
    expected: 'a number above 0 and at most 1, such as 0.5',
    read: (raw) => (typeof raw === 'number' && raw > 0 && raw <= 1 ? raw : undefined),
  },
  breakerWindow: duration(10),
  breakerMinimum: whole(1, 1_000_000),
  halfOpenAfter: duration(1),
  bulkheadInFlight: whole(1, 1_000_000),
  bulkheadQueue: whole(0, 10_000_000),
  poolSize: whole(1, 1_000),
  minIdle: whole(0, 1_000),
  maxIdle: whole(0, 1_000),
  maxEntries: whole(1, Number.MAX_SAFE_INTEGER),
  maxBytes: whole(1, Number.MAX_SAFE_INTEGER),
  maxQueue: whole(1, 10_000_000),
  connect: oneOf('degraded', 'required'),
  drain: duration(0),
  logLevel: oneOf('debug', 'info', 'warn', 'error', 'silent'),
};

/** Fields whose value no message may show. */
export const SECRET_FIELDS: ReadonlySet<Field> = new Set<Field>([
  'password',
  'sentinelPassword',
  'ca',
  'caBase64',
  'cert',
  'key',
  'provider',
]);

function isProvider(raw: unknown): raw is CredentialsProvider {
  return typeof raw === 'function';
}
