import { type Draft, type Field, type Fields, type Layer, pick } from './draft.js';
import { type Environment, environmentLayers, misspelt } from './environment.js';
import { optionLayer } from './option-layer.js';
import type { ValkeyOptions } from './options.js';
import { PRESETS, presetLayers } from './presets.js';
import { Problems } from './problem.js';
import { deepFreeze, guard } from './secret.js';
import type { Settings } from './settings.js';
import { insecurity, resolveTls } from './tls.js';
import { chooseTopology, serves } from './topology.js';

/** What options and environment came down to. */
export interface ResolvedSettings {
  /** Checked, complete and deeply frozen; safe to log. */
  readonly settings: Settings;
  /** Lines to be written at start: TLS without verification, misspelt variables, variables without effect. */
  readonly warnings: readonly string[];
  /** True when nothing was configured at all, so that the in-process store stands in. */
  readonly implicitlyEmbedded: boolean;
}

type DefaultedField =
  | 'name'
  | 'keyPrefix'
  | 'credentialRefresh'
  | 'dial'
  | 'read'
  | 'write'
  | 'attempts'
  | 'backoff'
  | 'backoffMin'
  | 'backoffMax'
  | 'breaker'
  | 'breakerFailures'
  | 'breakerWindow'
  | 'breakerMinimum'
  | 'halfOpenAfter'
  | 'poolSize'
  | 'minIdle'
  | 'maxQueue'
  | 'connect'
  | 'drain'
  | 'logLevel';

/** What holds when neither an option nor a variable says otherwise; times in milliseconds. */
export const DEFAULTS: Pick<Draft, DefaultedField> = {
  name: 'default',
  keyPrefix: '',
  credentialRefresh: 600_000,
  dial: 5_000,
  ...PRESETS.default,
  breakerWindow: 10_000,
  breakerMinimum: 10,
  poolSize: 10,
  minIdle: 0,
  maxQueue: 65_536,
  connect: 'degraded',
  drain: 5_000,
  logLevel: 'info',
};

/**
 * Weighs options and environment against each other and checks the result. Options beat the preset they name beats
 * `VALKEY_…` beats `CACHE_…` beats `REDIS_…`, field by field; only what belongs to one server (its address, the userinfo of its connection
 * string) stays together. Everything that is wrong is told in one {@link ConfigurationError}.
 *
 * @example
 * ```ts
 * const { settings, warnings } = resolveSettings({ host: 'cache.internal', keyPrefix: 'shop:' });
 * ```
 */
export function resolveSettings(options: ValkeyOptions = {}, environment: Environment = process.env): ResolvedSettings {
  const problems = new Problems();
  const written = optionLayer(options, problems);
  const layers = [written, ...presetLayers(written), ...environmentLayers(environment, problems)];
  // What could not be read would show up a second time as missing, so the first round ends here.
  problems.throwIfAny();
  const chosen = chooseTopology(layers, problems);
  if (chosen.implicitlyEmbedded && environment['NODE_ENV'] === 'production') {
    problems.add(
      'mode',
      "is not set, and neither is any address: in production the in-process store is used only on request. Set host, uri or VALKEY_HOST, or write mode: 'embedded' (VALKEY_MODE=embedded).",
    );
  }
  const settings = assemble(chosen, layers, problems);
  problems.throwIfAny();
  return Object.freeze({
    settings: deepFreeze(settings),
    warnings: Object.freeze([
      ...insecurity(chosen.sources, settings.tls),
      ...chosen.warnings,
      ...misspelt(environment),
    ]),
    implicitlyEmbedded: chosen.implicitlyEmbedded,
  });
}

function assemble(
  { topology, sources }: ReturnType<typeof chooseTopology>,
  layers: readonly Layer[],
  problems: Problems,
): Settings {
  const value = <K extends DefaultedField>(field: K): Pick<Draft, DefaultedField>[K] =>
    pick(sources, field)?.value ?? DEFAULTS[field];
  const remote = topology.mode !== 'embedded';
  const driver = pick(sources, 'driver')?.value;
  return {
    name: value('name'),
    driver: driver !== undefined && serves(driver, topology.mode) ? driver : remote ? 'valkey' : 'embedded',
    topology,
    keyPrefix: value('keyPrefix'),
    credentials: remote ? credentials(sources, layers, problems) : undefined,
    credentialRefresh: value('credentialRefresh'),
    tls: remote ? resolveTls(sources, problems) : undefined,
    timeouts: { dial: value('dial'), read: value('read'), write: value('write') },
    pool: pool(sources, problems),
    retry: resolveRetry(sources, problems),
    breaker: resolveBreaker(sources),
    bulkhead: resolveBulkhead(sources),
    maxQueue: value('maxQueue'),
    connect: value('connect'),
    drain: value('drain'),
    logLevel: value('logLevel'),
  };
}

