import type { Duration } from '../core/duration.js';
import { pick } from './draft.js';
import { optionLayer } from './option-layer.js';
import type { BreakerOptions, BulkheadOptions, RatioBreakerFigures, RetryOptions } from './options.js';
import { presetLayers } from './presets.js';
import { Problems, shown, unknownName } from './problem.js';
import { resolveBreaker, resolveBulkhead, resolveRetry } from './resolve.js';
import type { BreakerSettings, BulkheadSettings, ResiliencePreset, Settings } from './settings.js';

/**
 * What stands around a method or function of yours. Nothing is on that is not written: only you know whether it may
 * run twice.
 */
export interface PolicyOptions {
  /** Switches on deadline, retry and breaker with figures that go together; what is written beside it wins. Default: none. */
  readonly preset?: ResiliencePreset;
  /** From the call to its result: waiting for a slot, all attempts and pauses included. Default: none. */
  readonly timeout?: Duration;
  /** Write it only for what may run twice; `{}` takes the client's figures. Default: `false`. */
  readonly retry?: false | RetryOptions;
  /** Each attempt counts; `{}` takes the client's figures. Only beside `'conservative'` may `ratio` be left out. Default: `false`. */
  readonly breaker?: false | BreakerOptions | RatioBreakerFigures;
  /** How many calls run at once, and how many wait. Default: `false`. */
  readonly bulkhead?: false | BulkheadOptions;
  /**
   * Whether an error is a failure: it is tried again, and counts for the breaker. Not asked about open circuits, full
   * queues and aborts, which never are. Default: everything but errors whose `getStatus()` is below 500.
   */
  readonly retryIf?: (error: unknown) => boolean;
}

/** {@link PolicyOptions}, checked and complete; times in milliseconds, `undefined` for what is off. */
export interface PolicySettings {
  readonly timeout: number | undefined;
  readonly retry: Settings['retry'] | undefined;
  readonly breaker: BreakerSettings | undefined;
  readonly bulkhead: BulkheadSettings | undefined;
  readonly retryIf: PolicyOptions['retryIf'];
}

const NAMES: readonly string[] = [
  'preset',
  'timeout',
  'retry',
  'breaker',
  'bulkhead',
  'retryIf',
] satisfies (keyof PolicyOptions)[];

/**
 * Checks the options of the policy called `name`; `beside` are names the caller has looked at.
 *
 * @throws ConfigurationError with everything that is wrong
 */
export function resolvePolicy(name: string, options: PolicyOptions, beside: readonly string[] = []): PolicySettings {
  // The checks are those of the client, where these options stand one step further down.
  const problems = new Problems(`The resilience options of ${name} are wrong:`, (text) =>
    text.replaceAll('resilience.', ''),
  );
  if (typeof name !== 'string' || name === '') problems.add('name', `is ${shown(name)}: it must be a name, as text.`);
  checkOwn(options, beside, problems);
  problems.throwIfAny();
  const { preset, timeout, retry, breaker, bulkhead, retryIf } = options;
  const written = optionLayer(
    { mode: 'embedded', resilience: given({ preset, timeout, retry, breaker, bulkhead }) },
    problems,
  );
  problems.throwIfAny();
  const layers = preset === undefined || preset === 'off' ? [] : presetLayers(written);
  const sources = [written, ...layers].map(({ fields }) => fields);
  const isPreset = layers.length > 0;
  const repeats = resolveRetry(sources, problems);
  problems.throwIfAny();
  return {
    timeout: pick(sources, 'read')?.value,
    retry: (retry ?? isPreset) !== false && repeats.attempts > 0 ? repeats : undefined,
    breaker: (breaker ?? isPreset) === false ? undefined : resolveBreaker(sources),
    bulkhead: resolveBulkhead(sources),
    retryIf,
  };
}

/** What the options of a client do not have. */
function checkOwn(options: PolicyOptions, beside: readonly string[], problems: Problems): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add('options', `is ${shown(options)}: it must be an object with ${[...NAMES, ...beside].join(', ')}.`);
    return;
  }
  const known = [...NAMES, ...beside];
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) problems.add(name, unknownName(name, known));
  }
  const { retryIf, retry, breaker, preset } = options;
  if (retryIf === undefined) return;
  if (typeof retryIf !== 'function') {
    problems.add('retryIf', `is ${shown(retryIf)}: it must be a function (error) => boolean.`);
  } else if (retry === undefined && breaker === undefined && preset === undefined) {
    problems.add('retryIf', 'has no effect without retry or breaker: write one of them beside it, or leave it out.');
  }
}

/** Without what is `undefined`, which counts as not written. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const written = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
