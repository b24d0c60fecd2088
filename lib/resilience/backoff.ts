import { ConstantBackoff, ExponentialBackoff, decorrelatedJitterGenerator, fullJitterGenerator } from 'cockatiel';
import type { IBackoff, IBackoffFactory } from 'cockatiel';
import type { Settings } from '../options/settings.js';

/** The pause of `none`: one turn of the event loop, so that repeating can never keep others from theirs. */
const ONE_TURN = 1;

/** Gives the pauses of one retry sequence, in milliseconds: attempt 1, 2, 3 … */
export type Pauses = (attempt: number) => number;

/**
 * The pauses `retry` asks for, never longer than its `max`. Each call starts a fresh sequence, because the
 * decorrelated form remembers the pause before.
 */
export function pausesOf(retry: Settings['retry']): () => Pauses {
  const { attempts, backoff: growth, min, max } = retry;
  if (growth === 'linear') return () => (attempt) => Math.min(max, min * attempt);
  // Beyond `attempts` only that is repeated which is bound by nothing but its deadline: it must not be tried 1000 times a second.
  if (growth === 'none') return () => (attempt) => (attempt > attempts ? min : ONE_TURN);
  const factory = factoryOf(growth, min, max);
  return () => {
    let backoff: IBackoff<unknown> | undefined;
    return () => {
      backoff = (backoff ?? factory).next(undefined);
      return Math.min(max, backoff.duration);
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
