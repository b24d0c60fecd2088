import { checkUriOverlap } from './option-layer.js';
import { type Field, type Layer, type OpenFields, place } from './draft.js';
import { type Problems, closest, shown } from './problem.js';
import { RULES, SECRET_FIELDS } from './rules.js';
import { parseUri } from './uri.js';

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What one variable sets: a field, or with `uri` several at once. */
type Target = Field | 'uri';

/** Every variable that is read, in order of precedence, and the field it sets. Two names of one field must agree. */
export const VARIABLES: Readonly<Record<string, Target>> = {
  VALKEY_PROVIDER: 'driver',
  VALKEY_MODE: 'mode',
  VALKEY_HOST: 'host',
  VALKEY_PORT: 'port',
  VALKEY_URI: 'uri',
  VALKEY_ADDRS: 'nodes',
  VALKEY_CLUSTER_ADDRS: 'nodes',
  VALKEY_USERNAME: 'username',
  VALKEY_PASSWORD: 'password',
  VALKEY_DB: 'db',
  VALKEY_KEY_PREFIX: 'keyPrefix',
  VALKEY_CLUSTER_MODE: 'clusterMode',
  VALKEY_SENTINEL_MODE: 'sentinelMode',
  VALKEY_SENTINEL_ADDRS: 'sentinelNodes',
  VALKEY_SENTINEL_MASTER_NAME: 'sentinelName',
  VALKEY_SENTINEL_PASSWORD: 'sentinelPassword',
  VALKEY_POOL_SIZE: 'poolSize',
  VALKEY_MIN_IDLE_CONNS: 'minIdle',
  VALKEY_MAX_IDLE_CONNS: 'maxIdle',
  VALKEY_DIAL_TIMEOUT: 'dial',
  VALKEY_READ_TIMEOUT: 'read',
  VALKEY_WRITE_TIMEOUT: 'write',
  VALKEY_MAX_RETRIES: 'attempts',
  VALKEY_MIN_RETRY_BACKOFF: 'backoffMin',
  VALKEY_MAX_RETRY_BACKOFF: 'backoffMax',
  VALKEY_CIRCUIT_BREAKER_THRESHOLD: 'breakerFailures',
  VALKEY_TLS_ENABLED: 'tls',
  VALKEY_TLS_CERT_FILE: 'certFile',
  VALKEY_TLS_KEY_FILE: 'keyFile',
  VALKEY_TLS_CA_CERT_FILE: 'caFile',
  VALKEY_TLS_INSECURE_SKIP_VERIFY: 'insecureSkipVerify',
  VALKEY_LOG_LEVEL: 'logLevel',
  CACHE_MODE: 'mode',
  CACHE_ADDRS: 'nodes',
  CACHE_USERNAME: 'username',
  CACHE_PASSWORD: 'password',
  CACHE_TLS_ENABLED: 'tls',
  CACHE_CA_CERT_BASE64: 'caBase64',
  CACHE_POOL_SIZE: 'poolSize',
  CACHE_MAX_RETRIES: 'attempts',
  CACHE_DIAL_TIMEOUT: 'dial',
  CACHE_READ_TIMEOUT: 'read',
  CACHE_WRITE_TIMEOUT: 'write',
  REDIS_HOST: 'host',
  REDIS_PORT: 'port',
  REDIS_USERNAME: 'username',
  REDIS_PASSWORD: 'password',
  REDIS_URL: 'uri',
};

const RANKS = ['VALKEY_', 'CACHE_', 'REDIS_'] as const;
const NUMBERS: ReadonlySet<Target> = new Set<Target>([
  'port',
  'db',
  'poolSize',
  'minIdle',
  'maxIdle',
  'attempts',
  'breakerFailures',
]);
const TOGGLES: ReadonlySet<Target> = new Set<Target>(['clusterMode', 'sentinelMode', 'tls', 'insecureSkipVerify']);
const WORDS: ReadonlySet<Target> = new Set<Target>(['mode', 'logLevel']);
/** Blanks at their ends may be meant. */
const VERBATIM: ReadonlySet<Target> = new Set<Target>(['password', 'sentinelPassword', 'keyPrefix']);
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  false: false,
  0: false,
  no: false,
};

