import { ConstantBackoff, ExponentialBackoff, decorrelatedJitterGenerator, fullJitterGenerator } from 'cockatiel';
import type { IBackoff, IBackoffFactory } from 'cockatiel';
import type { Settings } from '../options/settings.js';

/** Gives the pauses of one retry sequence, in milliseconds: attempt 1, 2, 3 … */
export type Pauses = (attempt: number) => number;

/**
 * The pauses `retry` asks for, never longer than its `max`. Each call starts a fresh sequence, because the
 * decorrelated form remembers the pause before.
 */
export function pausesOf(retry: Settings['retry']): () => Pauses {
  if (retry.backoff === 'linear') return () => (attempt) => Math.min(retry.max, retry.min * attempt);
  const factory = factoryOf(retry.backoff, retry.min, retry.max);
  return () => {
    let backoff: IBackoff<unknown> | undefined;
    return () => {
      backoff = (backoff ?? factory).next(undefined);
      return Math.min(retry.max, backoff.duration);
    };
  };
}

function factoryOf(
  backoff: 'exponential' | 'decorrelated' | 'fixed',
  min: number,
  max: number,
): IBackoffFactory<unknown> {
  switch (backoff) {
    case 'exponential':
      return new ExponentialBackoff({ initialDelay: min, maxDelay: max, generator: fullJitterGenerator });
    case 'decorrelated':
      return new ExponentialBackoff({ initialDelay: min, maxDelay: max, generator: decorrelatedJitterGenerator });
    case 'fixed':
      return new ConstantBackoff(min);
  }
}