function pool(sources: readonly Fields[], problems: Problems): Settings['pool'] {
  const size = pick(sources, 'poolSize')?.value ?? DEFAULTS.poolSize;
  const maxIdle = pick(sources, 'maxIdle')?.value ?? size;
  const minIdle = pick(sources, 'minIdle')?.value ?? DEFAULTS.minIdle;
  const sized = named(sources, 'poolSize', 'pool.size');
  if (maxIdle > size) atMost(named(sources, 'maxIdle', 'pool.maxIdle'), maxIdle, sized, size, problems);
  if (minIdle > size) atMost(named(sources, 'minIdle', 'pool.minIdle'), minIdle, sized, size, problems);
  else if (minIdle > maxIdle) {
    const limit = named(sources, 'maxIdle', 'pool.maxIdle');
    atMost(named(sources, 'minIdle', 'pool.minIdle'), minIdle, limit, maxIdle, problems);
  }
  return { size, minIdle, maxIdle };
}

/** How what failed is tried again. */
export function resolveRetry(sources: readonly Fields[], problems: Problems): Settings['retry'] {
  const min = pick(sources, 'backoffMin')?.value ?? DEFAULTS.backoffMin;
  const max = pick(sources, 'backoffMax')?.value ?? DEFAULTS.backoffMax;
  if (min > max) {
    const shortest = named(sources, 'backoffMin', 'resilience.retry.min');
    const longest = named(sources, 'backoffMax', 'resilience.retry.max');
    // The one that was written is the one to name: the other may be a default.
    const blamed = pick(sources, 'backoffMin') ? shortest : longest;
    problems.add(
      blamed,
      `is wrong: the shortest pause (${shortest}, ${min} ms) must be at most the longest (${longest}, ${max} ms).`,
    );
  }
  return {
    attempts: pick(sources, 'attempts')?.value ?? DEFAULTS.attempts,
    backoff: pick(sources, 'backoff')?.value ?? DEFAULTS.backoff,
    min,
    max,
  };
}

/** The circuit, `undefined` for none. */
export function resolveBreaker(sources: readonly Fields[]): Settings['breaker'] {
  if (!(pick(sources, 'breaker')?.value ?? DEFAULTS.breaker)) return undefined;
  const halfOpenAfter = pick(sources, 'halfOpenAfter')?.value ?? DEFAULTS.halfOpenAfter;
  // A breaker has one measure: the first source that names one decides which.
  const decider = sources.find(({ breakerFailures, breakerRatio }) => breakerFailures ?? breakerRatio);
  const ratio = decider?.breakerRatio?.value;
  if (ratio === undefined) {
    return { failures: decider?.breakerFailures?.value ?? DEFAULTS.breakerFailures, halfOpenAfter };
  }
  return {
    ratio,
    window: pick(sources, 'breakerWindow')?.value ?? DEFAULTS.breakerWindow,
    minimum: pick(sources, 'breakerMinimum')?.value ?? DEFAULTS.breakerMinimum,
    halfOpenAfter,
  };
}

/** The bound on what is under way, `undefined` for none. */
export function resolveBulkhead(sources: readonly Fields[]): Settings['bulkhead'] {
  const inFlight = pick(sources, 'bulkheadInFlight')?.value;
  const queue = pick(sources, 'bulkheadQueue')?.value;
  return inFlight === undefined || queue === undefined ? undefined : { inFlight, queue };
}

/** The option or variable that set `field`, or the option that would. */
function named(sources: readonly Fields[], field: Field, option: string): string {
  return pick(sources, field)?.from ?? option;
}

function atMost(subject: string, value: number, limit: string, most: number, problems: Problems): void {
  problems.add(subject, `is ${value}: it must be at most ${limit}, which is ${most}.`);
}

function credentials(
  sources: readonly Fields[],
  layers: readonly Layer[],
  problems: Problems,
): Settings['credentials'] {
  const index = sources.findIndex(({ password, provider }) => password ?? provider);
  const source = sources[index];
  if (source?.provider) return source.provider.value;
  const isVariables = layers.some(({ rank, fields }) => rank !== 'options' && fields === source);
  // An option and a connection string name the whole account: a user name from behind belongs to another one.
  const username = pick(source && !isVariables ? sources.slice(0, index + 1) : sources, 'username');
  if (!source?.password) {
    if (username) problems.add(username.from, 'needs a password beside it.');
    return undefined;
  }
  return guard({ ...(username && { username: username.value }), password: source.password.value }, ['password']);
}
