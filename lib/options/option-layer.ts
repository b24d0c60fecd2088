import { at, checkConflicts } from './conflicts.js';
import { type Field, type Fields, type Layer, type OpenFields, place } from './draft.js';
import type { ValkeyOptions } from './options.js';
import type { Problems } from './problem.js';
import { RULES } from './rules.js';
import { checkForm } from './schema.js';
import { parseUri } from './uri.js';

/** Which field each option sets. */
const FIELD_OF: Readonly<Record<string, Field>> = {
  name: 'name',
  driver: 'driver',
  mode: 'mode',
  host: 'host',
  port: 'port',
  nodes: 'nodes',
  'sentinel.name': 'sentinelName',
  'sentinel.nodes': 'sentinelNodes',
  'sentinel.username': 'sentinelUsername',
  'sentinel.password': 'sentinelPassword',
  db: 'db',
  keyPrefix: 'keyPrefix',
  'credentials.username': 'username',
  'credentials.password': 'password',
  credentialRefresh: 'credentialRefresh',
  'tls.ca': 'ca',
  'tls.caFile': 'caFile',
  'tls.caBase64': 'caBase64',
  'tls.cert': 'cert',
  'tls.certFile': 'certFile',
  'tls.key': 'key',
  'tls.keyFile': 'keyFile',
  'tls.serverName': 'serverName',
  'tls.insecureSkipVerify': 'insecureSkipVerify',
  'timeouts.dial': 'dial',
  'timeouts.read': 'read',
  'timeouts.write': 'write',
  'resilience.retry.attempts': 'attempts',
  'resilience.retry.backoff': 'backoff',
  'resilience.retry.min': 'backoffMin',
  'resilience.retry.max': 'backoffMax',
  'resilience.preset': 'preset',
  'resilience.breaker.failures': 'breakerFailures',
  'resilience.breaker.ratio': 'breakerRatio',
  'resilience.breaker.window': 'breakerWindow',
  'resilience.breaker.minimum': 'breakerMinimum',
  'resilience.breaker.halfOpenAfter': 'halfOpenAfter',
  'resilience.bulkhead.inFlight': 'bulkheadInFlight',
  'resilience.bulkhead.queue': 'bulkheadQueue',
  'pool.size': 'poolSize',
  'pool.minIdle': 'minIdle',
  'pool.maxIdle': 'maxIdle',
  'embedded.maxEntries': 'maxEntries',
  'embedded.maxBytes': 'maxBytes',
  maxQueue: 'maxQueue',
  connect: 'connect',
  drain: 'drain',
  logLevel: 'logLevel',
};

/** Checks the options by themselves and reads them into the first layer; problems go to `problems`. */
export function optionLayer(options: ValkeyOptions, problems: Problems): Layer {
  if (!checkForm(options, problems)) return { rank: 'options', fields: {}, uri: {} };
  checkConflicts(options, problems);
  const fields: OpenFields = {};
  for (const [path, field] of Object.entries(FIELD_OF)) read(fields, field, at(options, path), path);
  readSpecial(fields, options);
  const uri = options.uri === undefined ? {} : parseUri(options.uri, 'uri', problems);
  const layer: Layer = { rank: 'options', fields, uri };
  checkUriOverlap(layer, problems);
  return layer;
}

/** Refuses what is said by a connection string and once more beside it: nobody could tell which one holds. */
export function checkUriOverlap({ fields, uri }: Layer, problems: Problems): void {
  for (const field of Object.keys(uri) as Field[]) {
    const inside = uri[field];
    // The address beside a connection string is reported as a choice between two topologies.
    const beside: Fields[Field] = field === 'password' ? (fields.password ?? fields.provider) : fields[field];
    if (!inside || !beside || field === 'host' || field === 'port' || inside.value === beside.value) continue;
    problems.add(beside.from, `contradicts ${inside.from}, which says it too: keep one of them.`);
  }
}

/** The forms that are not one option for one field. */
function readSpecial(fields: OpenFields, options: ValkeyOptions): void {
  const { credentials, tls } = options;
  if (typeof credentials === 'function') read(fields, 'provider', credentials, 'credentials');
  if (tls !== undefined) read(fields, 'tls', tls !== false, 'tls');
  readResilience(fields, options.resilience);
}

function readResilience(fields: OpenFields, resilience: ValkeyOptions['resilience']): void {
  if (typeof resilience !== 'object') {
    read(fields, 'preset', resilience, 'resilience');
    return;
  }
  for (const field of ['read', 'write'] as const) {
    if (!fields[field]) read(fields, field, resilience.timeout, 'resilience.timeout');
  }
  if (resilience.retry === false) read(fields, 'attempts', 0, 'resilience.retry');
  if (resilience.breaker !== undefined) {
    read(fields, 'breaker', resilience.breaker !== false, 'resilience.breaker');
  }
}

function read<K extends Field>(fields: OpenFields, field: K, raw: unknown, from: string): void {
  if (raw === undefined) return;
  const value = RULES[field].read(raw);
  if (value !== undefined) place(fields, field, { value, from });
}
