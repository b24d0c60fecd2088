import { readFileSync } from 'node:fs';
import type { ValkeyOptions } from '../../../lib/options/options.js';
import type { ResiliencePreset } from '../../../lib/options/settings.js';
import { PRESETS } from '../../../lib/options/presets.js';
import { resolveSettings } from '../../../lib/options/resolve.js';
import { failure } from './failure.js';

const NAMES = Object.keys(PRESETS) as ResiliencePreset[];

function settingsOf(resilience: ValkeyOptions['resilience'], environment: Record<string, string> = {}) {
  const { retry, breaker, bulkhead, timeouts } = resolveSettings(
    { host: 'h', ...(resilience && { resilience }) },
    environment,
  ).settings;
  return { retry, breaker, bulkhead, read: timeouts.read, write: timeouts.write };
}

/** The rows of the table of presets in the guide, by what their first cell names. */
function table(): Map<string, Record<string, string>> {
  const [, rest = ''] = readFileSync('docs/resilience.md', 'utf8').split('\n## Presets\n');
  const [section = ''] = rest.split('\n## ');
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  const [head = [], , ...rows] = cells;
  return new Map(
    rows.map(([name = '', ...values]) => [
      name,
      Object.fromEntries(head.slice(1).map((preset, index) => [preset.replaceAll("'", ''), values[index] ?? ''])),
    ]),
  );
}

