import { type Draft, type Field, type Layer, type OpenFields, place } from './draft.js';
import type { ResiliencePreset } from './settings.js';

/** Figures of a preset; times in milliseconds. */
export type PresetFigures = Partial<
  Pick<
    Draft,
    | 'read'
    | 'write'
    | 'attempts'
    | 'backoff'
    | 'backoffMin'
    | 'backoffMax'
    | 'breaker'
    | 'breakerFailures'
    | 'breakerRatio'
    | 'breakerWindow'
    | 'breakerMinimum'
    | 'halfOpenAfter'
  >
>;

/** Every figure of every preset. None has a bulkhead: its figures depend on the server and the load. */
export const PRESETS = {
  default: {
    read: 3_000,
    write: 3_000,
    attempts: 3,
    backoff: 'exponential',
    backoffMin: 8,
    backoffMax: 512,
    breaker: true,
    breakerFailures: 5,
    halfOpenAfter: 5_000,
  },
  aggressive: {
    read: 250,
    write: 250,
    attempts: 1,
    backoff: 'exponential',
    backoffMin: 4,
    backoffMax: 32,
    breaker: true,
    breakerFailures: 3,
    halfOpenAfter: 2_000,
  },
  conservative: {
    read: 10_000,
    write: 10_000,
    attempts: 5,
    backoff: 'decorrelated',
    backoffMin: 50,
    backoffMax: 2_000,
    breaker: true,
    breakerRatio: 0.5,
    breakerWindow: 30_000,
    breakerMinimum: 20,
    halfOpenAfter: 10_000,
  },
  // Nothing about the deadline: without one a caller could wait for ever, so it stays as it is configured.
  off: { attempts: 0, breaker: false },
} as const satisfies Readonly<Record<ResiliencePreset, PresetFigures>>;

/** The layer behind the options that a preset named by them makes; empty without one. */
export function presetLayers({ fields: { preset } }: Layer): readonly Layer[] {
  if (!preset) return [];
  const fields: OpenFields = {};
  const figures: PresetFigures = PRESETS[preset.value];
  for (const [field, value] of Object.entries(figures) as [Field, Draft[Field]][]) {
    place(fields, field, { value, from: preset.from });
  }
  return [{ rank: 'preset', fields, uri: {} }];
}