/** Reads the environment into one layer for each prefix; a variable that cannot be read goes to `problems`. */
export function environmentLayers(environment: Environment, problems: Problems): readonly Layer[] {
  return RANKS.map((rank) => {
    const layer = readLayer(rank, environment, problems);
    checkUriOverlap(layer, problems);
    return layer;
  });
}

/** A line for each `VALKEY_` variable that looks like a misspelt one: it would otherwise silently do nothing. */
export function misspelt(environment: Environment): readonly string[] {
  const known = Object.keys(VARIABLES).filter((name) => name.startsWith('VALKEY_'));
  return Object.keys(environment)
    .filter((name) => name.startsWith('VALKEY_') && environment[name] && !known.includes(name))
    .flatMap((name) => {
      // VALKEY_TLS is short for VALKEY_TLS_ENABLED in the mind of whoever wrote it.
      const meant = nearest(name, known) ?? known.find((candidate) => candidate.startsWith(`${name}_`));
      return meant === undefined
        ? []
        : [`${name} is not a variable of this module and has no effect. Did you mean ${meant}?`];
    });
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const bare = (text: string): string => text.slice('VALKEY_'.length);
  const meant = closest(bare(name), known.map(bare));
  return meant === undefined ? undefined : `VALKEY_${meant}`;
}

function readLayer(rank: Layer['rank'], environment: Environment, problems: Problems): Layer {
  const fields: OpenFields = {};
  let uri: Layer['uri'] = {};
  for (const [name, target] of Object.entries(VARIABLES)) {
    const text = name.startsWith(rank) ? valueOf(environment, name, target) : undefined;
    if (text === undefined) continue;
    if (target === 'uri') uri = parseUri(text, name, problems);
    else readVariable(fields, name, target, text, problems);
  }
  return { rank, fields, uri };
}

/** The variable's text; an empty one counts as not set. */
function valueOf(environment: Environment, name: string, target: Target): string | undefined {
  const text = environment[name];
  const value = VERBATIM.has(target) ? text : text?.trim();
  return value === '' ? undefined : value;
}

function readVariable<K extends Field>(
  fields: OpenFields,
  name: string,
  field: K,
  text: string,
  problems: Problems,
): void {
  const value = RULES[field].read(converted(field, text));
  const earlier = fields[field];
  if (value === undefined || (name === 'CACHE_MODE' && value !== 'single' && value !== 'cluster')) {
    problems.add(
      name,
      `is ${shown(text, SECRET_FIELDS.has(field))}: it must be ${expectation(name, field)}.${hint(text)}`,
    );
  } else if (earlier && JSON.stringify(earlier.value) !== JSON.stringify(value)) {
    problems.add(name, `contradicts ${earlier.from}, which is another name for it: keep one of them.`);
  } else {
    place(fields, field, { value, from: name });
  }
}

function converted(field: Field, text: string): unknown {
  if (NUMBERS.has(field)) return /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
  if (TOGGLES.has(field)) return BOOLEANS[text.toLowerCase()] ?? text;
  return WORDS.has(field) ? text.toLowerCase() : text;
}

function expectation(name: string, field: Field): string {
  if (name === 'CACHE_MODE') return "'single' or 'cluster'";
  if (TOGGLES.has(field)) return 'true, false, 1, 0, yes or no';
  if (field === 'nodes' || field === 'sentinelNodes') return 'a list of addresses such as host:port,host:port';
  return RULES[field].expected;
}

/** Kubernetes sets VALKEY_PORT=tcp://… for a service that is called valkey. */
function hint(text: string): string {
  return text.startsWith('tcp://')
    ? ' Kubernetes sets it for a service of that name: set enableServiceLinks: false in the pod, or rename the service.'
    : '';
}
