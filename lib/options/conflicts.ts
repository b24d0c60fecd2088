import type { Mode } from './draft.js';
import type { OptionName } from './options.js';
import { PRESETS } from './presets.js';
import type { Problems } from './problem.js';
import type { ResiliencePreset } from './settings.js';

/** Options as they came, their form already checked. */
export type RawOptions = { readonly [K in OptionName]?: unknown };

/** What each topology cannot be combined with. */
const FOREIGN: Readonly<Record<Mode, readonly OptionName[]>> = {
  single: ['nodes', 'sentinel', 'embedded'],
  cluster: ['host', 'port', 'sentinel', 'embedded'],
  sentinel: ['host', 'port', 'uri', 'nodes', 'embedded'],
  embedded: ['host', 'port', 'uri', 'nodes', 'sentinel', 'db', 'credentials', 'credentialRefresh', 'tls'],
};

/** The options that choose a topology though no `mode` is written, and the mode they mean. */
const IMPLIED: readonly (readonly [OptionName, Mode])[] = [
  ['uri', 'single'],
  ['host', 'single'],
  ['port', 'single'],
  ['nodes', 'cluster'],
  ['sentinel', 'sentinel'],
  ['embedded', 'embedded'],
];

const PAIRS: readonly (readonly [string, string])[] = [
  ['uri', 'host'],
  ['uri', 'port'],
  ['tls.ca', 'tls.caFile'],
  ['tls.ca', 'tls.caBase64'],
  ['tls.caFile', 'tls.caBase64'],
  ['tls.cert', 'tls.certFile'],
  ['tls.key', 'tls.keyFile'],
];

/** Options of a breaker that looks at a share of failures. */
const OF_RATIO = ['ratio', 'window', 'minimum'] as const;

/** Adds to `problems` the options that are right by themselves and wrong together. */
export function checkConflicts(options: RawOptions, problems: Problems): void {
  checkTopology(options, problems);
  checkBreaker(options, problems);
  for (const [one, other] of PAIRS) {
    if (has(options, one) && has(options, other)) {
      problems.add(one, `and ${other} exclude each other: keep one of them.`);
    }
  }
}

/** Failures in a row, or their share within a window: a breaker has one measure. */
function checkBreaker(options: RawOptions, problems: Problems): void {
  const breaker = 'resilience.breaker';
  const written = OF_RATIO.filter((name) => has(options, `${breaker}.${name}`));
  const [first] = written;
  if (first === undefined) return;
  if (has(options, `${breaker}.failures`)) {
    problems.add(
      `${breaker}.failures`,
      `and ${breaker}.${first} exclude each other: count failures in a row, or their ratio within a window. Keep one of them.`,
    );
  } else if (!written.includes('ratio') && !isByRatio(options)) {
    problems.add(`${breaker}.${first}`, `needs ${breaker}.ratio beside it, such as 0.5.`);
  }
}

/** Whether the preset that is written beside it has a ratio. */
function isByRatio(options: RawOptions): boolean {
  const preset = at(options, 'resilience.preset') as ResiliencePreset | undefined;
  return preset !== undefined && 'breakerRatio' in PRESETS[preset];
}

function checkTopology(options: RawOptions, problems: Problems): void {
  const first = IMPLIED.find(([name]) => options[name] !== undefined);
  const mode = options.mode === undefined ? first?.[1] : (options.mode as Mode);
  if (mode === undefined) return;
  const reason = options.mode === undefined ? `beside '${first?.[0]}'` : `in mode '${mode}'`;
  for (const name of FOREIGN[mode]) {
    if (options[name] === undefined) continue;
    problems.add(name, `cannot be used ${reason}: there is exactly one topology. Remove one of them.`);
  }
  if (mode === 'embedded' && options.mode === undefined) {
    problems.add('embedded', "needs mode: 'embedded' beside it.");
  }
  if (mode === 'cluster' && options.db !== undefined && options.db !== 0) {
    problems.add('db', 'must be 0 in a cluster, which has no other database. Use keyPrefix to keep keys apart.');
  }
}

function has(options: RawOptions, path: string): boolean {
  return at(options, path) !== undefined;
}

/** What stands at `path`, such as `tls.ca`. */
export function at(options: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      options,
    );
}