function duration(milliseconds: number): string {
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000}s` : `${milliseconds}ms`;
}

const ROWS: readonly (readonly [string, (settings: ReturnType<typeof settingsOf>) => unknown])[] = [
  ['timeouts.read', ({ read }) => duration(read)],
  ['timeouts.write', ({ write }) => duration(write)],
  ['retry.attempts', ({ retry }) => String(retry.attempts)],
  ['retry.backoff', ({ retry }) => (retry.attempts > 0 ? retry.backoff : '–')],
  ['retry.min', ({ retry }) => (retry.attempts > 0 ? duration(retry.min) : '–')],
  ['retry.max', ({ retry }) => (retry.attempts > 0 ? duration(retry.max) : '–')],
  ['breaker.failures', ({ breaker }) => (breaker && 'failures' in breaker ? String(breaker.failures) : '–')],
  ['breaker.ratio', ({ breaker }) => (breaker && 'ratio' in breaker ? String(breaker.ratio) : '–')],
  ['breaker.window', ({ breaker }) => (breaker && 'ratio' in breaker ? duration(breaker.window) : '–')],
  ['breaker.minimum', ({ breaker }) => (breaker && 'ratio' in breaker ? String(breaker.minimum) : '–')],
  ['breaker.halfOpenAfter', ({ breaker }) => (breaker ? duration(breaker.halfOpenAfter) : '–')],
  ['bulkhead', ({ bulkhead }) => (bulkhead ? 'on' : 'false')],
];

it.each(NAMES)('[RES-5] the guide has each figure of the preset %s, and no other', (name) => {
  const rows = table();
  const settings = settingsOf(name);
  expect([...rows.keys()]).toEqual(ROWS.map(([row]) => row));
  expect(ROWS.map(([row]) => [row, rows.get(row)?.[name]])).toEqual(
    ROWS.map(([row, figure]) => [
      row,
      // What it leaves alone is the default's, and may come from elsewhere.
      name === 'off' && row.startsWith('timeouts') ? 'as configured' : figure(settings),
    ]),
  );
});

it.each(NAMES)('[RES-5] %s by itself and as a preset without more is the same', (name) => {
  expect(settingsOf(name)).toEqual(settingsOf({ preset: name }));
});

it('[RES-5] default is what holds when nothing is written', () => {
  expect(settingsOf('default')).toEqual(settingsOf(undefined));
});

it('[RES-5] off neither repeats nor refuses, but still bounds every wait', () => {
  expect(settingsOf('off')).toMatchObject({
    retry: { attempts: 0 },
    breaker: undefined,
    bulkhead: undefined,
    read: 3_000,
  });
});

it.each<[string, ValkeyOptions['resilience'], object]>([
  ['a timeout', { preset: 'aggressive', timeout: '1s' }, { read: 1_000, retry: { attempts: 1 } }],
  ['attempts', { preset: 'conservative', retry: { attempts: 2 } }, { retry: { attempts: 2, min: 50, max: 2_000 } }],
  ['no retry', { preset: 'conservative', retry: false }, { retry: { attempts: 0 }, breaker: { ratio: 0.5 } }],
  [
    'another measure',
    { preset: 'conservative', breaker: { failures: 3 } },
    { breaker: { failures: 3, halfOpenAfter: 10_000 } },
  ],
  [
    'the other measure',
    { preset: 'aggressive', breaker: { ratio: 0.1 } },
    { breaker: { ratio: 0.1, window: 10_000, minimum: 10 } },
  ],
  [
    'a ratio',
    { preset: 'conservative', breaker: { ratio: 0.1 } },
    { breaker: { ratio: 0.1, window: 30_000, minimum: 20 } },
  ],
  [
    'the window of its ratio',
    { preset: 'conservative', breaker: { window: '60s' } },
    { breaker: { ratio: 0.5, window: 60_000, minimum: 20, halfOpenAfter: 10_000 } },
  ],
  [
    'the minimum of its ratio',
    { preset: 'conservative', breaker: { minimum: 3 } },
    { breaker: { ratio: 0.5, window: 30_000, minimum: 3 } },
  ],
  ['no breaker', { preset: 'aggressive', breaker: false }, { breaker: undefined }],
  ['a breaker after all', { preset: 'off', breaker: {} }, { breaker: { failures: 5 }, retry: { attempts: 0 } }],
  ['a bulkhead', { preset: 'off', bulkhead: { inFlight: 1, queue: 2 } }, { bulkhead: { inFlight: 1, queue: 2 } }],
])('[RES-5] %s written beside a preset wins', (_, resilience, expected) => {
  expect(settingsOf(resilience)).toMatchObject(expected);
});

it('[RES-5] a preset written in the options wins over the environment, except about what it leaves alone', () => {
  const environment = {
    VALKEY_MAX_RETRIES: '9',
    VALKEY_MAX_RETRY_BACKOFF: '9s',
    VALKEY_CIRCUIT_BREAKER_THRESHOLD: '9',
    VALKEY_READ_TIMEOUT: '9s',
    VALKEY_DIAL_TIMEOUT: '9s',
  };
  expect(settingsOf('aggressive', environment)).toEqual(settingsOf('aggressive'));
  expect(settingsOf('conservative', environment)).toEqual(settingsOf('conservative'));
  expect(settingsOf('off', environment)).toEqual({
    ...settingsOf('off'),
    read: 9_000,
    retry: { ...settingsOf('off').retry, max: 9_000 },
  });
  expect(resolveSettings({ resilience: 'aggressive' }, environment).settings.timeouts.dial).toBe(9_000);
});

it('[RES-2] [RES-5] the threshold of the environment counts failures in a row, unless the options say a ratio', () => {
  const environment = { VALKEY_CIRCUIT_BREAKER_THRESHOLD: '9' };
  expect(settingsOf({ breaker: { halfOpenAfter: '1s' } }, environment).breaker).toEqual({
    failures: 9,
    halfOpenAfter: 1_000,
  });
  expect(settingsOf({ breaker: { ratio: 0.5 } }, environment).breaker).toMatchObject({ ratio: 0.5 });
});

it('[RES-5] names the preset when a figure does not fit it', () => {
  expect(failure(() => settingsOf({ preset: 'aggressive', retry: { min: '1s' } }))).toContain(
    'resilience.preset, 32 ms',
  );
  expect(failure(() => settingsOf('fast' as never))).toContain(
    "resilience is \"fast\": it must be 'default', 'aggressive', 'conservative', 'off' or an object with preset",
  );
});

it('[RES-2] failures and a ratio exclude each other, and the message says what to do', () => {
  // @ts-expect-error a breaker has one measure
  const both: ValkeyOptions = { resilience: { breaker: { failures: 5, ratio: 0.5 } } };
  expect(failure(() => resolveSettings(both, {}))).toContain('Keep one of them.');
  // @ts-expect-error a window is one of a ratio
  const windowOnly: ValkeyOptions = { resilience: { breaker: { window: '1s' } } };
  expect(failure(() => resolveSettings(windowOnly, {}))).toContain('needs resilience.breaker.ratio beside it');
  // @ts-expect-error this preset counts failures in a row
  const otherPreset: ValkeyOptions = { resilience: { preset: 'aggressive', breaker: { window: '1s' } } };
  expect(failure(() => resolveSettings(otherPreset, {}))).toContain('needs resilience.breaker.ratio beside it');
});

it('[RES-4] a bulkhead has both bounds', () => {
  // @ts-expect-error the queue is missing
  const halfBulkhead: ValkeyOptions = { resilience: { bulkhead: { inFlight: 5 } } };
  expect(failure(() => resolveSettings(halfBulkhead, {}))).toContain('resilience.bulkhead.queue is missing');
});
