import type { Load } from './load-options.js';

/** A loader at work. */
export interface LoaderRun<T> {
  /** What it gives, or that its time is over. */
  readonly result: Promise<T>;
  /** The same, but rejects with {@link TOO_LATE} when that takes longer; the loader goes on. */
  within(milliseconds: number): Promise<T>;
}

/** Who wants to know how a loader ends. */
export interface LoaderListener {
  /** Its time is over: gives the error. */
  onLate(): Error;
  onEnd(durationMs: number, failed: boolean): void;
}

/** The soft timeout has passed. */
export const TOO_LATE = new Error('The loader takes its time.');

/** Calls a loader. Its time is bounded, and it is told when that is over; then nobody listens to it any more. */
export function runLoader<T>(load: Load<T>, milliseconds: number, listener: LoaderListener): LoaderRun<T> {
  const controller = new AbortController();
  const startedAt = performance.now();
  const result = new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = listener.onLate();
      reject(error);
      controller.abort(error);
    }, milliseconds);
    const end = (failed: boolean): void => {
      clearTimeout(timer);
      listener.onEnd(performance.now() - startedAt, failed);
    };
    called(load, controller.signal).then(
      (value) => {
        end(false);
        resolve(value);
      },
      (error: unknown) => {
        end(true);
        reject(error);
      },
    );
  });
  return { result, within: (limit) => atMost(result, limit) };
}

async function atMost<T>(result: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(TOO_LATE), milliseconds);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Also what a loader throws at once is a rejection. */
async function called<T>(load: Load<T>, signal: AbortSignal): Promise<T> {
  return load({ signal });
}
