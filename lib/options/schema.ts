import { z } from 'zod';
import type { Field } from './draft.js';
import type {
  BreakerOptions,
  BulkheadOptions,
  EmbeddedStoreOptions,
  OptionName,
  PoolOptions,
  ResilienceOptions,
  RetryOptions,
  SentinelOptions,
  TimeoutOptions,
  TlsOptions,
} from './options.js';
import { type Problems, shown, unknownName } from './problem.js';
import { RULES } from './rules.js';
import type { Credentials } from './settings.js';

/** One check for each name of an options type: a name missing here, or one too many, does not compile. */
type Shape<T> = { readonly [K in T extends unknown ? keyof T : never]-?: z.ZodType };

/** Below these paths no value is shown. */
const SECRET = /^(?:uri|credentials|sentinel\.password|tls\.(?:ca|caBase64|cert|key))(?:\.|$)/;

const PRESET_NAMES = RULES.preset.expected.replace('one of ', '');

const TIMEOUTS = {
  dial: optional('dial'),
  read: optional('read'),
  write: optional('write'),
} satisfies Shape<TimeoutOptions>;

const RETRY = {
  attempts: optional('attempts'),
  backoff: optional('backoff'),
  min: optional('backoffMin'),
  max: optional('backoffMax'),
} satisfies Shape<RetryOptions>;

const BREAKER = {
  failures: optional('breakerFailures'),
  ratio: optional('breakerRatio'),
  window: optional('breakerWindow'),
  minimum: optional('breakerMinimum'),
  halfOpenAfter: optional('halfOpenAfter'),
} satisfies Shape<BreakerOptions>;

const BULKHEAD = {
  inFlight: needed('bulkheadInFlight'),
  queue: needed('bulkheadQueue'),
} satisfies Shape<BulkheadOptions>;

const RESILIENCE = {
  preset: optional('preset'),
  timeout: optional('read'),
  retry: either(z.literal(false), RETRY, 'false'),
  breaker: either(z.literal(false), BREAKER, 'false'),
  bulkhead: either(z.literal(false), BULKHEAD, 'false'),
} satisfies Shape<ResilienceOptions>;

const POOL = {
  size: optional('poolSize'),
  minIdle: optional('minIdle'),
  maxIdle: optional('maxIdle'),
} satisfies Shape<PoolOptions>;

const TLS = {
  ca: optional('ca'),
  caFile: optional('caFile'),
  caBase64: optional('caBase64'),
  cert: optional('cert'),
  certFile: optional('certFile'),
  key: optional('key'),
  keyFile: optional('keyFile'),
  serverName: optional('serverName'),
  insecureSkipVerify: optional('insecureSkipVerify'),
} satisfies Shape<TlsOptions>;

const SENTINEL = {
  name: needed('sentinelName'),
  nodes: needed('sentinelNodes'),
  username: optional('sentinelUsername'),
  password: optional('sentinelPassword'),
} satisfies Shape<SentinelOptions>;

const EMBEDDED = {
  maxEntries: optional('maxEntries'),
  maxBytes: optional('maxBytes'),
} satisfies Shape<EmbeddedStoreOptions>;

const CREDENTIALS = {
  username: optional('username'),
  password: needed('password'),
} satisfies Shape<Credentials>;

const OPTIONS = {
  name: optional('name'),
  driver: optional('driver'),
  mode: optional('mode'),
  host: optional('host'),
  port: optional('port'),
  uri: z.custom(isText, { error: "a connection string such as 'valkey://user:password@host:6379/0'" }).optional(),
  nodes: optional('nodes'),
  sentinel: group(SENTINEL),
  db: optional('db'),
  keyPrefix: optional('keyPrefix'),
  credentials: either(needed('provider'), CREDENTIALS, 'a function'),
  credentialRefresh: optional('credentialRefresh'),
  tls: either(z.boolean(), TLS, 'true, false'),
  timeouts: group(TIMEOUTS),
  resilience: either(needed('preset'), RESILIENCE, PRESET_NAMES),
  pool: group(POOL),
  embedded: group(EMBEDDED),
  maxQueue: optional('maxQueue'),
  connect: optional('connect'),
  drain: optional('drain'),
  logLevel: optional('logLevel'),
} satisfies { readonly [K in OptionName]-?: z.ZodType };

/** The names each object of the options can hold, by its path. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(OPTIONS),
  sentinel: Object.keys(SENTINEL),
  credentials: Object.keys(CREDENTIALS),
  tls: Object.keys(TLS),
  timeouts: Object.keys(TIMEOUTS),
  resilience: Object.keys(RESILIENCE),
  'resilience.retry': Object.keys(RETRY),
  'resilience.breaker': Object.keys(BREAKER),
  'resilience.bulkhead': Object.keys(BULKHEAD),
  pool: Object.keys(POOL),
  embedded: Object.keys(EMBEDDED),
};

/** The zod schema of `ValkeyOptions`: every value by itself. Which may stand together, `conflicts.ts` knows. */
export const optionsSchema = z.strictObject(OPTIONS, { error: 'an object' });

/** Adds to `problems` whatever is wrong with the form of `options`; true when nothing is. */
export function checkForm(options: unknown, problems: Problems): boolean {
  const { error } = optionsSchema.safeParse(options);
  for (const issue of error?.issues ?? []) report(issue, [], options, problems);
  return error === undefined;
}

function report(issue: z.core.$ZodIssue, above: readonly PropertyKey[], value: unknown, problems: Problems): void {
  const here = issue.path.reduce<unknown>(step, value);
  const path = [...above, ...issue.path];
  const subject = path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) problems.add(dotted(subject, key), unknownName(key, NAMES[subject] ?? []));
  } else if (issue.code === 'invalid_union' && isObject(here)) {
    // Of “a constant or an object” the object was meant, so only what is wrong inside it is worth telling.
    for (const inner of issue.errors.at(-1) ?? []) report(inner, path, here, problems);
  } else if (here === undefined) {
    problems.add(subject, `is missing: it must be ${issue.message}.`);
  } else {
    problems.add(subject || 'options', `is ${shown(here, SECRET.test(subject))}: it must be ${issue.message}.`);
  }
}

function optional(field: Field): z.ZodType {
  return needed(field).optional();
}

function needed(field: Field): z.ZodType {
  const { expected, read } = RULES[field];
  return z.custom((raw) => read(raw) !== undefined, { error: expected });
}

function group(shape: z.ZodRawShape): z.ZodType {
  return z.strictObject(shape, { error: namesOf(shape) }).optional();
}

/** `constant`, described by `words`, or an object. */
function either(constant: z.ZodType, shape: z.ZodRawShape, words: string): z.ZodType {
  return z.union([constant, z.strictObject(shape)], { error: `${words} or ${namesOf(shape)}` }).optional();
}

function namesOf(shape: z.ZodRawShape): string {
  return `an object with ${Object.keys(shape).join(', ')}`;
}

function isText(raw: unknown): boolean {
  return typeof raw === 'string' && raw !== '';
}

function isObject(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function step(value: unknown, key: PropertyKey): unknown {
  return isObject(value) ? value[key] : undefined;
}

function dotted(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
